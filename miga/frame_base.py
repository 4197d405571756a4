"""How files number the frames of a video: the only place that converts between files and arrays.

Label files and submissions name a segment by its first and its last frame, both inclusive, and number the first frame
of a video 0 or 1. Inside the program a segment is `start, end` in frames counted from 0, end exclusive.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class FrameBase:
    """The number `first` that the files of a data set give to the first frame of a video.

    A reader knows it, meta.json keeps it (`first_frame`), the submission is written, checked and scored by it.
    """

    first: int

    def from_file(self, first: ArrayLike, last: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """First and last frame as numbered in a file -> (start, end), counted from 0, end exclusive."""
        return np.asarray(first) - self.first, np.asarray(last) - self.first + 1

    def to_file(self, start: ArrayLike, end: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(start, end), counted from 0, end exclusive -> whole first and last frame, at least one frame long."""
        first = np.rint(np.asarray(start)).astype(np.int64)
        last = np.maximum(np.rint(np.asarray(end)).astype(np.int64) - 1, first)
        return first + self.first, last + self.first
