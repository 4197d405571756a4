"""Segments of a video as arrays, and their temporal overlap.

A segment lies in frames counted from zero, start inclusive, end exclusive, so that `end - start` is its length. Label
files and submissions number frames otherwise: `miga.frame_base` converts.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Segments:
    """N segments of one video.

    Attributes:
        start, end: (N,) float64 frames, start inclusive, end exclusive.
        label: (N,) int64 zero-based class.
        score: (N,) float64; 1 for annotated segments.
    """

    start: NDArray[np.float64]
    end: NDArray[np.float64]
    label: NDArray[np.int64]
    score: NDArray[np.float64]

    def __post_init__(self) -> None:
        shapes = {self.start.shape, self.end.shape, self.label.shape, self.score.shape}
        if len(shapes) != 1 or self.start.ndim != 1:
            raise ValueError(f"start, end, label and score must be (N,) of one length, got {sorted(shapes)}")

    def __len__(self) -> int:
        return len(self.start)

    def __getitem__(self, index: NDArray | slice) -> "Segments":
        """A selection, by a boolean mask, an index array or a slice."""
        return Segments(self.start[index], self.end[index], self.label[index], self.score[index])


def make_segments(start: object, end: object, label: object, score: object = None) -> Segments:
    """Build Segments from anything array-like; without scores each counts 1."""
    start = np.asarray(start, dtype=np.float64)
    score = np.ones_like(start) if score is None else np.asarray(score, dtype=np.float64)
    return Segments(start, np.asarray(end, dtype=np.float64), np.asarray(label, dtype=np.int64), score)


def empty_segments() -> Segments:
    """No segments: what a video with nobody in view gives."""
    return make_segments([], [], [])


def concatenate(parts: list[Segments]) -> Segments:
    """All segments of the parts, in order."""
    if not parts:
        return empty_segments()
    return Segments(*(np.concatenate([getattr(p, name) for p in parts]) for name in ("start", "end", "label", "score")))


def temporal_iou(a_start: NDArray, a_end: NDArray, b_start: NDArray, b_end: NDArray) -> NDArray[np.float64]:
    """Overlap of every segment a with every segment b.

    Args:
        a_start, a_end: (N,); b_start, b_end: (M,), in frames, end exclusive.
    Returns:
        (N, M) intersection over union in [0, 1]; two empty segments overlap by 0.
    """
    overlap = np.minimum(a_end[:, None], b_end[None]) - np.maximum(a_start[:, None], b_start[None])
    overlap = np.maximum(overlap, 0.0)
    union = (a_end - a_start)[:, None] + (b_end - b_start)[None] - overlap
    return np.divide(overlap, union, out=np.zeros(overlap.shape), where=union > 0)
