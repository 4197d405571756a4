"""iMiGUE folders: `<any>_{train,validate,test}/NNNN/NNNN_light_hand.csv` and `NNNN_label.csv`.

Skeleton rows: the number of the frame, then 35 points x (x, y, score). Label rows: class 1..31 or 99, frames counted
from 0, both ends inclusive. Source: the organisers' starter kit (mikecheninoulu/SMG).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from miga.errors import InputError
from miga.ids import natural_key
from miga.skeletons import IMIGUE_22
from recordings.folders import select_videos, source_split_of, split_of
from recordings.joint_units import JointUnits, are_scores
from recordings.labels import IMIGUE_CLASSES, IMIGUE_CODES, IMIGUE_FRAME_BASE
from recordings.listing import Entry
from recordings.readers.frame_numbers import first_number, place_rows
from recordings.readers.label_files import LabelRow, known_labels, read_labels, segments_of
from recordings.readers.number_csv import read_numbers, read_rows
from recordings.recording import Options, Problems, Recording, Source, clean_joints, joints_or_none

FPS = 25.0
NUM_COLUMNS = 1 + 35 * 3
# Points of the 35 that make the 22 joints: OpenPose's without hips, legs and feet, then the two hands' five each.
POINTS = (*range(8), *range(15, 19), *range(25, 35))
COLUMNS = np.array([1 + 3 * point + channel for point in POINTS for channel in range(3)])


@dataclass(frozen=True)
class _Video:
    video_id: str
    skeleton_csv: Path  # of a test video it may be missing
    label_csv: Path
    source_split: str
    split: str
    rows: list[LabelRow]


def open_imigue(root: Path, entries: list[Entry], options: Options, problems: Problems) -> Source:
    """Find the videos and read their label files; the skeletons are read one by one as `recordings` is walked."""
    videos = _find_videos(root, entries, options, problems)
    test_rows = [row for video in videos if video.split == "test" for row in video.rows]
    split2labels = known_labels(IMIGUE_CODES, test_rows, problems)
    first_row = first_number([video.skeleton_csv for video in videos])

    def recordings() -> Iterator[Recording]:
        units = JointUnits()
        for video in videos:
            video_id, split = video.video_id, video.split
            read = partial(read_light_hand_csv, first_row=first_row, problems=problems)
            joints = joints_or_none(read, video.skeleton_csv, split, video_id, len(POINTS), problems)
            if joints is None:
                continue
            units.add(video.video_id, joints)
            segments = segments_of(
                video.rows,
                video.label_csv,
                video_id,
                split,
                len(joints),
                IMIGUE_FRAME_BASE,
                split2labels[split],
                problems,
            )
            yield Recording(video_id, split, video.source_split, joints, segments, FPS)
        problems.fatal += units.faults(root)

    return Source(
        kind="imigue",
        skeleton=IMIGUE_22,
        classes=IMIGUE_CLASSES,
        codes=IMIGUE_CODES,
        frame_base=IMIGUE_FRAME_BASE,
        num_persons=1,
        recordings=recordings,
        fingers_may_be_swapped=True,
    )


def read_light_hand_csv(path: Path, first_row: int, problems: Problems) -> np.ndarray:
    """(T, 1, 22, 3) float32: x, y in pixels, score; missing points 0, 0, 0. Finger groups in the file's order.

    Args:
        first_row: the number that the file gives to the first frame of a video.
        problems: takes a note where frames have no row or rows are not in order.
    Raises:
        InputError: no rows, rows of a wrong length, a cell that is not a number, third values that are no scores, or
            frame numbers that do not count frames.
    """
    rows = read_rows(path, NUM_COLUMNS)
    values = read_numbers(path, rows, COLUMNS, allow_nan=False).reshape(-1, 1, len(POINTS), 3)
    x, y, score = np.moveaxis(values, -1, 0)
    if not are_scores(x, y, score):
        raise InputError(
            f"{path}: the third value of the points goes from {score.min():g} to {score.max():g}, expected x, y and a "
            "score in [0, 1]; write the scores there"
        )
    return place_rows(clean_joints(x, y, score), path, [row.partition(",")[0] for row in rows], first_row, problems)


def _find_videos(root: Path, entries: list[Entry], options: Options, problems: Problems) -> list[_Video]:
    skeletons = _by_video(entries, r"(\d+)_light_hand\.csv")
    labels = _by_video(entries, r"(\d+)_label\.csv")
    if not skeletons:
        problems.fatal.append(f"{root}: no NNNN_light_hand.csv at all; give the folder with the skeletons (with hands)")
    for video_id, paths in skeletons.items():
        if len(paths) > 1:
            problems.fatal.append(f"video {video_id} is there twice, {paths[0]} and {paths[1]}; remove one of them")
    # RGB folders may carry copies of the label files, but then the skeleton lies elsewhere.
    video_ids = sorted({*skeletons, *labels}, key=natural_key)
    test_ids = select_videos(options.test_videos, video_ids) if options.test_videos else None
    videos = []
    for video_id in video_ids:
        has_skeleton = video_id in skeletons
        path = skeletons[video_id][0] if has_skeleton else labels[video_id][0].with_name(f"{video_id}_light_hand.csv")
        source_split = source_split_of(path, root)
        split = split_of(source_split) if test_ids is None else ("test" if video_id in test_ids else "train")
        label_csv = path.with_name(f"{video_id}_label.csv")
        if not has_skeleton and split == "train":
            problems.leave_out(video_id, f"{label_csv}: label file without {path.name}; add the recording")
            continue
        rows = read_labels(label_csv, label_csv in labels.get(video_id, ()), video_id, split, problems)
        if rows is not None:
            videos.append(_Video(video_id, path, label_csv, source_split or split, split, rows))
    return videos


def _by_video(entries: list[Entry], pattern: str) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for entry in entries:
        match = re.fullmatch(pattern, entry.name)
        if match:
            found.setdefault(match.group(1), []).append(entry.path)
    return found
