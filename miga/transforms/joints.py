"""Joints of a clip as geometry: resized in time, put in units, turned, mirrored, centred; bones and steps of them.

A point that was not detected (0, 0, 0) never takes part in a mean, a resizing or a shift: it stays zeros, score
included.
"""

import numpy as np
from numpy.typing import NDArray

from miga.skeletons import Skeleton
from miga.transforms.crop import is_present


def resize_time(joints: NDArray, length: int) -> NDArray[np.float32]:
    """Stretch or shrink a clip to `length` frames, linearly between the two nearest frames.

    Where only one of the two frames has the point, its position is taken as it is; where neither has, it is missing.
    With every point present this is bilinear interpolation with unaligned corners.

    Args:
        joints: (T, M, V, 3), T at least 1.
        length: frames wanted.
    Returns:
        (length, M, V, 3) float32.
    """
    num_frames = len(joints)
    if num_frames < 1 or length < 1:
        raise ValueError(f"a clip needs at least one frame before and after resizing, got {num_frames} and {length}")
    position = np.clip((np.arange(length) + 0.5) * num_frames / length - 0.5, 0, num_frames - 1)
    before = position.astype(np.int64)
    after = np.minimum(before + 1, num_frames - 1)
    share = (position - before).astype(np.float32)[:, None, None]  # (length, 1, 1)
    present = is_present(joints)  # (T, M, V)
    weight_before, weight_after = (1 - share) * present[before], share * present[after]  # 2 of (length, M, V)
    total = weight_before + weight_after
    summed = weight_before[..., None] * joints[before] + weight_after[..., None] * joints[after]
    return (summed / np.where(total > 0, total, 1)[..., None]).astype(np.float32)


def normalise(joints: NDArray[np.float32], width: float, height: float) -> NDArray[np.float32]:
    """Pixels to picture units: the centre is 0, the longer side is -1 to 1, angles stay. Missing points stay 0."""
    middle = np.array([width / 2, height / 2], dtype=np.float32)
    out = joints.copy()
    out[..., :2] = (joints[..., :2] - middle) * (2 / max(width, height))
    return out * is_present(joints)[..., None]


def normalise_by_body(joints: NDArray[np.float32], skeleton: Skeleton) -> NDArray[np.float32]:
    """Pixels to body units, so that a person far from the camera looks like one close by. Missing points stay 0.

    The median point of the clip is 0; four times the mean over the limbs of their median length in the clip is 1. The
    median leaves out the limbs of single frames that a detector threw far away.
    """
    present, parents = is_present(joints), skeleton.parents
    if not present.any():
        return joints * 0
    children = np.flatnonzero(parents != np.arange(skeleton.num_joints))
    both = present[:, :, children] & present[:, :, parents[children]]  # (T, M, E)
    lengths = np.linalg.norm(joints[:, :, children, :2] - joints[:, :, parents[children], :2], axis=-1)
    medians = limb_medians(lengths, both)
    unit = max(4 * float(np.mean(medians)), 1.0) if len(medians) else 100.0  # pixels; a lone joint has no size
    out = joints.copy()
    out[..., :2] = (joints[..., :2] - np.median(joints[present][:, :2], axis=0)) / unit
    return out * present[..., None]


def limb_medians(lengths: NDArray[np.float32], both: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Median over frames and people of each limb's length, of the limbs that were ever complete.

    One sort for all limbs; this runs for every clip of every epoch.

    Args:
        lengths: (T, M, E).
        both: (T, M, E), whether both ends are present.
    Returns:
        (up to E,).
    """
    lengths, both = lengths.reshape(-1, lengths.shape[-1]), both.reshape(-1, both.shape[-1])
    counts = both.sum(axis=0)  # (E,)
    ordered = np.sort(np.where(both, lengths, np.inf), axis=0)
    lower, upper = ((counts - 1) // 2).clip(min=0), counts // 2
    limbs = np.flatnonzero(counts > 0)
    return (ordered[lower[limbs], limbs] + ordered[upper[limbs], limbs]) / 2


def turn(joints: NDArray[np.float32], angle: float, scale: float = 1.0) -> NDArray[np.float32]:
    """Rotate by `angle` radians about the origin, and scale. Missing points stay 0."""
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    out = joints.copy()
    out[..., :2] = joints[..., :2] @ np.array([[cos, sin], [-sin, cos]], dtype=np.float32)
    return out


def mirror(joints: NDArray[np.float32], skeleton: Skeleton) -> NDArray[np.float32]:
    """Change left and right about the vertical axis x = 0."""
    out = joints[..., skeleton.flip_index, :].copy()
    out[..., 0] *= -1
    return out


def center_on_joint(joints: NDArray[np.float32], center: int) -> NDArray[np.float32]:
    """Give every joint relative to the centre joint of its frame; the centre's own slot keeps its trajectory.

    A person whose centre is missing in a frame is centred where the centre was last seen, or first will be; one whose
    centre is never seen is left as it is.

    Args:
        joints: (T, M, V, 3).
    Returns:
        (T, M, V, 3); missing points stay 0.
    """
    present = is_present(joints)  # (T, M, V)
    path = fill_gaps(joints[:, :, center, :2], present[:, :, center])  # (T, M, 2)
    out = joints.copy()
    others = np.arange(joints.shape[2]) != center
    out[:, :, others, :2] -= path[:, :, None]
    return out * present[..., None]


def fill_gaps(path: NDArray[np.float32], present: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Hold each person's last seen position through gaps, and the first seen one before it.

    Args:
        path: (T, M, 2).
        present: (T, M).
    Returns:
        (T, M, 2); zeros for a person who is never seen.
    """
    frames = np.arange(len(path))[:, None]
    last = np.maximum.accumulate(np.where(present, frames, -1), axis=0)  # (T, M)
    first = present.argmax(axis=0)  # (M,)
    source = np.where(last < 0, first, last)
    return np.take_along_axis(path, source[..., None], axis=0) * np.expand_dims(present.any(axis=0), 1)


def bones(joints: NDArray[np.float32], skeleton: Skeleton, keep_path: bool = False) -> NDArray[np.float32]:
    """(T, M, V, 3) -> (T, M, V, 2): child minus parent; 0 where either is missing.

    The centre has no bone: its slot is 0, or with `keep_path` its position (Hyperformer's feeders keep it).
    """
    present, parents = is_present(joints), skeleton.parents
    both = present & present[:, :, parents]
    difference = (joints[..., :2] - joints[:, :, parents, :2]) * both[..., None]
    difference[:, :, skeleton.center] = joints[:, :, skeleton.center, :2] if keep_path else 0
    return difference


def motion(joints: NDArray[np.float32]) -> NDArray[np.float32]:
    """(T, M, V, 3) -> (T, M, V, 2): the step to the next frame; 0 in the last and where either is missing."""
    present = is_present(joints)
    step = np.zeros_like(joints[..., :2])
    step[:-1] = (joints[1:, ..., :2] - joints[:-1, ..., :2]) * (present[1:] & present[:-1])[..., None]
    return step
