"""One clip that nobody prepared: its joints, its video or both, brought into the form of prepared recordings."""

from collections.abc import Iterator
from contextlib import chdir, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from miga.clips import CLIP_COLUMNS, VIDEO_COLUMNS, Clips, load_clips
from miga.errors import InputError
from miga.files import write_json
from miga.paths import clips_dir
from miga.person_box import clean_joints
from miga.skeletons import Skeleton
from miga.training.inputs import JOINTS, RGB
from predict.shipped import Shipped
from recordings.frames import probe
from spotting.live_input import frames_of_file

RUN = "clip"  # of the temporary recordings


@dataclass(frozen=True)
class Given:
    """What is known of a clip.

    joints: (T, M, V, 3) float32, zeros where there are none. video: a file or a folder of images; None without.
    size: (height, width) of the picture that the joints lie in. fps: frames a second. notes: a sentence each.
    """

    joints: np.ndarray
    video: Path | None
    size: tuple[int, int]
    fps: float
    notes: tuple[str, ...] = ()

    @property
    def num_frames(self) -> int:
        return len(self.joints)

    @property
    def is_seen(self) -> bool:
        """Whether some joint of somebody is seen."""
        return bool((self.joints[..., 2] > 0).any())

    @property
    def inputs(self) -> frozenset[str]:
        return frozenset([JOINTS] * self.is_seen + [RGB] * (self.video is not None))


def read_given(
    video: Path | None, joints: Path | None, skeleton: Skeleton, size: tuple[int, int] | None,
    run_size: tuple[int, int], run_fps: float,
) -> Given:  # fmt: skip
    """Read the joints, and look at the video.

    Args:
        size: (height, width) of the picture that the joints lie in; None: of the video, or without one `run_size`.
    Raises:
        InputError: a file is missing, unreadable, in another layout, or has other frames than the other.
    """
    info = None if video is None else probe(video)
    read = None if joints is None else read_joints(joints, skeleton)
    if info and read is not None and len(read) != info.num_frames:
        raise InputError(
            f"{joints}: {len(read)} frames, but {video} has {info.num_frames}; expected the joints of every frame of it"
        )
    if read is None:
        assert info is not None
        read = np.zeros((info.num_frames, 1, skeleton.num_joints, 3), np.float32)
    picture = (info.height, info.width) if info else run_size
    fps = info.fps if info and info.fps > 0 else run_fps
    given = Given(read, None if video is None else video.resolve(), size or picture, fps)
    seen_at = read[read[..., 2] > 0][:, :2]
    notes = []
    if joints is not None and not given.is_seen:
        notes.append(f"{joints}: nobody is in view in any frame")
    if len(seen_at) and (seen_at.max() <= 2 or (seen_at > 2 * np.array(given.size[::-1])).any()):
        notes.append(
            f"{joints}: the joints reach {seen_at.max():.4g}, the picture is {given.size[1]}x{given.size[0]} pixels; "
            "expected pixels of it: give --joint-size WxH"
        )
    return replace(given, notes=tuple(notes))


def read_joints(path: Path, skeleton: Skeleton) -> np.ndarray:
    """(T, M, V, 3) float32 of an npy or csv file; a joint that is not seen is zeros.

    Raises:
        InputError: no such file, no frame, or other joints than those of the skeleton.
    """
    try:
        frames = list(frames_of_file(path, skeleton.num_joints))
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: no csv of numbers ({error.reason})") from None
    except InputError as error:
        raise InputError(f"{error}; the run's skeleton is {skeleton.name} with {skeleton.num_joints} joints") from None
    if not frames:
        raise InputError(f"{path}: holds no frame; expected a row, or an entry of the first axis, for every frame")
    return clean_joints(np.stack(frames))


def persons(joints: np.ndarray, num_persons: int) -> np.ndarray:
    """(T, num_persons, V, 3): those who are seen most, in their order; zeros where there are fewer."""
    if joints.shape[1] > num_persons:
        most = np.argsort(-joints[..., 2].sum((0, 2)), kind="stable")[:num_persons]
        joints = joints[:, np.sort(most)]
    missing = num_persons - joints.shape[1]
    return np.pad(joints, ((0, 0), (0, missing), (0, 0), (0, 0)))


@contextmanager
def as_prepared(given: Given, shipped: Shipped) -> Iterator[Clips]:
    """The clip as track 1 of a run of its own, in a temporary folder that is the working folder meanwhile."""
    height, width = given.size
    video = ("clip", "", "train", "train", given.num_frames, 0, width, height, given.fps, str(given.video or ""))
    clip = (
        *("clip", "clip", "", "train", "train", 0, 0, given.num_frames, 0),
        *(width, height, given.fps, str(given.video or ""), 0, given.is_seen),
    )
    meta = {
        "skeleton": shipped.skeleton.to_dict(),
        "classes": list(shipped.classes),
        "mirror": None if shipped.mirror is None else shipped.mirror.tolist(),
        "content_sha256": "one clip",
    }
    with TemporaryDirectory() as place, chdir(place):
        folder = clips_dir(RUN, "track1")
        folder.mkdir(parents=True)
        pd.DataFrame([clip], columns=list(CLIP_COLUMNS)).to_csv(folder / "clips.csv", index=False)
        pd.DataFrame([video], columns=list(VIDEO_COLUMNS)).to_csv(folder / "videos.csv", index=False)
        np.save(folder / "joints.npy", persons(given.joints, shipped.num_persons))
        write_json(folder / "meta.json", meta)
        yield load_clips(RUN, "track1")
