"""Processed arrays of the organisers' ST-GCN kit: `{train,valid,test}_data.npy` (N, 3, T, V, 1) and `_label.pkl`.

Clips longer than T keep their last T frames, shorter ones end in zeros. The true length is not stored; it is recovered
as the last frame with anybody in it. Label pickle: (names, labels). V = 22 is iMiGUE (x, y in pixels, score), V = 25
is SMG (x, y, z in metres). Source: mikecheninoulu/SMG.
"""

import operator
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from miga.errors import InputError
from miga.ids import natural_key
from miga.skeletons import IMIGUE_22, SMG_25
from recordings.folders import select_videos, split_of
from recordings.joint_units import JointUnits, are_scores
from recordings.labels import (
    IMIGUE_CLASSES,
    IMIGUE_CODES,
    IMIGUE_FRAME_BASE,
    SMG_CLASSES,
    SMG_CODES,
    SMG_FRAME_BASE,
)
from recordings.listing import Entry
from recordings.readers.safe_pickle import load_pickle
from recordings.recording import Options, Problems, Recording, Segment, Source, clean_joints

FPS = 25.0
# Nominal colour camera of the Kinect v2, to bring metres to pixels: focal length and centre of a 1920x1080 picture.
FOCAL, CENTER_X, CENTER_Y = 1081.4, 959.5, 539.5
FARTHEST = 20.0  # metres; a Kinect sees 8
NUM_LOOKED_AT = 200  # clips that tell in which units an array is


@dataclass(frozen=True)
class _Part:
    source_split: str
    data_npy: Path
    names: list[str]
    labels: list[int]
    data: np.ndarray


def open_processed(root: Path, entries: list[Entry], options: Options, problems: Problems) -> Source:
    """Open the arrays (memory-mapped) and their labels."""
    parts = [
        _open_part(entry.path, problems)
        for entry in entries
        if entry.name in ("train_data.npy", "valid_data.npy", "val_data.npy", "test_data.npy")
    ]
    sizes = {part.data.shape[3] for part in parts}
    if len(sizes) > 1:
        raise InputError(f"{root}: arrays with {sorted(sizes)} joints in one folder; expected one data set")
    is_smg = sizes == {SMG_25.num_joints}
    clips = _unique_clips(parts, problems)
    video_ids = sorted({_video_or_clip(part.names[row], is_smg) for part, row in clips}, key=natural_key)
    test_ids = select_videos(options.test_videos, video_ids) if options.test_videos else None

    def recordings() -> Iterator[Recording]:
        units = JointUnits()
        for video_id, members in groupby(clips, key=lambda clip: _video_or_clip(clip[0].names[clip[1]], is_smg)):
            is_test = None if test_ids is None else video_id in test_ids
            for recording in _recording_of(video_id, list(members), is_smg, is_test, problems):
                units.add(video_id, recording.joints)
                yield recording
        if not is_smg:
            problems.fatal += units.faults(root)

    return Source(
        kind="processed",
        skeleton=SMG_25 if is_smg else IMIGUE_22,
        classes=SMG_CLASSES if is_smg else IMIGUE_CLASSES,
        codes=SMG_CODES if is_smg else IMIGUE_CODES,
        frame_base=SMG_FRAME_BASE if is_smg else IMIGUE_FRAME_BASE,
        num_persons=1,
        recordings=recordings,
        subject_is_video=is_smg,
        fingers_may_be_swapped=not is_smg,
        frames_are_true=False,
    )


def _recording_of(
    video_id: str, clips: list[tuple[_Part, int]], is_smg: bool, is_test: bool | None, problems: Problems
) -> Iterator[Recording]:
    """Join the clips of one video end to end: the kit threw away where they were. Yields nothing if none is good."""
    part = clips[0][0]
    split = split_of(part.source_split) if is_test is None else ("test" if is_test else "train")
    num_classes = len(SMG_CLASSES if is_smg else IMIGUE_CLASSES)
    segments, pieces, start = [], [], 0
    for other, row in clips:
        name, label = other.names[row], other.labels[row]
        if is_test is None and split_of(other.source_split) != split:
            problems.fatal.append(
                f"{other.data_npy}: clip {name} is of video {video_id}, which is in {part.data_npy.name} too; expected "
                "each video either in training or in test, move its clips to one side"
            )
        if split == "train" and not 0 <= label < num_classes:
            problems.leave_out(
                name, f"{other.data_npy}: clip {name}: label {label}, expected 0..{num_classes - 1}; correct it"
            )
            continue
        joints = trim(_joints_of(other.data[row], is_smg))
        segments.append(Segment(name, label if 0 <= label < num_classes else -1, start, len(joints)))
        pieces.append(joints)
        start += len(joints)
    if pieces:
        yield Recording(video_id, split, part.source_split, np.concatenate(pieces), segments, FPS)


def trim(joints: np.ndarray) -> np.ndarray:
    """Cut the padding off (T, M, V, 3): up to the last frame with a present joint, at least one frame."""
    is_present = (joints[..., 2] > 0).any(axis=(1, 2))
    return joints[: int(np.flatnonzero(is_present)[-1]) + 1] if is_present.any() else joints[:1]


