"""The file of a video's joints: written by `recordings.pose`, read by what makes a data set of them."""

from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from miga.errors import InputError
from miga.files import replacing
from miga.skeletons import OPENPOSE_137


@dataclass(frozen=True)
class PoseFile:
    """joints: (T, 137, 3) float32, x, y in pixels and score; source: what they were made from and how."""

    joints: np.ndarray
    width: int
    height: int
    fps: float
    source: str


def write_pose(path: Path, pose: PoseFile) -> None:
    """The same joints give the same bytes."""
    with replacing(path) as temporary:
        np.savez(
            temporary,
            joints=pose.joints,
            size=np.array([pose.width, pose.height]),
            fps=np.array(pose.fps),
            source=np.array(pose.source),
        )


def read_pose(path: Path) -> PoseFile:
    """
    Raises:
        InputError: the file is missing, cut off, or holds something else.
    """
    try:
        with np.load(path, allow_pickle=False) as content:
            joints, (width, height) = content["joints"], content["size"].tolist()
            pose = PoseFile(joints, width, height, float(content["fps"]), str(content["source"]))
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise InputError(f"{path}: not a file of joints ({error}); make it with python -m recordings.pose") from error
    if joints.ndim != 3 or joints.shape[1:] != (OPENPOSE_137.num_joints, 3):
        raise InputError(f"{path}: joints are {joints.shape}, expected (frames, 137, 3); make it again")
    return pose
