"""Which split a video belongs to, by the names of the folders above it or by the person's own list."""

import re
from collections import Counter
from pathlib import Path

from miga.errors import InputError

_PART = re.compile(r"(?:^|[_\-.\s])(train|training|val|valid|validate|validation|test|testing)(?=$|[_\-.\s])", re.I)


def source_split_of(path: Path, root: Path) -> str:
    """The word train, validate or test in the nearest folder name above `path`, up to and including `root`; '' if none.

    Folders above `root` are not looked at: they are not part of the data set.
    """
    return _naming_folder(path, root)[1]


def folders_called_test(recordings: list[Path], root: Path) -> dict[str, int]:
    """Folders whose names make recordings the test, and how many each does.

    Raises:
        InputError: nothing is left to train on.
    """
    named = [_naming_folder(path, root) for path in recordings]
    counts = Counter(str(folder) for folder, source_split in named if split_of(source_split) == "test")
    if recordings and counts.total() == len(recordings):
        raise InputError(
            f"{min(counts)}: the word test in the name of this folder makes all recordings in it the test "
            f"({counts.total()} of {len(recordings)}, none is left to train on); rename the folder, or say by "
            "--test-videos which are the test"
        )
    return dict(sorted(counts.items()))


def _naming_folder(path: Path, root: Path) -> tuple[Path, str]:
    """The folder whose name tells the split of `path`, and the word in it; `root` and '' if none does."""
    parts = path.relative_to(root).parts[:-1]
    for depth in range(len(parts), -1, -1):
        folder = root.joinpath(*parts[:depth])
        # Where the root is "." or ends in "..", its name is that of the folder it stands for.
        match = _PART.search(folder.name if depth else root.resolve().name)
        if match:
            return folder, match.group(1).lower()
    return root, ""


def split_of(source_split: str) -> str:
    """Training and validation recordings are both labelled, and the folds decide anew who validates."""
    return "test" if source_split.startswith("test") else "train"


def select_videos(wanted: tuple[str, ...], video_ids: list[str]) -> set[str]:
    """Resolve --test-videos: ids as they are, numbers (13), or ranges of numbers (13-20) found in the ids.

    Raises:
        InputError: an item matches no video.
    """
    number2ids: dict[int, set[str]] = {}
    for video_id in video_ids:
        digits = re.findall(r"\d+", video_id)
        if digits:
            number2ids.setdefault(int(digits[-1]), set()).add(video_id)
    chosen: set[str] = set()
    for item in wanted:
        found = {item} & set(video_ids)
        span = re.fullmatch(r"(\d+)(?:-(\d+))?", item)
        if not found and span:
            low, high = int(span.group(1)), int(span.group(2) or span.group(1))
            found = {i for number, ids in number2ids.items() if low <= number <= high for i in ids}
        if not found:
            raise InputError(
                f"--test-videos {item}: no such video among {len(video_ids)}, {video_ids[0]} to {video_ids[-1]}; "
                "expected video ids, numbers or ranges such as 13-20, separated by commas"
            )
        chosen |= found
    return chosen
