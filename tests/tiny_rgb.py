"""Pictures for the clips of tests/tiny.py: a bright dot on the moving wrist, so that RGB shows the class too."""

import dataclasses
from pathlib import Path

import av
import numpy as np

from miga.clips import Clips

DOT_JOINT = 7  # the wrist that circles at the speed of the class
SCALE = 8  # the videos are this much smaller than the pictures the joints lie in


def filmed(clips: Clips, folder: Path) -> Clips:
    """Write one 160x90 video per recording below `folder`, clip after clip, and return clips that name it."""
    table = clips.table.copy()
    for video_id, own in clips.table.groupby("video_id"):
        path, joints = folder / f"{video_id}.mp4", [clips.joints_of(row) for row in own.index]
        write_frames(path, [picture(frame) for clip in joints for frame in clip])
        table.loc[own.index, "frames_path"] = str(path)
        table.loc[own.index, "frames_start"] = np.cumsum([0, *map(len, joints[:-1])])
    return dataclasses.replace(clips, table=table)


def picture(joints: np.ndarray, size: tuple[int, int] = (90, 160), scale: float = SCALE) -> np.ndarray:
    """(M, V, 3) joints to a dark (H, W, 3) picture with a bright square of 5 pixels on the dot joint, if it is seen."""
    drawn = np.full((*size, 3), 40, np.uint8)
    x, y, score = joints[0, DOT_JOINT]
    if score > 0:
        column, row = round(x / scale - 0.5), round(y / scale - 0.5)
        drawn[max(row - 2, 0) : row + 3, max(column - 2, 0) : column + 3] = 255
    return drawn


def write_frames(path: Path, pictures: list[np.ndarray]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for drawn in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(drawn, format="rgb24")))
        container.mux(stream.encode())


def dot_centre(shown: np.ndarray) -> np.ndarray:
    """x, y of the middle of the bright pixels of (H, W, 3), where the first pixel's middle is 0.5."""
    rows, columns = np.nonzero(shown.min(axis=-1) > 150)
    return np.array([columns.mean() + 0.5, rows.mean() + 0.5])
