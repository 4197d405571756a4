"""What is measured over all joints of a data set while they stream past: fingers and missing points."""

import numpy as np

from miga.skeletons import Skeleton

WRIST_A, WRIST_B = 4, 7
FIRST_FINGERS, SECOND_FINGERS = slice(12, 17), slice(17, 22)


class JointStatistics:
    """Add videos one by one, then ask. For the 22-joint layout it also votes on the finger groups."""

    def __init__(self, skeleton: Skeleton, measure_fingers: bool):
        self._measures_fingers = measure_fingers
        self._num_present = 0
        self._num_points = 0
        self.num_straight = 0
        self.num_swapped = 0

    def add(self, joints: np.ndarray) -> None:
        """joints: (T, M, V, 3) of one video."""
        is_seen = (joints[..., 2] > 0).any(axis=(0, 2))  # (M,), padding persons do not count as missing
        points = joints[:, is_seen] if is_seen.any() else joints[:, :1]
        is_present = points[..., 2] > 0
        self._num_points += is_present.size
        self._num_present += int(is_present.sum())
        if self._measures_fingers:
            self._vote(joints.reshape(-1, *joints.shape[2:]))

    def _vote(self, joints: np.ndarray) -> None:
        """joints: (N, 22, 3). A video votes by the majority of its (frame, hand) pairs."""
        wrists = joints[:, (WRIST_A, WRIST_B)]  # (N, 2, 3)
        has_wrists = (wrists[..., 2] > 0).all(1)
        num_near_a, num_near_b = [], []
        for fingers in (FIRST_FINGERS, SECOND_FINGERS):
            hand = joints[:, fingers]
            weight = (hand[..., 2] > 0).astype(np.float32)[..., None]
            count = weight.sum(1)  # (N, 1)
            middle = (hand[..., :2] * weight).sum(1) / np.maximum(count, 1)
            distance = np.linalg.norm(wrists[..., :2] - middle[:, None], axis=-1)  # (N, 2)
            counts = has_wrists & (count[:, 0] > 0)
            num_near_a.append(int((counts & (distance[:, 0] < distance[:, 1])).sum()))
            num_near_b.append(int((counts & (distance[:, 1] < distance[:, 0])).sum()))
        straight = num_near_b[0] + num_near_a[1]
        swapped = num_near_a[0] + num_near_b[1]
        self.num_straight += straight > swapped
        self.num_swapped += swapped > straight

    @property
    def fingers_swapped(self) -> bool:
        """True when the first finger group belongs to wrist 4, and the groups must change places."""
        return self.num_swapped > self.num_straight

    @property
    def missing_share(self) -> float:
        return 1.0 - self._num_present / max(self._num_points, 1)
