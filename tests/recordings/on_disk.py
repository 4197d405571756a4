"""Write small recordings in the layouts of the challenge, for the tests of the readers."""

import pickle
from collections.abc import Iterable
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from miga.errors import InputError
from recordings.prepare import main


def person(num_frames: int, num_points: int = 35, seed: int = 0) -> np.ndarray:
    """(T, 35, 3) an OpenPose person in 1280x720 with the first finger group at wrist 7, the second at wrist 4."""
    rng = np.random.default_rng([num_frames, seed])
    points = np.stack(
        [rng.uniform(300, 900, (num_frames, num_points)), rng.uniform(100, 700, (num_frames, num_points))], axis=-1
    )
    points[:, 4], points[:, 7] = (400, 600), (800, 600)
    points[:, 25:30] = points[:, 7:8] + rng.uniform(-20, 20, (num_frames, 5, 2))
    points[:, 30:35] = points[:, 4:5] + rng.uniform(-20, 20, (num_frames, 5, 2))
    return np.concatenate([points, np.full((num_frames, num_points, 1), 0.9)], axis=-1)


def write_rows(path: Path, rows: Iterable[Iterable]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(",".join(f"{v:g}" if isinstance(v, float) else str(v) for v in row) + "\n" for row in rows))
    return path


def write_imigue_video(
    root: Path, part: str, video_id: str, points: np.ndarray, labels: list[tuple[int, int, int]] | None
) -> Path:
    """Write NNNN_light_hand.csv (a running number and 105 values a row) and, unless None, NNNN_label.csv."""
    folder = root / f"imigue_skeleton_{part}" / video_id
    rows = ([number, *map(float, frame.reshape(-1))] for number, frame in enumerate(points))
    write_rows(folder / f"{video_id}_light_hand.csv", rows)
    if labels is not None:
        write_rows(folder / f"{video_id}_label.csv", labels)
    return folder


def write_imigue(root: Path) -> Path:
    """Two training videos, one for validation, one test video: 7 clips, among them one of one frame."""
    write_imigue_video(root, "train", "0001", person(60), [(1, 0, 19), (99, 20, 40), (31, 41, 41)])
    write_imigue_video(root, "train", "0002", person(40, seed=1), [(1, 5, 30)])
    write_imigue_video(root, "validate", "0003", person(40, seed=2), [(2, 0, 39)])
    write_imigue_video(root, "test", "0054", person(50, seed=3), [(2, 0, 9), (99, 10, 49)])
    return root


def kinect(num_frames: int, seed: int = 0) -> np.ndarray:
    """(T, 25, 11) SMG values: metres, no orientation, pixels of a 1920x1080 picture."""
    rng = np.random.default_rng([num_frames, seed])
    values = np.zeros((num_frames, 25, 11))
    values[..., :3] = rng.uniform(0.5, 2, (num_frames, 25, 3))
    values[..., 7] = rng.uniform(600, 1300, (num_frames, 25))
    values[..., 8] = rng.uniform(100, 1000, (num_frames, 25))
    return values


def write_smg_video(
    root: Path, video_id: str, values: np.ndarray, labels: list[tuple[int, int, int]] | None, fps: int = 28
) -> Path:
    folder = root / video_id
    write_rows(folder / f"{video_id}_skeleton.csv", (map(float, frame.reshape(-1)) for frame in values))
    write_rows(folder / f"{video_id}_data.csv", [(len(values), fps, 4000)])
    if labels is not None:
        write_rows(folder / f"{video_id}_finelabels.csv", labels)
    return folder


def write_smg(root: Path) -> Path:
    """Two training sequences and one test sequence by the official numbers."""
    write_smg_video(root, "Sample0001", kinect(50), [(1, 1, 10), (17, 20, 50)])
    write_smg_video(root, "Sample0002", kinect(60, seed=1), [(2, 5, 9)])
    write_smg_video(root, "Sample0036", kinect(30, seed=2), [(1, 2, 30)])
    return root


def pyskl_content(num_clips: int = 6, num_joints: int = 22, num_persons: int = 1) -> dict:
    """Clips a_0 ... with labels 0, 1, 0, ...; the last two are the test."""
    rng = np.random.default_rng(7)
    names = [f"a_{number}" for number in range(num_clips)]
    annotations = [
        {
            "frame_dir": name,
            "label": number % 2,
            "total_frames": 5 + number,
            "img_shape": (720, 1280),
            "original_shape": (720, 1280),
            "keypoint": rng.uniform(1, 700, (num_persons, 5 + number, num_joints, 2)).astype(np.float16),
            "keypoint_score": np.full((num_persons, 5 + number, num_joints), 0.5, np.float16),
        }
        for number, name in enumerate(names)
    ]
    return {"split": {"train": names[:-2], "test": names[-2:]}, "annotations": annotations}


def write_pickle(path: Path, content: object, protocol: int = 4) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(content, protocol))
    return path


def write_video(path: Path, num_frames: int, size: tuple[int, int] = (64, 48), options: dict | None = None) -> Path:
    """An H.264 video (or what the suffix wants) whose frame i has the grey value 16 + 7 i (mod 200)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    codec = {".webm": "libvpx-vp9", ".avi": "mpeg4"}.get(path.suffix, "libx264")
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options or {})
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        for number in range(num_frames):
            picture = np.full((size[1], size[0], 3), 16 + 7 * number % 200, np.uint8)
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path


def write_picture(path: Path, grey: int = 100) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((48, 64, 3), grey, np.uint8))
    return path


def replace_line(path: Path, line: int, text: str) -> None:
    """Overwrite line `line` (from 1)."""
    lines = path.read_text().splitlines()
    lines[line - 1] = text
    path.write_text("\n".join(lines) + "\n")


def fails(*options: str, track: str = "track1", path: str = "data") -> str:
    """Prepare recordings, expect bad input and nothing written; returns the message."""
    with pytest.raises(InputError) as caught:
        main(["--run", "r", f"--{track}", path, *options])
    assert not list(Path().glob("clips/*/*"))
    return str(caught.value)
