"""The body of one person through a video: found once, then followed from frame to frame.

Sources: BlazePose (arXiv 2006.10204) and MediaPipe's graphs `pose_detection_cpu`, `pose_landmark_cpu` and
`tensors_to_pose_landmarks_and_segmentation`; their constants are kept.
"""

import cv2
import numpy as np

from recordings.pose.detections import decode, ssd_anchors, weighted_suppression
from recordings.pose.networks import Network
from recordings.pose.roi import Roi, around_circle, whole
from recordings.pose.smoothing import OneEuro

NUM_POINTS = 33  # landmarks of a body; two more say where it is, how large and how turned
STRIDES = (8, 16, 32, 32, 32)
MIN_PRESENCE = 0.5
GROWTH = 1.25  # of the circle around a body
KERNEL = 7  # side of the window of a heat map in which a landmark is refined
MIN_PEAK = 0.5  # of the heat map in that window


class Body:
    """Follows one person; see `person_of` for whom.

    Args:
        fps: of the video, for the smoothing.
        smooth: pass landmarks through the one-euro filter, as MediaPipe does with videos.
    """

    def __init__(self, fps: float, smooth: bool = True):
        self._detector = Network("pose_detection")
        self._landmarks = Network("pose_landmark_full")
        self._anchors = ssd_anchors(self._detector.side, STRIDES)
        self._fps, self._smooth = fps, smooth
        self._frames_unseen = 0
        self._lose()

    def __call__(self, picture: np.ndarray) -> np.ndarray | None:
        """The next picture (H, W, 3) uint8 RGB -> (33, 3) x, y in pixels and visibility in [0, 1]; None: nobody."""
        points = self._follow(picture, self._roi) if self._roi is not None else None
        if points is None:  # never seen, or lost in this frame: look for somebody
            self._lose()
            roi = self._find(picture)
            points = self._follow(picture, roi) if roi is not None else None
        return points

    def _lose(self) -> None:
        self._roi: Roi | None = None
        self._filter_points = OneEuro(0.05, 80.0, self._fps)
        self._filter_circle = OneEuro(0.01, 10.0, self._fps)

    def _find(self, picture: np.ndarray) -> Roi | None:
        """Look at the whole picture; at once and then once a second, if nobody is there, at its parts more closely."""
        roi = person_of(self._circles(picture, whole(picture)), picture.shape[1])
        if roi is None and self._frames_unseen % max(1, round(self._fps)) == 0:
            circles = [self._circles(picture, square) for square in parts_of(picture)]
            roi = person_of(np.concatenate(circles), picture.shape[1])
        self._frames_unseen = 0 if roi is not None else self._frames_unseen + 1
        return roi

    def _circles(self, picture: np.ndarray, square: Roi) -> np.ndarray:
        """(N, 2, 2): hips' middle and the rim of a circle, in pixels, of the people that the detector sees there."""
        crop = square.crop(picture, self._detector.side, cv2.BORDER_CONSTANT)
        raw, logits = self._detector(crop, centred=True)
        found = weighted_suppression(decode(raw, logits[:, 0], self._anchors, self._detector.side))
        return square.to_picture(found.points[:, :2].reshape(-1, 2)).reshape(-1, 2, 2)

    def _follow(self, picture: np.ndarray, roi: Roi) -> np.ndarray | None:
        values, presence, _, heat, _ = self._landmarks(roi.crop(picture, self._landmarks.side))
        if presence[0] < MIN_PRESENCE:
            return None
        values = values.reshape(-1, 5)  # x, y, z in pixels of the crop, visibility, presence
        shares = refine(values[:, :2] / self._landmarks.side, heat)
        points = roi.to_picture(shares)
        circle = points[NUM_POINTS : NUM_POINTS + 2]
        points = points[:NUM_POINTS]
        scale = roi.size / GROWTH
        if self._smooth:
            points = self._filter_points(points, scale)
            circle = self._filter_circle(circle, scale)
        self._roi = around_circle(circle[0], circle[1]).grown(GROWTH)
        if self._roi.size < 2:
            self._roi = None
        visibility = 1 / (1 + np.exp(-values[:NUM_POINTS, 3:4].astype(np.float64)))
        return np.concatenate([points, visibility], axis=1)


def person_of(circles: np.ndarray, width: int) -> Roi | None:
    """Where to look for the person that is meant: the largest, one at the picture's edge counting half.

    Args:
        circles: (N, 2, 2) hips' middle and the rim of the circle around each person, in pixels.
        width: of the picture.
    Returns:
        the square around that person; None where nobody is.
    """
    best, best_value = None, 0.0
    for center, rim in circles:
        roi = around_circle(center, rim).grown(GROWTH)
        # Sideways only: the hips' height depends on how much of a person is in view.
        value = roi.size * (1 - 0.5 * min(1.0, abs(roi.x - width / 2) / (width / 2)))
        if value > best_value:
            best, best_value = roi, value
    return best


def parts_of(picture: np.ndarray) -> list[Roi]:
    """Squares of half the side of the whole, which overlap by half: people far away are large enough in them.

    This is not in MediaPipe's graph, which sees nobody who is smaller than a third of the picture or so.
    """
    height, width = picture.shape[:2]
    side = max(height, width) / 2

    def middles(length: int) -> np.ndarray:
        count = 1 if length <= side else int(np.ceil(2 * length / side)) - 1
        return np.linspace(min(side, length) / 2, length - min(side, length) / 2, count)

    return [Roi(float(x), float(y), side) for y in middles(height) for x in middles(width)]


def refine(shares: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """Landmarks moved to the mean of the heat around them, where it is hot enough.

    Args:
        shares: (L, 2) x, y in shares of the crop.
        heat: (H, W, L) logits.
    Returns:
        (L, 2)
    """
    height, width, _ = heat.shape
    refined = shares.copy()
    columns, rows = np.floor(shares[:, 0] * width).astype(int), np.floor(shares[:, 1] * height).astype(int)
    half = KERNEL // 2
    for point, (column, row) in enumerate(zip(columns, rows, strict=True)):
        if not (0 <= column < width and 0 <= row < height):
            continue
        left, top = max(0, column - half), max(0, row - half)
        window = heat[top : row + half + 1, left : column + half + 1, point].astype(np.float64)
        window = 1 / (1 + np.exp(-window))
        if window.max() < MIN_PEAK:
            continue
        total = window.sum()
        x = (window.sum(axis=0) @ (left + np.arange(window.shape[1]))) / total
        y = (window.sum(axis=1) @ (top + np.arange(window.shape[0]))) / total
        refined[point] = x / width, y / height
    return refined
