"""A few long simulated sequences for this room: two gestures with different hands, an empty one, a very short one."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from miga.clips import CLIP_COLUMNS, VIDEO_COLUMNS, Clips
from miga.skeletons import IMIGUE_22
from tests.tiny import write_clips
from tests.tiny_rgb import picture, write_frames

CLASSES = ("raise hand a", "raise hand b", "never seen")


def tiny_videos(num_train: int = 4, seed: int = 0, first_frame: int = 1) -> Clips:
    """Training videos of 150 frames with four gestures each (subjects S0, S1, ...), and three test videos.

    Test video 0101 is like the training videos, 0102 shows nobody, 0103 has five frames.
    """
    rng = np.random.default_rng(seed)
    lengths = [150] * (num_train + 2) + [5]
    videos, rows, joints, offset = [], [], [], 0
    for number, length in enumerate(lengths):
        is_train = number < num_train
        video, subject = (f"{number + 1:04d}", f"S{number}") if is_train else (f"{101 + number - num_train:04d}", "T")
        split = "train" if is_train else "test"
        gestures = [(10, 20), (45, 25), (85, 15), (115, 25)] if length > 100 else []
        labels = rng.permutation([0, 1, 0, 1])
        body = _idle(length, rng)
        for index, (start, count) in enumerate(gestures):
            _raise_hand(body[start : start + count], labels[index])
            rows.append(
                (
                    *(f"{video}_{index}", video, subject, split, split, labels[index] if is_train else -1),
                    *(start, count, offset + start, 640, 480, 25.0, "", 0, video != "0102"),
                )
            )
        if video == "0102":
            body[:] = 0
        videos.append((video, subject, split, split, length, offset, 640, 480, 25.0, ""))
        joints.append(body)
        offset += length
    return Clips(
        table=pd.DataFrame(rows, columns=list(CLIP_COLUMNS)),
        videos=pd.DataFrame(videos, columns=list(VIDEO_COLUMNS)),
        joints=np.concatenate(joints),
        skeleton=IMIGUE_22,
        classes=CLASSES,
        mirror=np.arange(len(CLASSES)),
        meta={
            "skeleton": IMIGUE_22.to_dict(),
            "classes": list(CLASSES),
            "codes": [3, 5, 99],
            "first_frame": first_frame,
            "mirror": list(range(len(CLASSES))),
            "content_sha256": f"tiny-videos-{seed}-{num_train}",
        },
    )


def write_tiny_videos(run: str = "tiny", **kwargs) -> Clips:
    """Write them as recordings.prepare would, below the current directory."""
    clips = tiny_videos(**kwargs)
    write_clips(clips, run, "track2")
    return clips


def write_filmed_videos(run: str = "tiny", without: tuple[str, ...] = ()) -> Clips:
    """The same with pictures, a bright dot on wrist b; the videos `without` have none."""
    clips = tiny_videos()
    paths = []
    for video_id in clips.videos.video_id:
        path = Path("films") / f"{video_id}.mp4"
        if video_id not in without:
            write_frames(path, [picture(joints, (60, 80)) for joints in clips.joints_of_video(video_id)])
        paths.append("" if video_id in without else str(path))
    clips = replace(clips, videos=clips.videos.assign(frames_path=paths))
    write_clips(clips, run, "track2")
    return clips


def _idle(length: int, rng: np.random.Generator) -> np.ndarray:
    """(T, 1, 22, 3) a person who hardly moves."""
    joints = np.zeros((length, 1, 22, 3), np.float32)
    joints[..., 2] = 0.9
    base = rng.uniform(-100, 100, (22, 2)) * np.array([1.0, 1.5]) + (320, 240)
    joints[:, 0, :, :2] = base + rng.normal(0, 1, (length, 22, 2))
    return joints


def _raise_hand(joints: np.ndarray, label: int) -> None:
    """Lift the wrist and fingers of arm a or b, up and down again."""
    moved = [4, *range(17, 22)] if label == 0 else [7, *range(12, 17)]
    lift = 120 * np.sin(np.linspace(0, np.pi, len(joints)))
    joints[:, 0, moved, 1] -= lift[:, None].astype(np.float32)
