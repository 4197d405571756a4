"""What the trees see of a frame: where the joints are about the shoulders, and how they moved.

Shoulders stay in the picture where hips and legs leave it, and their width does not depend on limbs that nobody saw.
Movement is measured over times, not rows: recordings of one set can have different frame rates.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from miga.skeletons import Skeleton
from miga.transforms.crop import is_present
from miga.transforms.joints import fill_gaps

STEPS = (4, 10, 20)  # rows of a video with the set's median frame rate
UNIT_WINDOW = 61  # rows over which the shoulders' width is the median: people turn and come nearer
LIMIT = 6.0  # shoulder widths; farther away a tracker has lost the joint


def frame_features(joints: NDArray, skeleton: Skeleton, rate: float = 1.0) -> tuple[NDArray[np.float32], NDArray]:
    """Describe the first person of each frame.

    Args:
        joints: (T, M, V, 3) in pixels; missing = 0, 0, 0.
        rate: frame rate of the video over the median rate of the set.
    Returns:
        (T, D) float32: places of the joints in shoulder widths, and the differences of these and of the shoulders'
        middle to the frames STEPS earlier and later, held at either end; (T,) whether anybody is there. A missing
        joint keeps its last place.
    """
    person = np.asarray(joints[:, 0], np.float32)  # (T, V, 3)
    seen = is_present(person)
    xy = fill_gaps(person[..., :2], seen)  # (T, V, 2)
    left, right = shoulders_of(skeleton)
    middle = (xy[:, left] + xy[:, right]) / 2
    width = pd.Series(np.linalg.norm(xy[:, left] - xy[:, right], axis=1))
    window = max(1, round(UNIT_WINDOW * rate))
    unit = np.maximum(width.rolling(window, center=True, min_periods=1).median().to_numpy(), 1.0)[:, None]
    pose = ((xy - middle[:, None]) / unit[..., None]).reshape(len(xy), -1).clip(-LIMIT, LIMIT)
    moving = np.concatenate([pose, middle / unit], axis=1)
    columns, rows = [pose], np.arange(len(xy))
    for step in STEPS:
        reach = max(1, round(step * rate))
        columns.append(moving - moving[np.maximum(rows - reach, 0)])
        columns.append(moving[np.minimum(rows + reach, len(rows) - 1)] - moving)
    return np.concatenate(columns, axis=1).astype(np.float32), np.asarray(seen.any(1))


def shoulders_of(skeleton: Skeleton) -> tuple[int, ...]:
    """The pair of joints that are called shoulders; without such names the pair whose joints hang on the centre."""
    pairs = list(skeleton.flip_pairs)
    named = [skeleton.shoulders] if skeleton.shoulders else []
    hanging = [pair for pair in pairs if all(skeleton.parents[joint] == skeleton.center for joint in pair)]
    return (named or hanging or pairs or [(skeleton.center, int(skeleton.limbs[0][0]))])[0]
