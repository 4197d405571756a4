"""Where the frames of live spotting come from: a prepared recording, a file of joints, a stream of rows, a camera."""

import importlib.util
import math
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from miga.clips import Clips
from miga.errors import InputError


def row_of_joints(text: str, num_joints: int, name: str) -> NDArray[np.float32]:
    """One line, x, y, score a joint with commas or spaces between them, to (1, V, 3); an empty line is nobody.

    A joint of which any number is nan is missing.

    Raises:
        InputError: another number of numbers, no number, or an infinite one.
    """
    words = text.replace(",", " ").split()
    if not words:
        return np.zeros((1, num_joints, 3), np.float32)
    if len(words) != 3 * num_joints:
        raise InputError(
            f"{name}: expected {3 * num_joints} numbers (x, y, score of {num_joints} joints), got {len(words)}; "
            "an empty line stands for nobody in view"
        )
    try:
        values = np.array([float(word) for word in words]).reshape(1, num_joints, 3)
    except ValueError as error:
        raise InputError(f"{name}: expected numbers, {error}") from None
    return clean(values, name)


def clean(joints: NDArray, name: str) -> NDArray[np.float32]:
    """(M, V, 3) with joints that are nan set to zero, which is missing."""
    if np.isinf(joints).any():
        raise InputError(f"{name}: a coordinate or score is infinite; leave a joint that is not seen at 0, 0, 0")
    missing = np.isnan(joints).any(-1, keepdims=True)
    return np.where(missing, 0, joints).astype(np.float32)


def frames_of_lines(lines: Iterable[str], num_joints: int, name: str) -> Iterator[NDArray[np.float32]]:
    """Frames of a stream of rows.

    Raises:
        InputError: a wrong row, or a stream that stops in the middle of one. Frames before it have been given out.
    """
    for number, line in enumerate(lines, 1):
        where = f"{name}, row {number}"
        if not line.endswith("\n") and 0 < len(line.replace(",", " ").split()) < 3 * num_joints:
            raise InputError(f"{where}: the stream stopped in the middle of the row; all frames before it were used")
        yield row_of_joints(line, num_joints, where)


def frames_of_file(path: Path, num_joints: int) -> Iterator[NDArray[np.float32]]:
    """Frames of a csv, one row a frame, or of an npy file, (T, V, 3) or (T, M, V, 3).

    Raises:
        InputError: no such file, another ending or shape, or as `row_of_joints`.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    if path.suffix == ".csv":
        with open(path, encoding="utf-8") as file:
            yield from frames_of_lines(file, num_joints, str(path))
    elif path.suffix == ".npy":
        try:
            joints = np.load(path, mmap_mode="r", allow_pickle=False)
        except ValueError as error:
            raise InputError(f"{path}: no npy file of numbers ({error})") from None
        if joints.ndim == 3:
            joints = joints[:, None]
        if joints.ndim != 4 or joints.shape[2:] != (num_joints, 3) or joints.dtype.kind not in "iuf":
            raise InputError(
                f"{path}: expected numbers of shape (T, {num_joints}, 3) or (T, M, {num_joints}, 3), "
                f"got {joints.dtype} {joints.shape}"
            )
        for number, frame in enumerate(joints, 1):
            yield clean(frame, f"{path}, frame {number}")
    else:
        raise InputError(f"{path}: expected a file that ends in .csv or .npy")


def frames_of_video(clips: Clips, video_id: str) -> Iterator[NDArray[np.float32]]:
    """Frames of a prepared recording.

    Raises:
        InputError: the run has no such recording.
    """
    known = clips.videos.video_id.tolist()
    if video_id not in known:
        raise InputError(f"--video {video_id}: this run has {', '.join(known[:8])}{' ...' if len(known) > 8 else ''}")
    yield from clips.joints_of_video(video_id)


def frames_of_camera() -> Iterator[NDArray[np.float32]]:
    """There is no pose estimator here.

    Raises:
        InputError: always.
    """
    has_pose = importlib.util.find_spec("rtmlib") is not None
    told = "rtmlib is installed, but no code here reads a camera with it" if has_pose else "no pose estimator is here"
    raise InputError(f"--camera: {told}; send the joints of each frame as a row to standard input: --joints -")


def is_pace(fps: float) -> bool:
    """Whether frames can be waited for at this rate."""
    return math.isfinite(fps) and fps > 0
