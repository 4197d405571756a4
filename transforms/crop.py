"""Cropping, resizing and mirroring of joints, as one does with pictures, and without the pictures.

Joints are (..., V, 3) arrays: x and y in pixels, and a score. A joint whose score is zero is missing; its three numbers
are zero and stay zero through every step.

Sizes are (height, width), boxes (left, top, right, bottom) in whole pixels, right and bottom exclusive.
Source: PoseConv3D (arXiv 2104.13586), section 3.2 and its appendix; the constants and the rounding are those of pyskl,
pyskl/datasets/pipelines/augmentations.py.
"""

import math

import numpy as np
from numpy.typing import NDArray

Size = tuple[int, int]
Box = tuple[int, int, int, int]

PADDING = 0.25  # the tight box grows by a quarter in both directions
MIN_EXTENT = 10.0  # pixels; a person smaller than this is not worth a crop, the whole picture is kept
CROP_TRIES = 10


def is_present(joints: NDArray) -> NDArray[np.bool_]:
    """Which joints were detected: (..., V, 3) to (..., V)."""
    return joints[..., 2] > 0


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


def map_to_frame(joints: NDArray, box: Box, size: Size) -> NDArray[np.float32]:
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
