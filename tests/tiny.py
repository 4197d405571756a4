"""A small prepared data set, made in memory: several subjects, uneven classes, a one-frame clip, missing joints.

A clip's class is visible: the wrist circles at a speed that grows with the class, so a network can learn it.
"""

import numpy as np
import pandas as pd

from miga.clips import CLIP_COLUMNS, VIDEO_COLUMNS, Clips
from miga.files import write_json
from miga.paths import clips_dir
from miga.skeletons import IMIGUE_22

CLASSES = ("circle slow", "circle", "circle fast", "still")


def tiny_clips(num_train: int = 24, num_test: int = 6, num_subjects: int = 4, seed: int = 0) -> Clips:
    """Clips of IMIGUE_22 skeletons in 1280x720 pixels; clip 1 has one frame, clip 2 has nobody in view."""
    rng = np.random.default_rng(seed)
    rows, videos, joints, offset = [], [], [], 0
    per_video: dict[str, int] = {}
    for number in range(num_train + num_test):
        split = "train" if number < num_train else "test"
        subject = f"S{number % num_subjects}" if split == "train" else "T0"
        video = f"{number % num_subjects + 1:04d}" if split == "train" else "0054"
        label = [0, 0, 1, 2, 0, 3, 1][number % 7]
        num_frames = 1 if number == 1 else int(rng.integers(8, 40))
        clip = _person(label, num_frames, rng)
        if number == 2:
            clip[:] = 0
        index = per_video.get(video, 0)
        per_video[video] = index + 1
        rows.append(
            (
                *(f"{video}_{index}", video, subject, split, split, label if split == "train" else -1),
                *(0, num_frames, offset, 1280, 720, 25.0, "", 0, number != 2),
            )
        )
        joints.append(clip)
        offset += num_frames
    table = pd.DataFrame(rows, columns=list(CLIP_COLUMNS)).sort_values("clip_id", ignore_index=True)
    for video in sorted(per_video):
        first = table[table.video_id == video].iloc[0]
        videos.append((video, first.subject_id, first.split, first.split, 40, 0, 1280, 720, 25.0, ""))
    meta = {
        "skeleton": IMIGUE_22.to_dict(),
        "classes": list(CLASSES),
        "mirror": list(range(len(CLASSES))),
        "content_sha256": f"tiny-{seed}-{num_train}",
    }
    return Clips(
        table=table,
        videos=pd.DataFrame(videos, columns=list(VIDEO_COLUMNS)),
        joints=np.concatenate(joints),
        skeleton=IMIGUE_22,
        classes=CLASSES,
        meta=meta,
        mirror=np.arange(len(CLASSES)),
    )


def _person(label: int, num_frames: int, rng: np.random.Generator) -> np.ndarray:
    """(T, 1, 22, 3): a still upper body whose arm b circles."""
    joints = np.zeros((num_frames, 1, 22, 3), np.float32)
    joints[..., 2] = 0.9
    base = np.array(
        [(0, -60), (0, 0), (-60, 0), (-80, 80), (-60, 150), (60, 0), (80, 80), (60, 150), (-15, -70), (15, -70)]
        + [(-30, -65), (30, -65)]
        + [(60 + 5 * i, 165) for i in range(5)]
        + [(-60 - 5 * i, 165) for i in range(5)],
        np.float32,
    )
    joints[:, 0, :, :2] = base * rng.uniform(0.8, 1.2) + rng.uniform(300, 600, 2)
    if label < 3:
        angle = np.arange(num_frames) * (0.15 + 0.35 * label) + rng.uniform(0, 6)
        circle = 40 * np.stack([np.cos(angle), np.sin(angle)], -1)
        joints[:, 0, [6, 7, 12, 13, 14, 15, 16], :2] += circle[:, None]
    joints[:, 0, :, :2] += rng.normal(0, 1, (num_frames, 22, 2))
    missing = rng.random((num_frames, 22)) < 0.05
    joints[:, 0][missing] = 0
    return joints


def write_clips(clips: Clips, run: str, track: str = "track1") -> None:
    """Write clips as recordings.prepare would, below the current directory."""
    folder = clips_dir(run, track)
    folder.mkdir(parents=True)
    clips.table.to_csv(folder / "clips.csv", index=False)
    clips.videos.to_csv(folder / "videos.csv", index=False)
    np.save(folder / "joints.npy", clips.joints)
    write_json(folder / "meta.json", clips.meta)
