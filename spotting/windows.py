"""Cut a long video into windows of W frames, and its gestures with them.

Source: MSLT, the detector of MiGA'24 track 2: a gesture belongs to a window when more than 90 % of it lies inside, and
is clipped to it; at test time windows overlap by half. The published code drops windows without a gesture in
training; we keep a fifth of them, because long videos are mostly empty and false alarms are the weak side.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spotting.segments import Segments

MIN_INSIDE = 0.9  # share of a gesture that must lie inside its window
MAX_GESTURES = 30  # per window, the published limit; the first ones in time are kept


@dataclass(frozen=True)
class Window:
    """Frames start .. start + length of a video; frames past its end are padding."""

    video_id: str
    start: int


def window_starts(num_frames: int, length: int, stride: int) -> NDArray[np.int64]:
    """Starts of windows that together cover every frame; a short video gets one window, padded behind.

    The last window is moved back to end with the video, so that no window but a short video's needs padding.

    Raises:
        ValueError: a number is below 1, or the stride would leave gaps.
    """
    if num_frames < 1 or length < 1 or not 1 <= stride <= length:
        raise ValueError(
            f"expected num_frames, length >= 1, 1 <= stride <= length, got {num_frames}, {length}, {stride}"
        )
    if num_frames <= length:
        return np.zeros(1, dtype=np.int64)
    starts = np.arange(0, num_frames - length, stride, dtype=np.int64)
    return np.append(starts, num_frames - length)


def gestures_in_window(gestures: Segments, start: int, length: int) -> Segments:
    """The gestures with more than 90 % inside the window, clipped to it and counted from its start."""
    end = start + length
    clipped_start = np.maximum(gestures.start, start)
    clipped_end = np.minimum(gestures.end, end)
    inside = (clipped_end - clipped_start) > MIN_INSIDE * (gestures.end - gestures.start)
    index = np.flatnonzero(inside)
    index = index[np.argsort(gestures.start[index], kind="stable")][:MAX_GESTURES]
    kept = gestures[index]
    return Segments(clipped_start[index] - start, clipped_end[index] - start, kept.label, kept.score)


def training_windows(
    gestures: dict[str, Segments], num_frames: dict[str, int], length: int, stride: int, empty_share: float,
    rng: np.random.Generator,
) -> list[Window]:  # fmt: skip
    """Windows of one epoch: every `stride` frames from a random phase, and a share of those without a gesture.

    Args:
        gestures, num_frames: per video id.
        length, stride: in frames.
        empty_share: probability that a window without a gesture is kept.
        rng: moves the grid of each video by up to a stride, so that epochs see different cuts.
    """
    windows = []
    for video_id, frames in num_frames.items():
        phase = int(rng.integers(stride))
        grid = np.arange(phase - stride, frames - length + stride, stride)
        for start in np.unique(np.clip(grid, 0, max(0, frames - length))).tolist():
            has_gesture = len(gestures_in_window(gestures[video_id], start, length)) > 0
            if has_gesture or rng.random() < empty_share:
                windows.append(Window(video_id, start))
    return windows
