"""The face of a person whose body is known: found near the body's eyes and ears, then followed.

Sources: BlazeFace (arXiv 1907.05047), the face mesh (arXiv 1907.06724) and MediaPipe's graphs
`face_landmarks_from_pose_cpu`, `face_detection_front_detections_to_roi`, `face_landmark_cpu`; constants are kept as far
as they are known (docs/pose.md).
"""

import numpy as np

from recordings.pose.detections import decode, ssd_anchors, weighted_suppression
from recordings.pose.networks import Network
from recordings.pose.roi import RIGHT, Roi, angle_between, around_points, may_go_on

NUM_POINTS = 468
STRIDES = (8, 16, 16, 16)
MIN_PRESENCE = 0.5
OF_BODY = slice(0, 11)  # landmarks of a body that are in its face
RIGHT_EYE, LEFT_EYE = 33, 263  # outer corners


class Face:
    """Follows one face."""

    def __init__(self):
        self._detector = Network("face_detection_short_range")
        self._landmarks = Network("face_landmark")
        self._anchors = ssd_anchors(self._detector.side, STRIDES)
        self._points: np.ndarray | None = None

    def __call__(self, picture: np.ndarray, body: np.ndarray) -> np.ndarray | None:
        """(H, W, 3) uint8 RGB and the body (33, 3) -> (468, 3) x, y in pixels, the face's presence; None: not seen."""
        previous, self._points = self._points, None
        roi = self._find(picture, roi_from_body(body[:, :2]))
        if roi is not None and previous is not None:
            old = roi_from_face(previous)
            if may_go_on(old, previous, roi, degrees=15, move=0.1, scale=0.3, margin=-0.2):
                roi = old
        if roi is None or roi.size < 2:
            return None
        values, logit = self._landmarks(roi.crop(picture, self._landmarks.side))
        presence = 1 / (1 + np.exp(-float(logit.ravel()[0])))
        if presence < MIN_PRESENCE:
            return None
        shares = values.reshape(NUM_POINTS, 3)[:, :2] / self._landmarks.side
        self._points = roi.to_picture(shares)
        return np.column_stack([self._points, np.full(NUM_POINTS, presence)])

    def _find(self, picture: np.ndarray, around: Roi) -> Roi | None:
        if around.size < 2:
            return None
        side = self._detector.side
        raw, logits = self._detector(around.crop(picture, side), centred=True)
        found = weighted_suppression(decode(raw, logits[:, 0], self._anchors, side))
        if not len(found):
            return None
        points = around.to_picture(found.points[0])  # right eye, left eye, nose, mouth, ears
        angle = angle_between(points[0], points[1], RIGHT)
        return around_points(points, angle, as_turned=False).grown(2.0, shift_y=-0.1)


def roi_from_body(body: np.ndarray) -> Roi:
    """A wide square around the face of a body (33, 2)."""
    angle = angle_between(body[5], body[2], RIGHT)
    return around_points(body[OF_BODY], angle, as_turned=False).grown(3.0)


def roi_from_face(points: np.ndarray) -> Roi:
    """The square in which a face (468, 2) is looked for in the next frame."""
    angle = angle_between(points[RIGHT_EYE], points[LEFT_EYE], RIGHT)
    return around_points(points, angle, as_turned=False).grown(1.5)
