"""Body, hands and face of one person through a video."""

from pathlib import Path

import numpy as np

from miga.skeletons import OPENPOSE_137
from recordings.frames import VideoInfo, stream_frames
from recordings.pose import hands
from recordings.pose.body import Body
from recordings.pose.face import Face
from recordings.pose.layout import tips_from_body, to_openpose

PARTS = ("body", "hands", "face")


def joints_of(video: Path, info: VideoInfo, fps: float, parts: tuple[str, ...] = PARTS) -> np.ndarray:
    """(T, 137, 3) float32: x, y in pixels as the video is shown, score; zeros where nothing is found.

    Args:
        video: a file or a folder of images; read as a stream, one picture in memory.
        info: its facts.
        fps: frames a second, for the smoothing.
        parts: which of `PARTS` to look for; without hands, the tips of the fingers come from the body.
    Raises:
        InputError: the video breaks off, or the networks are not installed.
    """
    body = Body(fps)
    networks = hands.HandNetworks() if "hands" in parts else None
    left, right = (hands.Hand(networks, side) if networks else None for side in (hands.LEFT, hands.RIGHT))
    face = Face() if "face" in parts else None
    joints = np.zeros((info.num_frames, OPENPOSE_137.num_joints, 3), np.float32)
    for number, picture in enumerate(stream_frames(video, np.arange(info.num_frames))):
        points = body(picture)
        if points is None:
            continue
        joints[number] = to_openpose(
            points,
            left(picture, points) if left else tips_from_body(points, hands.LEFT),
            right(picture, points) if right else tips_from_body(points, hands.RIGHT),
            face(picture, points) if face else None,
        )
    return joints
