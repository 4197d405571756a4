"""Views: the same movement mirrored, turned, stretched, nearer, or faster.

One set of changes serves both stages: a random view for each training clip of the extractor, and a few fixed views of
each training video for the detector, which sees only tokens and could not augment them itself.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from miga.transforms.crop import is_present


@dataclass(frozen=True)
class View:
    """How the keypoints of a clip are changed, about the middle of the heatmap."""

    mirror: bool = False
    speed: float = 1.0  # above 1: faster, so that fewer frames show the same movement
    rotation: float = 0.0  # radians
    zoom: float = 1.0  # above 1: the person is larger
    aspect: float = 1.0  # width over height
    shift: tuple[float, float] = (0.0, 0.0)  # x, y as shares of the heatmap


def random_view(rng: np.random.Generator, strength: float = 1.0, may_mirror: bool = True) -> View:
    """Draw a view; at strength 1 about 6 degrees, 10 % in size, 8 % in shape, 20 % in speed, 3 % in place."""
    mirror = bool(rng.random() < 0.5) and may_mirror
    speed, rotation, zoom, aspect, x, y = strength * np.array([0.2, 0.1, 0.1, 0.08, 0.03, 0.03]) * rng.normal(size=6)
    return View(mirror, float(np.exp(speed)), float(rotation), float(np.exp(zoom)), float(np.exp(aspect)), (x, y))


def video_view(number: int, seed: int, may_mirror: bool = True) -> View:
    """View `number` of every training video: 0 plain, 1 mirrored (both also used in prediction), the others random.

    Where the classes of mirrored gestures are unknown (`may_mirror` false) no view is mirrored: number 1 is random too.
    """
    if number == 0 or (number == 1 and may_mirror):
        return View(mirror=number == 1)
    return random_view(np.random.default_rng([seed, number]), may_mirror=may_mirror)


def change_keypoints(keypoints: NDArray, view: View, size: int, flip_index: NDArray[np.int64]) -> NDArray[np.float32]:
    """Apply a view to joints in heatmap pixels.

    Args:
        keypoints: (..., V, 3) x, y, score. Missing joints (score 0) stay zero.
        size: side of the heatmap. Mirroring takes pixel i to pixel size - 1 - i.
        flip_index: (V,) joint i of the mirrored person is joint flip_index[i] of the original.
    """
    changed = keypoints[..., flip_index, :].copy() if view.mirror else keypoints.copy()
    middle = (size - 1) / 2
    x, y = changed[..., 0] - middle, changed[..., 1] - middle
    if view.mirror:
        x = -x
    x, y = x * view.zoom * view.aspect**0.5, y * view.zoom / view.aspect**0.5
    cos, sin = np.cos(view.rotation), np.sin(view.rotation)
    changed[..., 0] = cos * x - sin * y + middle + view.shift[0] * size
    changed[..., 1] = sin * x + cos * y + middle + view.shift[1] * size
    changed[~is_present(changed)] = 0
    return changed.astype(np.float32)


def resampled_frames(num_frames: int, speed: float) -> NDArray[np.int64]:
    """Frames that show a video at another speed: (max(1, num_frames / speed),) indexes in order."""
    count = max(1, round(num_frames / speed))
    return np.minimum(np.rint(np.arange(count) * speed).astype(np.int64), num_frames - 1)
