"""Joints that `recordings.pose` finds beside those that came with the videos, and how fast it finds them.

The data is a folder with labels.csv (clip, name, distance_m), clips and a pyskl pickle of BlazePose's 33 joints. Errors
are in widths of the shoulders as given in that frame, over body points with a given score of 0.5 and more. The joints
that came with the videos are estimates too, made from larger pictures. The figures are in docs/pose.md.

reads:  the folder, weights/files/mediapipe/
writes: nothing (prints a table)

    python -m benchmarks.pose_joints --data DIR [--every 3]
"""

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from miga.errors import run_command
from recordings.frames import probe, stream_frames
from recordings.pose.body import Body
from recordings.readers.safe_pickle import load_pickle

UPPER = (*range(9), *range(11, 17))  # face, shoulders, elbows, wrists: those that iMiGUE has too


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--every", type=int, default=1, help="take every n-th clip")
    args = parser.parse_args(argv)
    table = pd.read_csv(args.data / "labels.csv").iloc[:: args.every]
    (pickle_path,) = args.data.glob("*.pkl")
    content: Any = load_pickle(pickle_path)
    given = {annotation["frame_dir"]: annotation for annotation in content["annotations"]}
    rows, started = [], time.monotonic()
    for clip in table.itertuples():
        rows += compare(args.data / clip.clip, given[clip.name], clip.distance_m)
    seconds = time.monotonic() - started
    frames = pd.DataFrame(rows, columns=["distance", "seen", "error", "upper"])
    print(f"{len(table)} clips, {len(frames)} frames, {len(frames) / seconds:.1f} frames a second")
    print("distance  frames  somebody seen  median error  frames within 0.1  the same, upper body")
    for name, part in [*frames.groupby("distance"), ("all", frames)]:
        print(
            f"{name!s:>8}  {len(part):6}  {part.seen.mean():13.3f}  {part.error.median():12.3f}  "
            f"{(part.error < 0.1).mean():17.3f}  {part.upper.median():7.3f} {(part.upper < 0.1).mean():11.3f}"
        )


def compare(video: Path, given: dict, distance: float) -> list[tuple[float, bool, float, float]]:
    """Distance, whether somebody was found, the median error of all points and of the upper body, for each frame."""
    info = probe(video)
    body = Body(info.fps)
    scale = info.width / given["img_shape"][1]
    rows = []
    pictures = stream_frames(video, np.arange(info.num_frames))
    for picture, points, scores in zip(pictures, given["keypoint"][0], given["keypoint_score"][0], strict=True):
        found = body(picture)
        if found is None:
            rows.append((distance, False, np.nan, np.nan))
            continue
        width = np.hypot(*(points[11] - points[12])) * scale
        errors = np.where(scores >= 0.5, np.hypot(*(found[:, :2] - points * scale).T), np.nan) / width
        rows.append((distance, True, np.nanmedian(errors), np.nanmedian(errors[list(UPPER)])))
    return rows


if __name__ == "__main__":
    run_command(main)
