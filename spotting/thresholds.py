"""The score threshold and the overlap of suppression, chosen on held-out training people.

F1 moves a lot with the threshold. The published code sweeps it on the videos it is evaluated on; we may not.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spotting.config import SearchConfig
from spotting.nms import suppress
from spotting.score import score_videos, strict_matches
from spotting.segments import Segments


class Choice(NamedTuple):
    """What was chosen, and how every combination scored."""

    threshold: float
    nms_iou: float
    strict_f1: NDArray[np.float64]  # (nms_iou, thresholds)


class Counts(NamedTuple):
    """What the candidates of each of V videos come to at every combination that is tried."""

    hits: NDArray[np.int64]  # (V, nms_iou, thresholds)
    predicted: NDArray[np.int64]  # (V, nms_iou, thresholds)
    truth: NDArray[np.int64]  # (V,)

    def of(self, videos: NDArray) -> "Counts":
        """Those of some videos."""
        return Counts(*(array[videos] for array in self))


def thresholds_of(config: SearchConfig) -> NDArray[np.float64]:
    """The thresholds that are tried, ascending."""
    count = round((config.max_threshold - config.min_threshold) / config.threshold_step) + 1
    return np.round(config.min_threshold + config.threshold_step * np.arange(count), 6)


def count(candidates: dict[str, Segments], truth: dict[str, Segments], config: SearchConfig) -> Counts:
    """Hits and segments of every video of `candidates` by the strict rule, in one pass over the thresholds.

    Args:
        candidates: per video, before suppression, each from a model that never saw the video's person.
        truth: per video.
    """
    thresholds = thresholds_of(config)
    shape = (len(candidates), len(config.nms_iou), len(thresholds))
    hits, predicted = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    for v, (video, found) in enumerate(candidates.items()):
        for i, nms_iou in enumerate(config.nms_iou):
            kept = suppress(found, nms_iou, config.max_segments)
            is_hit = strict_matches(truth[video], kept) >= 0
            above = kept.score[:, None] > thresholds  # (N, thresholds)
            hits[v, i], predicted[v, i] = (above & is_hit[:, None]).sum(0), above.sum(0)
    return Counts(hits, predicted, np.array([len(truth[video]) for video in candidates]))


def choose(counts: Counts, config: SearchConfig) -> Choice:
    """Take the best strict micro F1 over the videos, judged with its neighbours.

    A single threshold is a noisy winner on few gestures: each is judged by the mean over itself and the two next to
    it. Ties go to the smaller overlap, then to the smaller threshold.
    """
    total = counts.predicted.sum(0) + counts.truth.sum()
    f1 = np.round(2 * counts.hits.sum(0) / np.maximum(total, 1), 6)
    padded = np.pad(f1, ((0, 0), (1, 1)), mode="edge")
    smooth = (padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]) / 3
    best_iou, best_threshold = np.unravel_index(int(smooth.argmax()), smooth.shape)
    return Choice(float(thresholds_of(config)[best_threshold]), float(config.nms_iou[best_iou]), f1)


def cross_fitted(
    candidates: dict[str, Segments], counts: Counts, fold_of: dict[str, int], config: SearchConfig
) -> dict[str, Segments]:
    """Segments of every held-out video at the thresholds that the other folds' videos choose.

    Args:
        counts: of the videos of `candidates`, in their order.
    """
    fold, found = np.array([fold_of[video] for video in candidates]), {}
    for one in np.unique(fold).tolist():
        choice = choose(counts.of(fold != one), config)
        for video, segments in candidates.items():
            if fold_of[video] == one:
                found[video] = apply(segments, choice.threshold, choice.nms_iou, config.max_segments)
    return found


def out_of_fold(
    candidates: dict[str, Segments], truth: dict[str, Segments], fold_of: dict[str, int], config: SearchConfig
) -> dict[str, dict]:
    """F1 by both rules on the training videos, thresholds cross-fitted."""
    found = cross_fitted(candidates, count(candidates, truth, config), fold_of, config)
    return score_videos({video: truth[video] for video in candidates}, found)


def describe_scores(scores: dict[str, dict]) -> str:
    strict, lenient = scores["strict"], scores["organiser"]
    return (
        f"out-of-fold, thresholds cross-fitted: strict F1 {strict['f1']:.3f} (precision {strict['precision']:.3f}, "
        f"recall {strict['recall']:.3f}; organisers' rule {lenient['f1']:.3f})"
    )


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
