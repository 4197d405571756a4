"""Regions of interest: turned squares in a picture, the crops that networks see, and the way back to the picture.

Angles are radians, clockwise on the screen (y goes down), as MediaPipe's rectangles have them. Sources: its calculators
`AlignmentPointsToRects`, `DetectionsToRects`, `HandLandmarksToRect`, `RectTransformation` (google-ai-edge/mediapipe).
"""

from dataclasses import dataclass

import cv2
import numpy as np

UP = np.pi / 2  # a vector that shall point to the top of the crop
DOWN = -np.pi / 2
RIGHT = 0.0


@dataclass(frozen=True)
class Roi:
    """A square around (x, y) in pixels, `size` wide, turned by `angle`."""

    x: float
    y: float
    size: float
    angle: float = 0.0

    @property
    def axes(self) -> np.ndarray:
        """(2, 2): in its columns where the crop's x and y point to in the picture."""
        cos, sin = np.cos(self.angle), np.sin(self.angle)
        return np.array([[cos, -sin], [sin, cos]])

    def to_picture(self, points: np.ndarray) -> np.ndarray:
        """(N, 2) shares of the crop -> (N, 2) pixels of the picture."""
        return (points - 0.5) * self.size @ self.axes.T + (self.x, self.y)

    def to_crop(self, points: np.ndarray) -> np.ndarray:
        """(N, 2) pixels of the picture -> (N, 2) shares of the crop: undoes `to_picture`."""
        return (points - (self.x, self.y)) @ self.axes / self.size + 0.5

    def grown(self, scale: float, shift_y: float = 0.0) -> "Roi":
        """Moved along its own y by a share of its size, then scaled."""
        step = self.axes @ (0.0, shift_y * self.size)
        return Roi(self.x + step[0], self.y + step[1], self.size * scale, self.angle)

    def crop(self, picture: np.ndarray, side: int, border: int = cv2.BORDER_REPLICATE) -> np.ndarray:
        """Cut it out of (H, W, 3): (side, side, 3) uint8, bilinear; `border` says what lies outside the picture."""
        corners = np.array([[0, 0], [1, 0], [0, 1]], np.float64)
        # cv2 counts from the middle of a pixel, shares from its edge.
        there = (self.to_picture(corners) - 0.5).astype(np.float32)
        here = (corners * side - 0.5).astype(np.float32)
        matrix = cv2.getAffineTransform(there, here)
        return cv2.warpAffine(picture, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=border)


def whole(picture: np.ndarray) -> Roi:
    """The smallest square that holds the whole picture (H, W, 3)."""
    height, width = picture.shape[:2]
    return Roi(width / 2, height / 2, max(width, height))


def angle_between(start: np.ndarray, end: np.ndarray, target: float) -> float:
    """How far a crop has to be turned for the vector from `start` to `end` to point to `target` in it."""
    angle = target - np.arctan2(-(end[1] - start[1]), end[0] - start[0])
    return float(angle - 2 * np.pi * np.floor((angle + np.pi) / (2 * np.pi)))


def around_circle(center: np.ndarray, rim: np.ndarray, target: float = UP) -> Roi:
    """The square around the circle through `rim`, turned so that the rim's point lies at `target`."""
    size = 2 * float(np.hypot(*(rim - center)))
    return Roi(float(center[0]), float(center[1]), size, angle_between(center, rim, target))


def around_points(points: np.ndarray, angle: float, as_turned: bool) -> Roi:
    """The square of the longer side of a box of (N, 2) points.

    Args:
        as_turned: the box lies along the axes of the turned square (hands), else along the picture's (faces).
    """
    axes = Roi(0, 0, 1, angle).axes if as_turned else np.eye(2)
    along = points @ axes
    low, high = along.min(axis=0), along.max(axis=0)
    x, y = axes @ ((low + high) / 2)
    return Roi(float(x), float(y), float((high - low).max()), angle)


def may_go_on(
    previous: Roi, points: np.ndarray, fresh: Roi, degrees: float, move: float, scale: float, margin: float
) -> bool:
    """Whether the square of the frame before still fits what is looked for in this frame (`RoiTrackingCalculator`).

    Args:
        points: (N, 2) landmarks of the frame before, pixels; all must lie in `fresh` grown by the share `margin`.
        fresh: the square found in this frame.
        degrees, move, scale: how far the two squares may be turned, moved and scaled; shares of `fresh`.
    """
    turned = angle_between(
        np.zeros(2), np.array([np.cos(fresh.angle - previous.angle), np.sin(fresh.angle - previous.angle)]), 0
    )
    moved = np.abs(np.array([previous.x - fresh.x, previous.y - fresh.y]) @ fresh.axes).max()
    inside = np.abs(fresh.to_crop(points) - 0.5).max() < (1 + margin) / 2
    is_near = abs(np.degrees(turned)) <= degrees and moved <= move * fresh.size
    return bool(is_near and abs(previous.size - fresh.size) <= scale * fresh.size and inside)