def video_of(name: str, is_smg: bool) -> str:
    """`0187_0` -> `0187`; the SMG arrays join `Sample0036` and the index without a separator."""
    return name[:10] if is_smg else name.rpartition("_")[0]


def _video_or_clip(name: str, is_smg: bool) -> str:
    """The video of a clip; a test clip whose name says none is a video of its own."""
    return video_of(name, is_smg) or name


def _joints_of(clip: np.ndarray, is_smg: bool) -> np.ndarray:
    """(3, T, V, 1) as stored -> (T, 1, V, 3)."""
    first, second, third = np.asarray(clip, np.float32).transpose(0, 1, 3, 2)  # each (T, 1, V)
    if not is_smg:
        return clean_joints(first, second, third)
    is_seen = (third > 0) & np.isfinite(third)
    depth = np.where(is_seen, third, 1)
    return clean_joints(CENTER_X + FOCAL * first / depth, CENTER_Y - FOCAL * second / depth, is_seen)


def _open_part(data_npy: Path, problems: Problems) -> _Part:
    source_split = data_npy.name.removesuffix("_data.npy")
    try:
        data = np.load(data_npy, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise InputError(f"{data_npy}: not a readable array ({error}); copy it again") from error
    shape = data.shape
    if len(shape) != 5 or shape[1] != 3 or shape[3] not in (22, 25) or shape[4] != 1 or data.dtype.kind != "f":
        raise InputError(f"{data_npy}: shape {shape} {data.dtype}, expected (clips, 3, frames, 22 or 25, 1) of floats")
    _check_units(data_npy, data)
    label_pkl = data_npy.with_name(f"{source_split}_label.pkl")
    if not label_pkl.exists():
        raise InputError(f"{label_pkl}: missing beside {data_npy.name}; it holds the clips' names, add it")
    content: Any = load_pickle(label_pkl)
    try:
        names, labels = ([str(name) for name in content[0]], [operator.index(label) for label in content[1]])
        is_pair = len(content) == 2 and len(names) == len(labels)
    except (TypeError, IndexError, KeyError):
        is_pair = False
    if not is_pair:
        raise InputError(
            f"{label_pkl}: expected a pair (names, labels) of equal length, labels integers; write it anew"
        )
    if len(names) != shape[0]:
        raise InputError(
            f"{label_pkl}: {len(names)} names, but {data_npy.name} has {shape[0]} clips; they do not match"
        )
    for row, name in enumerate(names):
        if not video_of(name, shape[3] == 25) and split_of(source_split) == "train":
            problems.leave_out(name, f"{label_pkl} entry {row}: {name!r} is no clip name, expected such as 0187_0")
    return _Part(source_split, data_npy, names, labels, data)


def _check_units(data_npy: Path, data: np.ndarray) -> None:
    """Raise InputError unless iMiGUE's third channel can be a score, and SMG's channels metres before a Kinect."""
    looked_at = np.asarray(data[:: -(-len(data) // NUM_LOOKED_AT) or 1], np.float32)
    x, y, third = np.moveaxis(looked_at, 1, 0)
    if data.shape[3] == IMIGUE_22.num_joints:
        if not are_scores(x, y, third):
            raise InputError(
                f"{data_npy}: the third channel goes from {np.nanmin(third):g} to {np.nanmax(third):g}, expected a "
                "score in [0, 1] beside x and y in pixels; write the scores there"
            )
        return
    is_given = ((x != 0) | (y != 0)) & np.isfinite(looked_at).all(1)
    is_metres = (third > 0) & (np.abs(looked_at) < FARTHEST).all(1)
    if is_given.any() and 2 * (is_given & is_metres).sum() < is_given.sum():
        raise InputError(
            f"{data_npy}: most joints lie behind the camera or farther than {FARTHEST:g}, expected x, y, z in metres "
            "as the Kinect gives them; write those"
        )


def _unique_clips(parts: list[_Part], problems: Problems) -> list[tuple[_Part, int]]:
    """(part, row) of each clip in natural order of the names.

    The kit's own validation clips are also among its training clips; an equal copy is taken once.
    """
    name2place: dict[str, tuple[_Part, int]] = {}
    num_copies = 0
    for part in parts:
        for row, name in enumerate(part.names):
            first_part, first_row = name2place.setdefault(name, (part, row))
            if (first_part, first_row) == (part, row):
                continue
            if first_part is not part and np.array_equal(first_part.data[first_row], part.data[row]):
                num_copies += 1
            else:
                problems.fatal.append(f"{part.data_npy}: clip {name} is there twice (row {row}); remove one of them")
    if num_copies:
        problems.notes.append(f"{num_copies} clips are in two of the arrays, equal to the last bit: taken once")
    bad = {what for what, _ in problems.bad}
    return [name2place[name] for name in sorted(name2place, key=natural_key) if name not in bad]
