"""A clip as one row of numbers: where the joints are, how they move, how far they are from each other.

Positions are relative to the middle of the shoulders and in shoulder widths, so neither the place in the picture nor
the distance from the camera counts.
"""

import numpy as np
from numpy.typing import NDArray

from miga.skeletons import Skeleton
from miga.transforms.crop import is_present
from miga.transforms.joints import fill_gaps, normalise_by_body, resize_time


def clip_features(joints: NDArray[np.float32], skeleton: Skeleton, num_steps: int) -> NDArray[np.float32]:
    """The numbers of a clip.

    A point that is missing in a frame stays where it was last seen; one that is never seen is at the origin.

    Args:
        joints: (T, M, V, 3) pixels and scores.
        num_steps: S, frames that the clip is resized to.
    Returns:
        (F,) float32: of each person S positions and S - 1 steps of every joint; how often it is seen, its mean,
        spread, range and speed; distances between any two parts at every other step, their mean, spread, smallest and
        largest; and the logarithm of T.
    """
    people = [_of_person(joints[:, person : person + 1], skeleton, num_steps) for person in range(joints.shape[1])]
    return np.concatenate([*people, [np.log(len(joints))]]).astype(np.float32)


def _of_person(joints: NDArray[np.float32], skeleton: Skeleton, num_steps: int) -> NDArray[np.float32]:
    seen = is_present(joints)[:, 0]  # (T, V)
    every = fill_gaps(in_shoulder_widths(joints, skeleton)[:, 0, :, :2], seen)  # (T, V, 2)
    scored = np.concatenate([every, np.ones_like(every[..., :1])], axis=-1)
    few = resize_time(scored[:, None], num_steps)[:, 0, :, :2]  # (S, V, 2)
    speed = np.abs(np.diff(every, axis=0)).mean(axis=0) if len(every) > 1 else np.zeros_like(every[0])  # a frame
    apart = distances(few, parts_of(skeleton))  # (S, P)
    blocks = [few, np.diff(few, axis=0), seen.mean(axis=0), few.mean(axis=0), few.std(axis=0), np.ptp(few, axis=0)]
    blocks += [speed, apart[::2], apart.mean(axis=0), apart.std(axis=0), apart.min(axis=0), apart.max(axis=0)]
    return np.concatenate([block.ravel() for block in blocks])


def in_shoulder_widths(joints: NDArray[np.float32], skeleton: Skeleton) -> NDArray[np.float32]:
    """Joints relative to the shoulders' median middle, by their median distance; both over the clip.

    A clip in which no frame has both shoulders, or a layout without, is put into the units of
    `miga.transforms.joints.normalise_by_body`.

    Args:
        joints: (T, 1, V, 3) of one person; missing points stay 0.
    """
    present, pair = is_present(joints), skeleton.shoulders
    both = present[:, :, list(pair)].all(axis=-1) if pair else np.zeros(joints.shape[:2], bool)
    if not both.any():
        return normalise_by_body(joints, skeleton)
    ends = joints[both][:, list(pair), :2]  # (n, 2, 2)
    width = max(float(np.median(np.linalg.norm(ends[:, 0] - ends[:, 1], axis=-1))), 1.0)  # pixels
    out = joints.copy()
    out[..., :2] = (joints[..., :2] - np.median(ends.mean(axis=1), axis=0)) / width
    return out * present[..., None]


def parts_of(skeleton: Skeleton) -> list[list[int]]:
    """Joints by their name without the number behind it: the fingers of a hand, the points of a face are one part."""
    parts: dict[str, list[int]] = {}
    for joint, name in enumerate(skeleton.joints):
        parts.setdefault(name.rstrip("0123456789") or name, []).append(joint)
    return list(parts.values())


def distances(positions: NDArray[np.float32], parts: list[list[int]]) -> NDArray[np.float32]:
    """(S, V, 2) -> (S, P): the distance between the middles of any two parts."""
    middles = np.stack([positions[:, part].mean(axis=1) for part in parts], axis=1)
    first, second = np.triu_indices(len(parts), 1)
    return np.linalg.norm(middles[:, first] - middles[:, second], axis=-1)
