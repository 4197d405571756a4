"""The score threshold and the overlap of suppression, chosen on held-out training people.

F1 moves a lot with the threshold. The published code sweeps it on the videos it is evaluated on; we may not.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spotting.config import SearchConfig
from spotting.nms import suppress
from spotting.score import score_videos
from spotting.segments import Segments


class Choice(NamedTuple):
    """What was chosen, and how every combination scored."""

    threshold: float
    nms_iou: float
    strict_f1: NDArray[np.float64]  # (nms_iou, thresholds)


def thresholds_of(config: SearchConfig) -> NDArray[np.float64]:
    """The thresholds that are tried, ascending."""
    count = round((config.max_threshold - config.min_threshold) / config.threshold_step) + 1
    return np.round(config.min_threshold + config.threshold_step * np.arange(count), 6)


def choose(candidates: dict[str, Segments], truth: dict[str, Segments], config: SearchConfig) -> Choice:
    """Take the best strict micro F1 over the videos of `truth`, judged with its neighbours.

    A single threshold is a noisy winner on few gestures: each is judged by the mean over itself and the two next to
    it. Ties go to the smaller overlap, then to the smaller threshold.

    Args:
        candidates: per video, before suppression, each from a model that never saw the video's person.
        truth: per video.
    """
    thresholds = thresholds_of(config)
    f1 = np.zeros((len(config.nms_iou), len(thresholds)))
    for i, nms_iou in enumerate(config.nms_iou):
        kept = {v: suppress(found, nms_iou, config.max_segments) for v, found in candidates.items()}
        for j, threshold in enumerate(thresholds):
            above = {v: found[found.score > threshold] for v, found in kept.items()}
            f1[i, j] = score_videos(truth, above)["strict"]["f1"]
    padded = np.pad(f1, ((0, 0), (1, 1)), mode="edge")
    smooth = (padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]) / 3
    best_iou, best_threshold = np.unravel_index(int(smooth.argmax()), smooth.shape)
    return Choice(float(thresholds[best_threshold]), float(config.nms_iou[best_iou]), f1)


def threshold_for_count(candidates: dict[str, Segments], nms_iou: float, max_segments: int, count: float) -> float:
    """The threshold above which the videos together keep `count` segments (rounded), after suppression.

    Averaging models lowers their peaks, so a threshold chosen on single models is too high for their average; it moves
    to where the average puts out as many segments as its members do. No label is read for it.
    """
    kept = [suppress(found, nms_iou, max_segments).score for found in candidates.values()]
    scores = np.sort(np.concatenate([np.zeros(0), *kept]))[::-1]
    wanted = round(count)
    if wanted >= len(scores):
        return 0.0
    return float(scores[0] if wanted == 0 else (scores[wanted - 1] + scores[wanted]) / 2)


def apply(candidates: Segments, threshold: float, nms_iou: float, max_segments: int) -> Segments:
    """The final segments of a video, by descending score."""
    kept = suppress(candidates, nms_iou, max_segments)
    return kept[kept.score > threshold]
