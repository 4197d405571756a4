"""One hand of a person whose body is known: where the body points to, looked at again, then followed.

Sources: MediaPipe Hands (arXiv 2006.10214) and the graphs `hand_landmarks_from_pose_cpu`, `hand_recrop_by_roi_cpu`,
`hand_landmarks_to_roi`; their constants are kept; the thresholds of following are those of
`RoiTrackingCalculator`'s example.
"""

import numpy as np

from recordings.pose.networks import Network
from recordings.pose.roi import DOWN, UP, Roi, angle_between, around_circle, around_points, may_go_on

NUM_POINTS = 21
# Landmarks of a body: wrist, little finger, index finger.
LEFT, RIGHT = (15, 17, 19), (16, 18, 20)
MIN_VISIBILITY = 0.1  # of the wrist
MIN_PRESENCE = 0.5
PALM = (0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18)  # landmarks of a hand that a square around it is made from


class HandNetworks:
    """The two networks, which both hands share."""

    def __init__(self):
        self.recrop = Network("hand_recrop")
        self.landmarks = Network("hand_landmark_full")


class Hand:
    """Follows one hand; `joints` is LEFT or RIGHT."""

    def __init__(self, networks: HandNetworks, joints: tuple[int, int, int]):
        self._networks, self._joints = networks, list(joints)
        self._points: np.ndarray | None = None

    def __call__(self, picture: np.ndarray, body: np.ndarray) -> np.ndarray | None:
        """(H, W, 3) uint8 RGB and the body (33, 3) -> (21, 3) x, y in pixels, the hand's presence; None: not seen."""
        previous, self._points = self._points, None
        wrist = body[self._joints[0]]
        if wrist[2] < MIN_VISIBILITY:
            return None
        rough = roi_from_body(*body[self._joints, :2])
        if rough.size < 2:
            return None
        networks = self._networks
        (values,) = networks.recrop(rough.crop(picture, networks.recrop.side))
        center, rim = rough.to_picture(values.reshape(2, 2) / networks.recrop.side)
        roi = around_circle(center, rim, DOWN).grown(1.0, shift_y=-0.1)
        if previous is not None:
            old = roi_from_hand(previous)
            if may_go_on(old, previous, roi, degrees=40, move=0.2, scale=0.4, margin=-0.1):
                roi = old
        if roi.size < 2:
            return None
        values, presence, *_ = networks.landmarks(roi.crop(picture, networks.landmarks.side))
        if presence[0] < MIN_PRESENCE:
            return None
        shares = values.reshape(NUM_POINTS, 3)[:, :2] / networks.landmarks.side
        self._points = roi.to_picture(shares)
        return np.column_stack([self._points, np.full(NUM_POINTS, presence[0])])


def roi_from_body(wrist: np.ndarray, little: np.ndarray, index: np.ndarray) -> Roi:
    """A wide square around where the body's three points (2,) say a hand is, its fingers to the top."""
    middle = (2 * index + little) / 3
    size = 2 * float(np.hypot(*(middle - wrist)))
    return Roi(float(middle[0]), float(middle[1]), size, angle_between(wrist, middle, UP)).grown(2.7, shift_y=-0.1)


def roi_from_hand(points: np.ndarray) -> Roi:
    """The square in which a hand (21, 2) is looked for in the next frame."""
    knuckles = ((points[6] + points[14]) / 2 + points[10]) / 2
    angle = angle_between(points[0], knuckles, UP)
    return around_points(points[list(PALM)], angle, as_turned=True).grown(2.0, shift_y=-0.1)
