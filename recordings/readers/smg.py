"""SMG folders: `<any>/SampleNNNN/SampleNNNN_skeleton.csv`, `_data.csv`, and `_finelabels.csv` where labelled.

Skeleton rows: 25 Kinect joints x 11 values, of which offsets 0-2 are metres and 7-8 pixels in the colour image. Label
rows: class 1..17, frames counted from 1, both ends inclusive (the organisers' online reader, mikecheninoulu/SMG).
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from miga.ids import natural_key
from miga.skeletons import SMG_25
from miga.text_files import read_text
from recordings.folders import select_videos, source_split_of, split_of
from recordings.labels import SMG_CLASSES, SMG_CODES, SMG_FRAME_BASE
from recordings.listing import Entry
from recordings.readers.label_files import LabelRow, known_labels, read_labels, segments_of
from recordings.readers.number_csv import read_numbers, read_rows
from recordings.recording import Options, Problems, Recording, Source, clean_joints, joints_or_none

NUM_COLUMNS = 25 * 11
COLUMNS = np.array([11 * joint + offset for joint in range(25) for offset in (0, 1, 2, 7, 8)])
# 821,056 frames in a little over 8 hours; used only where SampleNNNN_data.csv is missing.
DEFAULT_FPS = 28.0
# Official split: sequences 36-40 are the test.
FIRST_TEST_NUMBER = 36


@dataclass(frozen=True)
class _Video:
    video_id: str
    skeleton_csv: Path  # of a test sequence it may be missing
    label_csv: Path
    source_split: str
    split: str
    rows: list[LabelRow]
    fps: float


def open_smg(root: Path, entries: list[Entry], options: Options, problems: Problems) -> Source:
    """Find the sequences and read their label files; skeletons are read one by one as `recordings` is walked."""
    videos = _find_videos(root, entries, options, problems)
    test_rows = [row for video in videos if video.split == "test" for row in video.rows]
    split2labels = known_labels(SMG_CODES, test_rows, problems)

    def recordings() -> Iterator[Recording]:
        for video in videos:
            video_id, split = video.video_id, video.split
            joints = joints_or_none(read_skeleton_csv, video.skeleton_csv, split, video_id, SMG_25.num_joints, problems)
            if joints is None:
                continue
            segments = segments_of(
                video.rows,
                video.label_csv,
                video_id,
                split,
                len(joints),
                SMG_FRAME_BASE,
                split2labels[split],
                problems,
            )
            yield Recording(video_id, split, video.source_split, joints, segments, video.fps)

    return Source(
        kind="smg",
        skeleton=SMG_25,
        classes=SMG_CLASSES,
        codes=SMG_CODES,
        frame_base=SMG_FRAME_BASE,
        num_persons=1,
        recordings=recordings,
        subject_is_video=True,
    )


def read_skeleton_csv(path: Path) -> np.ndarray:
    """(T, 1, 25, 3) float32: pixels of the colour image, and 1 where the Kinect saw the joint; missing 0, 0, 0.

    Raises:
        InputError: no rows, rows of a wrong length, or a cell that is not a number.
    """
    values = read_numbers(path, read_rows(path, NUM_COLUMNS), COLUMNS, allow_nan=True).reshape(-1, 1, 25, 5)
    is_seen = (values != 0).any(-1)
    return clean_joints(values[..., 3], values[..., 4], is_seen.astype(np.float32))


def _find_videos(root: Path, entries: list[Entry], options: Options, problems: Problems) -> list[_Video]:
    files: dict[str, dict[str, list[Path]]] = {}
    for entry in entries:
        match = re.fullmatch(r"(Sample\d+)_(skeleton|finelabels|data)\.csv", entry.name)
        if match:
            files.setdefault(match.group(1), {}).setdefault(match.group(2), []).append(entry.path)
    for video_id in sorted(files, key=natural_key):
        paths = files[video_id].get("skeleton", [])
        if len(paths) > 1:
            problems.fatal.append(f"sequence {video_id} is there twice, {paths[0]} and {paths[1]}; remove one of them")
    video_ids = sorted(files, key=natural_key)
    firsts = {video_id: (files[video_id].get("skeleton") or min(files[video_id].values()))[0] for video_id in video_ids}
    source_splits = {video_id: source_split_of(firsts[video_id], root) for video_id in video_ids}
    test_ids = _test_ids(source_splits, files, options)
    videos = []
    for video_id in video_ids:
        path = firsts[video_id].with_name(f"{video_id}_skeleton.csv")
        split = "test" if video_id in test_ids else "train"
        if "skeleton" not in files[video_id] and split == "train":
            problems.leave_out(video_id, f"{firsts[video_id]}: no {path.name} beside it; add the recording")
            continue
        label_csv = path.with_name(f"{video_id}_finelabels.csv")
        rows = read_labels(label_csv, label_csv in files[video_id].get("finelabels", ()), video_id, split, problems)
        if rows is not None:
            fps = _read_fps(path.with_name(f"{video_id}_data.csv"), video_id, split, problems)
            videos.append(_Video(video_id, path, label_csv, source_splits[video_id] or split, split, rows, fps))
    return videos


def _test_ids(source_splits: dict[str, str], files: dict[str, dict], options: Options) -> set[str]:
    """The person's list, else the test folder, else sequences without labels and the official numbers."""
    video_ids = list(source_splits)
    if options.test_videos:
        return select_videos(options.test_videos, video_ids)
    if any(split_of(source_split) == "test" for source_split in source_splits.values()):
        return {video_id for video_id in video_ids if split_of(source_splits[video_id]) == "test"}
    official = {v for v in video_ids if int(v.removeprefix("Sample")) >= FIRST_TEST_NUMBER}
    if len(official) == len(video_ids):
        official = set()
    is_unlabelled = {v: "skeleton" in files[v] and "finelabels" not in files[v] for v in video_ids}
    unlabelled = {v for v in video_ids if is_unlabelled[v] and not source_splits[v]}
    return official | unlabelled


def _read_fps(path: Path, video_id: str, split: str, problems: Problems) -> float:
    """Second number of `numFrames,fps,maxDepth`; a missing file is legal, its frame count is not relied upon."""
    if not path.exists():
        return DEFAULT_FPS
    line = read_text(path).strip().partition("\n")[0].strip()
    try:
        _, fps, *rest = map(float, line.rstrip(",").split(","))
    except ValueError:
        fps, rest = 0.0, []
    if not 0 < fps < math.inf or len(rest) > 1:  # more cells: a decimal comma
        problems.unusable(
            split, video_id, f"{path} line 1: expected numFrames,fps,maxDepth, got {line[:60]!r}; correct it"
        )
        return DEFAULT_FPS
    return fps
