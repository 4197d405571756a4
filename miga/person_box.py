"""The square around a person: which part of a picture the joints of a clip say is worth looking at.

Joints are (..., V, 3) arrays: x and y in pixels, and a score. A joint whose score is zero is missing; its three numbers
are zero. Sizes are (height, width), boxes (left, top, right, bottom) in whole pixels, right and bottom exclusive.
Source: PoseConv3D (arXiv 2104.13586), section 3.2 and its appendix; the constants and the rounding are those of pyskl,
pyskl/datasets/pipelines/augmentations.py.
"""

import numpy as np
from numpy.typing import NDArray

Size = tuple[int, int]
Box = tuple[int, int, int, int]

PADDING = 0.25  # the tight box grows by a quarter in both directions
MIN_EXTENT = 10.0  # pixels; a person smaller than this is not worth a crop, the whole picture is kept


def is_present(joints: NDArray) -> NDArray[np.bool_]:
    """Which joints were detected: (..., V, 3) to (..., V)."""
    return joints[..., 2] > 0


def clean_joints(joints: NDArray) -> NDArray[np.float32]:
    """Zero the whole joint where a detector left it at the origin, without a score, or not a number."""
    joints = np.array(joints, dtype=np.float32)
    lost = ~is_present(joints) | ~(joints[..., :2] != 0).any(-1) | ~np.isfinite(joints).all(-1)
    joints[lost] = 0
    return joints


def compact_box(joints: NDArray, image_size: Size, padding: float = PADDING) -> Box:
    """Find the square around all detected joints of all frames and persons, with some air.

    Args:
        joints: (T, M, V, 3).
        image_size: (height, width) of the picture the joints lie in.
        padding: share by which the tight box is enlarged.
    Returns:
        The box; it may reach outside the picture. The whole picture when the joints span less than 10 pixels in
        either direction, or none is detected.
    """
    xy = joints[is_present(joints)][:, :2]
    if len(xy) == 0 or (np.ptp(xy, axis=0) < MIN_EXTENT).any():
        return 0, 0, image_size[1], image_size[0]
    low, high = xy.min(axis=0).astype(float), xy.max(axis=0).astype(float)
    centre = (low + high) / 2
    half = ((high - low) / 2 * (1 + padding)).max()
    left, top = centre - half
    right, bottom = centre + half
    return int(left), int(top), int(right), int(bottom)  # towards zero, as pyskl does


def visible_square(joints: NDArray, image_size: Size) -> Box:
    """The compact box of the joints that lie inside the picture, for cutting pictures; always a square.

    A joint that was guessed outside the picture has no pixels to show, so it does not enlarge the box. Where the
    compact box is the whole picture, the square around the picture's middle that holds all of it.

    Args:
        joints: (T, M, V, 3) of a whole clip, as they come from the clip table; lost joints may hold anything.
        image_size: (height, width) of the picture the joints lie in.
    """
    joints = clean_joints(joints)
    inside = (joints[..., :2] >= 0).all(-1) & (joints[..., :2] < image_size[::-1]).all(-1)
    left, top, right, bottom = compact_box(joints * np.expand_dims(inside, -1), image_size)
    side = max(right - left, bottom - top)
    left, top = (left + right - side) // 2, (top + bottom - side) // 2
    return left, top, left + side, top + side
