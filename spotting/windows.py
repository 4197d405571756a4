"""Cut a long video into windows of W frames, and its gestures with them.

Source: MSLT, the detector of MiGA'24 track 2: a gesture belongs to a window when more than 90 % of it lies inside, and
is clipped to it; at test time windows overlap by half. The published code drops windows without a gesture in
training; we keep a fifth of them, because long videos are mostly empty and false alarms are the weak side.
"""

import numpy as np
from numpy.typing import NDArray

from spotting.segments import Segments

MIN_INSIDE = 0.9  # share of a gesture that must lie inside its window
MAX_GESTURES = 30  # per window, the published limit; the first ones in time are kept


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


def draw_window(
    gestures: Segments, num_frames: int, slot: int, length: int, stride: int, empty_share: float,
    rng: np.random.Generator,
) -> int:  # fmt: skip
    """Start of a random training window near `slot`.

    A window without a gesture is kept with probability `empty_share`; else one around a random gesture of the video
    takes its place, so that an epoch has the same number of windows whatever was drawn.

    Args:
        gestures: of the video.
        slot: start of the window's place in a regular grid of `stride` frames; the window moves by up to half a stride.
    """
    last = max(0, num_frames - length)
    start = int(np.clip(slot + rng.integers(-(stride // 2), stride // 2 + 1), 0, last))
    is_empty = len(gestures_in_window(gestures, start, length)) == 0
    if is_empty and len(gestures) and rng.random() >= empty_share:
        chosen = int(rng.integers(len(gestures)))
        low, high = sorted((int(gestures.end[chosen]) - length, int(gestures.start[chosen])))
        start = int(np.clip(rng.integers(low, high + 1), 0, last))
    return start
