"""The one-euro filter (Casiez et al., CHI 2012): strong smoothing of what rests, little of what moves.

Constants and the scaling of speeds by the person's size: MediaPipe's `pose_landmark_filtering` graph.
"""

import numpy as np

DERIVATIVE_CUTOFF = 1.0  # Hz


class OneEuro:
    """Smooths an array of values frame by frame.

    Args:
        min_cutoff: Hz, of values at rest.
        beta: how fast the cutoff grows with the speed, in sizes of the person a second.
        fps: frames a second.
    """

    def __init__(self, min_cutoff: float, beta: float, fps: float):
        self._min_cutoff, self._beta, self._fps = min_cutoff, beta, fps
        self._raw: np.ndarray | None = None

    def __call__(self, values: np.ndarray, scale: float) -> np.ndarray:
        """The next values, smoothed; `scale` is the person's size in the units of the values."""
        if self._raw is None:
            self._raw, self._smooth, self._speed = values, values, np.zeros_like(values)
            return values
        speed = (values - self._raw) * self._fps / scale
        self._speed = self._speed + self._alpha(DERIVATIVE_CUTOFF) * (speed - self._speed)
        cutoff = self._min_cutoff + self._beta * np.abs(self._speed)
        self._smooth = self._smooth + self._alpha(cutoff) * (values - self._smooth)
        self._raw = values
        return self._smooth

    def _alpha(self, cutoff):
        """Share of the new value in an exponential mean with that cutoff."""
        return 1 / (1 + self._fps / (2 * np.pi * cutoff))
