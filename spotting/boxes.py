"""The square box that the heatmaps of an 8-frame clip show, chosen over more frames than the clip has.

A box fitted to eight frames would zoom with every movement; one over the whole video (published) keeps one scale but
shrinks a person who walks about. `box_frames` chooses between the two.
"""

import warnings

import numpy as np
from numpy.typing import NDArray

from miga.person_box import MIN_EXTENT, PADDING, Size, is_present


def frame_bounds(joints: NDArray) -> NDArray[np.float64]:
    """Tight bounds of the people in each frame: (T, M, V, 3) to (T, 4) left, top, right, bottom; NaN when nobody is."""
    is_seen = is_present(joints)
    bounds = []
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="All-NaN")
        for best in (np.nanmin, np.nanmax):
            for axis in (0, 1):
                values = np.where(is_seen, joints[..., axis], np.nan).reshape(len(joints), -1)
                bounds.append(best(values, axis=1))
    left, top, right, bottom = bounds
    return np.stack([left, top, right, bottom], axis=1).astype(np.float64)


def clip_boxes(
    bounds: NDArray, starts: NDArray[np.int64], clip_len: int, box_frames: int, image_size: Size
) -> NDArray[np.float64]:
    """One square box a clip.

    Args:
        bounds: (T, 4) of `frame_bounds`.
        starts: (N,) first frames of the clips.
        clip_len: frames of a clip.
        box_frames: the box holds everybody within that many frames around the clip's middle; 0 = the whole video.
        image_size: (height, width), the box where nobody is seen or the person spans less than 10 pixels.
    Returns:
        (N, 4) left, top, right, bottom in pixels; square, except for the whole picture.
    """
    if box_frames == 0:
        return np.repeat(_square(bounds, image_size)[None], len(starts), axis=0)
    middle = np.asarray(starts) + clip_len // 2
    first = np.minimum(starts, middle - box_frames // 2)
    last = np.maximum(np.asarray(starts) + clip_len, middle + box_frames // 2)
    return np.stack([_square(bounds[max(0, a) : b], image_size) for a, b in zip(first, last, strict=True)])


def _square(bounds: NDArray, image_size: Size) -> NDArray[np.float64]:
    """The square with a quarter of air around all bounds."""
    seen = bounds[~np.isnan(bounds[:, 0])]
    if len(seen):
        low, high = seen[:, :2].min(axis=0), seen[:, 2:].max(axis=0)
        if (high - low >= MIN_EXTENT).all():
            half = ((high - low) / 2 * (1 + PADDING)).max()
            centre = (low + high) / 2
            return np.concatenate([centre - half, centre + half])
    return np.array([0.0, 0.0, image_size[1], image_size[0]])
