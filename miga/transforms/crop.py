"""Cropping, resizing and mirroring of joints, as one does with pictures, and without the pictures.

Joints are (..., V, 3) arrays: x and y in pixels, and a score. A joint whose score is zero is missing; its three numbers
are zero and stay zero through every step.

Sizes are (height, width), boxes (left, top, right, bottom), right and bottom exclusive; the box around a person comes
from miga.person_box.
Source: PoseConv3D (arXiv 2104.13586), section 3.2 and its appendix; the constants and the rounding are those of pyskl,
pyskl/datasets/pipelines/augmentations.py.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from miga.person_box import Box, Size, is_present

CROP_TRIES = 10


def random_resized_crop(
    size: Size,
    rng: np.random.Generator,
    area: tuple[float, float] = (0.56, 1.0),
    aspect: tuple[float, float] = (3 / 4, 4 / 3),
) -> Box:
    """Draw a box of random area, shape and place inside a picture.

    Args:
        size: (height, width) of the picture.
        rng: source of randomness.
        area: range of the share of the picture's area, drawn uniformly.
        aspect: range of width / height, drawn uniformly in its logarithm.
    Returns:
        The first of ten draws that fits, else the largest square in the middle.
    """
    height, width = size
    shapes = np.exp(rng.uniform(math.log(aspect[0]), math.log(aspect[1]), CROP_TRIES))
    areas = rng.uniform(*area, CROP_TRIES) * (height * width)
    widths = np.round(np.sqrt(areas * shapes)).astype(int)
    heights = np.round(np.sqrt(areas / shapes)).astype(int)
    fits = np.flatnonzero((widths <= width) & (heights <= height) & (widths > 0) & (heights > 0))
    if len(fits) == 0:
        side = min(height, width)
        left, top = (width - side) // 2, (height - side) // 2
        return left, top, left + side, top + side
    crop_width, crop_height = int(widths[fits[0]]), int(heights[fits[0]])
    left = int(rng.integers(width - crop_width + 1))
    top = int(rng.integers(height - crop_height + 1))
    return left, top, left + crop_width, top + crop_height


def short_side_size(size: Size, short_side: int) -> Size:
    """The size of a picture after it was scaled so that its shorter side measures `short_side` pixels."""
    scale = short_side / min(size)
    return int(size[0] * scale + 0.5), int(size[1] * scale + 0.5)


def map_to_frame(joints: NDArray, box: Sequence[float], size: Size) -> NDArray[np.float32]:
    """Move joints (..., V, 3) into a frame of `size` pixels that shows the contents of `box`.

    Returns:
        A new float32 array; a joint outside the box lies outside the frame, a missing one stays zero.
    Raises:
        ValueError: the box is empty.
    """
    left, top, right, bottom = box
    if right <= left or bottom <= top:
        raise ValueError(f"a box needs a width and a height, got {box}")
    moved = joints.astype(np.float32)
    moved[..., 0] = (moved[..., 0] - left) * (size[1] / (right - left))
    moved[..., 1] = (moved[..., 1] - top) * (size[0] / (bottom - top))
    moved[~is_present(joints)] = 0
    return moved


def flip_joints(joints: NDArray, width: float, flip_index: NDArray[np.int64]) -> NDArray[np.float32]:
    """Mirror joints (..., V, 3) left to right: x becomes width - x, and left and right joints change places.

    Args:
        joints: any leading shape; missing joints stay zero.
        width: of the frame in pixels. (With width - 1 the drawn heatmaps are mirrored pixel by pixel.)
        flip_index: (V,) joint i of the mirrored person is joint flip_index[i] of the original.
    """
    flipped = joints[..., flip_index, :].astype(np.float32)
    flipped[..., 0] = np.where(is_present(flipped), width - flipped[..., 0], 0)
    return flipped
