"""The label files that a submission is scored against: of SMG, of iMiGUE, or a csv in the form of a submission."""

import re
from pathlib import Path

import numpy as np

from miga.errors import InputError
from miga.frame_base import FrameBase
from miga.ids import natural_key
from miga.text_files import read_encoded_text
from recordings.labels import IMIGUE_FRAME_BASE, SMG_FRAME_BASE
from recordings.listing import list_files
from recordings.readers.label_files import read_label_file
from spotting.segments import Segments, make_segments
from submissions.track2 import MAX_DIGITS, read_track2

NAMES = {r"(.+)_finelabels\.csv": SMG_FRAME_BASE, r"(\d+)_label\.csv": IMIGUE_FRAME_BASE}


def read_truth(path: Path, base: FrameBase) -> tuple[dict[str, Segments], FrameBase]:
    """Gestures per video, in the codes of the files, and how the files number frames.

    Args:
        path: a folder with *_finelabels.csv (SMG) or NNNN_label.csv (iMiGUE) at any depth, or a csv like track2.csv.
        base: how a csv numbers frames. Label files need none: each kind has its own.
    Raises:
        InputError: nothing there, both kinds, a video twice, or a row that is no class,start,end of the kind.
    """
    if path.is_file():
        return read_segments(path, base), base
    found: dict[FrameBase, dict[str, Path]] = {}
    for entry in list_files(path):
        for pattern, kind in NAMES.items():
            if match := re.fullmatch(pattern, entry.name):
                of_kind = found.setdefault(kind, {})
                if match[1] in of_kind:
                    first = of_kind[match[1]]
                    raise InputError(f"{entry.path}: video {match[1]} has another label file, {first}; remove one")
                of_kind[match[1]] = entry.path
    if len(found) != 1:
        raise InputError(
            f"{path}: expected a csv, or a folder with *_finelabels.csv or NNNN_label.csv files, "
            f"found {'both kinds' if found else 'none'}; give the folder with the labels"
        )
    ((kind, files),) = found.items()
    return {video: _read_label_file(files[video], kind) for video in sorted(files, key=natural_key)}, kind


def read_segments(path: Path, base: FrameBase) -> dict[str, Segments]:
    """Segments per video of a csv `video,class,start,end` and optionally score (else all 1), classes as in the file.

    Raises:
        InputError: as `submissions.track2.read_track2`.
    """
    table = read_track2(path, base)
    return {
        str(video): make_segments(*base.from_file(rows.start, rows.end), rows["class"], rows.score)
        for video, rows in table.groupby("video", sort=False)
    }


def _read_label_file(path: Path, base: FrameBase) -> Segments:
    """Rows class,start,end as `recordings.prepare` reads them, of a video whose length is not known.

    Stricter in one thing: only UTF-8, as the leaderboard's scorer reads them.
    """
    encoding = read_encoded_text(path)[1]
    if encoding != "utf-8":
        raise InputError(f"{path}: saved in {encoding.upper()}, expected UTF-8 as in the organisers' files; save it so")
    rows = []
    for row in read_label_file(path):
        numbers = (row.code, row.start, row.end)
        is_segment = base.first <= row.start <= row.end and max(numbers) < 10**MAX_DIGITS
        fault = row.fault or ("" if is_segment else f"expected {base.first} <= start <= end, got {numbers}; correct it")
        if fault:
            raise InputError(f"{path}, row {row.index + 1}: {fault}")
        rows.append(numbers)
    table = np.array(rows, dtype=np.int64).reshape(-1, 3)
    return make_segments(*base.from_file(table[:, 1], table[:, 2]), table[:, 0])
