"""Whether joints are what they are taken for: pixels from the picture's top left corner, and scores."""

from pathlib import Path

import numpy as np

# A person of ten pixels cannot be told from noise (`miga.person_box` keeps the whole picture then); in metres or in
# shares of the picture's size nobody is larger.
SMALLEST_PERSON = 10.0
# Guessed joints stray a little beyond the left and the upper edge; around an origin in the middle half of them do.
NEGATIVE_SHARE = 0.25
# Estimators overshoot [0, 1] a little. Depths are metres, or negative behind a middle.
LOWEST_SCORE, HIGHEST_SCORE = -0.1, 1.2
NO_SCORE_SHARE = 0.05
VISIBILITIES = (0, 1, 2)  # of COCO: unlabelled, hidden, visible


def are_scores(x: np.ndarray, y: np.ndarray, third: np.ndarray) -> bool:
    """Whether the third value of points (three arrays of one shape) can be a score, and is no depth."""
    values = third[((x != 0) | (y != 0)) & np.isfinite(third)]
    if np.isin(values, VISIBILITIES).all():
        return True
    return np.mean((values < LOWEST_SCORE) | (values > HIGHEST_SCORE)) <= NO_SCORE_SHARE


class JointUnits:
    """Add videos one by one, then ask what speaks against pixels.

    For layouts whose coordinates may be anything; a Kinect's files say which of their columns are pixels.
    """

    def __init__(self) -> None:
        self._num_videos = 0
        self._num_tiny = 0
        self._tiny = ""
        self._num_points = 0
        self._num_negative = 0

    def add(self, video_id: str, joints: np.ndarray) -> None:
        """joints: (T, M, V, 3) of one video."""
        points = joints[joints[..., 2] > 0][:, :2]  # (N, 2)
        if not len(points):
            return
        extent = float(np.ptp(points, axis=0).max())
        self._num_videos += 1
        if 0 < extent < SMALLEST_PERSON:
            self._num_tiny += 1
            self._tiny = self._tiny or f"{video_id}: {extent:.2g}"
        self._num_points += len(points)
        self._num_negative += int((points < 0).any(1).sum())

    def faults(self, source: Path) -> list[str]:
        """What is wrong with the coordinates of the whole data set. source: where it lies."""
        if 2 * self._num_tiny > self._num_videos:
            return [
                f"{source}: all joints of a recording lie within {SMALLEST_PERSON:g} in {self._num_tiny} of "
                f"{self._num_videos} ({self._tiny}), expected pixels; they look like metres or shares of the picture, "
                "project them to the picture"
            ]
        if self._num_negative > NEGATIVE_SHARE * self._num_points:
            return [
                f"{source}: {self._num_negative / self._num_points:.0%} of the joints have a negative x or y, expected "
                "pixels from the picture's top left corner; they look centred, add the centre back"
            ]
        return []
