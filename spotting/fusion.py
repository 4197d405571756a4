"""Candidates of several members to one list: scores on one scale, segments that mean the same gesture merged.

Source: weighted boxes fusion (Solovyev et al., arXiv 1910.13302), in one dimension, with a weight a member.
"""

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from spotting.nms import suppress
from spotting.score import strict_matches
from spotting.segments import Segments, empty_segments, make_segments, temporal_iou

MERGE_IOU = 0.4  # segments of two members that overlap more are one gesture
OWN_NMS_IOU = 0.3  # a member's own segments that overlap more are one, before members meet
MIN_SCORE = 0.02  # calibrated; less never passes a threshold


class Calibration:
    """The chance that a suppressed segment of a member is a hit, a logistic function of its score's log-odds.

    The slope is never negative, so that the order of a member's segments stays.

    Args:
        found: per video, suppressed. truth: per video.
    """

    def __init__(self, found: dict[str, Segments], truth: dict[str, Segments]) -> None:
        hit = np.concatenate([strict_matches(truth[v], one) >= 0 for v, one in found.items()] or [np.zeros(0, bool)])
        score = np.concatenate([one.score for one in found.values()] or [np.zeros(0)])
        self.slope, self.level = 0.0, float(_log_odds(np.array((hit.sum() + 0.5) / (len(hit) + 1))))
        if 0 < hit.sum() < len(hit):
            fitted = LogisticRegression(C=10.0).fit(_log_odds(score)[:, None], hit)
            self.slope = max(float(fitted.coef_[0, 0]), 0.05)
            self.level = float(fitted.intercept_[0])

    def __call__(self, found: Segments) -> Segments:
        score = 1 / (1 + np.exp(-(self.slope * _log_odds(found.score) + self.level)))
        return make_segments(found.start, found.end, found.label, score)


def _log_odds(score: NDArray) -> NDArray:
    score = np.clip(score, 1e-4, 1 - 1e-4)
    return np.log(score / (1 - score))


def own(found: dict[str, Segments], max_segments: int) -> dict[str, Segments]:
    """A member's candidates, each gesture once."""
    return {video: suppress(one, OWN_NMS_IOU, max_segments) for video, one in found.items()}


def fuse(parts: list[Segments], weights: NDArray) -> Segments:
    """Merge what members say of one video.

    By descending weighted score each segment joins the group of its class, begun by another member, whose first segment
    it overlaps most, if by more than MERGE_IOU; a member is in a group once. A group's ends are the weighted mean of
    its segments', its score is the sum of the weighted scores: a member that says nothing counts zero.

    Args:
        parts: per member, suppressed and calibrated. weights: (members,) not negative, sum 1.
    """
    pieces = [
        (
            weight * part.score[part.score > MIN_SCORE],
            part[part.score > MIN_SCORE],
            np.full((part.score > MIN_SCORE).sum(), m),
        )
        for m, (part, weight) in enumerate(zip(parts, weights, strict=True))
        if weight > 0
    ]
    if not pieces or not sum(len(score) for score, _, _ in pieces):
        return empty_segments()
    score = np.concatenate([piece[0] for piece in pieces])
    start, end, label = (np.concatenate([getattr(piece[1], n) for piece in pieces]) for n in ("start", "end", "label"))
    member = np.concatenate([piece[2] for piece in pieces])
    order = np.lexsort((member, label, end, start, -score))
    iou = temporal_iou(start, end, start, end)
    iou[label[:, None] != label] = 0
    leaders: list[int] = []
    groups: dict[int, list[int]] = {}
    for i in order.tolist():
        open_to = [j for j in leaders if iou[i, j] > MERGE_IOU and member[i] not in member[groups[j]]]
        if open_to:
            groups[max(open_to, key=lambda j: iou[i, j])].append(i)
        else:
            leaders.append(i)
            groups[i] = [i]
    rows = [groups[leader] for leader in leaders]
    return make_segments(
        [np.average(start[r], weights=score[r]) for r in rows],
        [np.average(end[r], weights=score[r]) for r in rows],
        label[leaders],
        [score[r].sum() for r in rows],
    )
