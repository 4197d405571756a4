"""The running number in front of each row of a skeleton file: which frame of the video the row is.

Pose estimators leave out frames in which they find nobody, so rows are not frames. Label files count frames; rows go
where their numbers say.
"""

from pathlib import Path

import numpy as np

from miga.errors import InputError
from recordings.recording import Problems

MAX_FRAMES = 1_000_000  # eleven hours at 25 frames a second; a number beyond is a slip, and would fill the memory


def first_number(paths: list[Path]) -> int:
    """The number of the first frame in all files of a data set, 0 or 1.

    One file does not tell: where it begins with 1, frame 0 may have been left out. Only first rows are looked at.
    """
    numbers = set()
    for path in paths:
        if path.is_file():
            with open(path, encoding="utf-8-sig", errors="replace") as file:
                numbers.add(_number(file.readline().partition(",")[0]))
    return 1 if 1 in numbers and 0 not in numbers else 0


def place_rows(joints: np.ndarray, path: Path, cells: list[str], first: int, problems: Problems) -> np.ndarray:
    """Put rows to the frames that they name; frames without a row have missing joints.

    Args:
        joints: (R, M, V, 3), a row each.
        cells: the R running numbers as written. Where all are equal, or most are not whole numbers, they are no frame
            numbers: rows are then frames in their order.
        first: number of the first frame.
        problems: takes a note where rows are not simply the frames in order.
    Returns:
        (T, M, V, 3) from the first frame to the last that is named.
    Raises:
        InputError: a frame comes twice, or the numbers do not count frames.
    """
    numbers = np.array([_number(cell) for cell in cells])
    is_whole = np.isfinite(numbers) & (numbers == np.floor(numbers))
    if 2 * is_whole.sum() <= len(cells) or (len(cells) > 1 and (numbers == numbers[0]).all()):
        problems.notes.append(f"{path}: the first column does not count frames, so rows are taken as they come")
        return joints
    frames = numbers - first
    bad = np.flatnonzero(~(is_whole & (frames >= 0) & (frames < MAX_FRAMES)))
    if len(bad):
        raise InputError(
            f"{path} line {bad[0] + 1}: frame number {cells[bad[0]][:40]!r}, expected a whole number from {first}; "
            "correct it"
        )
    frames = frames.astype(int)
    order = np.argsort(frames, kind="stable")
    steps = np.diff(frames[order])
    if (steps == 0).any():
        earlier, line = order[int(np.argmin(steps)) :][:2] + 1
        raise InputError(
            f"{path} line {line}: frame number {cells[line - 1].strip()} is in line {earlier} too; expected one row a "
            "frame, remove one of them"
        )
    if len(steps) > 1 and steps.min() > 1:
        raise InputError(
            f"{path} line 2: frame numbers go up by {steps.min()} or more, expected a running number of frames; number "
            f"the rows {first}, {first + 1}, {first + 2} ..."
        )
    if (np.diff(frames) < 0).any():
        problems.notes.append(f"{path}: the rows are not in the order of their frame numbers, they are put in order")
    num_frames = int(frames.max()) + 1
    if num_frames > len(frames):
        problems.notes.append(f"{path}: {num_frames - len(frames)} of {num_frames} frames have no row: nobody in view")
    placed = np.zeros((num_frames, *joints.shape[1:]), joints.dtype)
    placed[frames] = joints
    return placed


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return np.nan
