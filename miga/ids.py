"""Clip ids are text from end to end: `0054_0` is neither a number nor equal to `54_0`."""

import re


def natural_key(identifier: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key that puts `0187_2` before `0187_10`: runs of digits compare as numbers, the rest as text.

    Two different ids never share a key: the text of the digits breaks the tie between `7` and `07`.
    """
    parts = re.findall(r"\d+|\D+", identifier)
    return tuple((0, int(part), part) if part.isdecimal() else (1, 0, part) for part in parts)


def clip_id_of(video_id: str, index: int) -> str:
    """Id of the gesture on line `index` (from 0) of a video's label file, as the organisers name it."""
    return f"{video_id}_{index}"
