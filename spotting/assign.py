"""Which points learn which gesture: by anchors at first (ATSS), by the predictions themselves later (task-aligned).

Both are written for a batch with its gestures padded to G, without loops over gestures.

Source: ATSS (arXiv 1912.02424), section 3; task alignment: TOOD (arXiv 2108.07755), section 3.2, as PP-YOLOE
(arXiv 2203.16250) uses them one after another; in one dimension: MSLT.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from spotting.detector import Points

ANCHOR_LENGTH = 8  # strides: the one anchor of a point
TOP_CANDIDATES = 9  # anchors per level (ATSS), points per gesture (task-aligned)
IOU_POWER = 6  # of the alignment p * IoU**6


class Targets(NamedTuple):
    """What the points of a batch should say."""

    score: Tensor  # (B, P, K) float: target of the class score, 0 for background
    boundary: Tensor  # (B, P, 2) float: frames; meaningful where is_positive
    is_positive: Tensor  # (B, P) bool


def pairwise_iou(a: Tensor, b: Tensor) -> Tensor:
    """Intersection over union of segments a (B, N, 2) with b (B, M, 2), in frames: (B, N, M)."""
    overlap = torch.minimum(a[:, :, None, 1], b[:, None, :, 1]) - torch.maximum(a[:, :, None, 0], b[:, None, :, 0])
    overlap = overlap.clamp_min(0)
    union = (a[..., 1] - a[..., 0])[:, :, None] + (b[..., 1] - b[..., 0])[:, None] - overlap
    return overlap / union.clamp_min(1e-6)


def assign_by_anchors(
    points: Points, predicted: Tensor, gestures: Tensor, labels: Tensor, is_gesture: Tensor, is_point: Tensor,
    num_classes: int,
) -> Targets:  # fmt: skip
    """ATSS: the nine nearest anchors of each level compete; the bar is the mean plus deviation of their overlap.

    A point must also lie inside the gesture; a point wanted by several takes the one its anchor overlaps most. The
    target score is the overlap of the predicted segment.

    Args:
        points: P points of a window.
        predicted: (B, P, 2) predicted boundaries, frames.
        gestures: (B, G, 2) frames. labels: (B, G) zero-based. is_gesture: (B, G) bool, False for padding.
        is_point: (B, P) bool, False in padding.
    """
    anchors = torch.stack(
        [points.center - ANCHOR_LENGTH / 2 * points.stride, points.center + ANCHOR_LENGTH / 2 * points.stride], dim=-1
    )
    batch = len(labels)
    iou = pairwise_iou(gestures, anchors.expand(batch, -1, -1))  # (B, G, P)
    middle = gestures.mean(-1)
    gap = (middle[..., None] - points.center).abs().masked_fill(~is_point[:, None], torch.inf)  # (B, G, P)
    is_candidate = torch.zeros_like(gap, dtype=torch.bool)
    for level in points.level.unique().tolist():
        index = torch.nonzero(points.level == level)[:, 0]
        nearest = gap[..., index].topk(min(TOP_CANDIDATES, len(index)), largest=False).indices
        is_candidate.scatter_(2, index[nearest], True)
    is_candidate &= is_point[:, None]
    count = is_candidate.sum(-1).clamp_min(1)
    mean = (iou * is_candidate).sum(-1) / count
    variance = ((iou - mean[..., None]).square() * is_candidate).sum(-1) / (count - 1).clamp_min(1)
    wanted = is_candidate & (iou > (mean + variance.sqrt())[..., None]) & _inside(points, gestures)
    owner, is_positive = _resolve(wanted & is_gesture[..., None], iou)
    overlap = pairwise_iou(gestures, predicted).gather(1, owner[:, None])[:, 0]  # (B, P)
    return _targets(owner, is_positive, overlap, gestures, labels, num_classes)


def assign_by_predictions(
    points: Points, predicted: Tensor, probabilities: Tensor, gestures: Tensor, labels: Tensor, is_gesture: Tensor,
    is_point: Tensor,
) -> Targets:  # fmt: skip
    """Task-aligned: each gesture takes the nine points inside it with the largest p * IoU**6.

    The target score is that alignment, scaled so that the best point of a gesture gets the best overlap.

    Args:
        predicted: (B, P, 2) frames. probabilities: (B, P, K) of the classes. Others as in `assign_by_anchors`.
    """
    num_points, num_classes = probabilities.shape[1:]
    iou = pairwise_iou(gestures, predicted)  # (B, G, P)
    index = labels.clamp_min(0)[:, None].expand(-1, num_points, -1)
    alignment = probabilities.gather(2, index).transpose(1, 2) * iou**IOU_POWER  # (B, G, P)
    eligible = _inside(points, gestures) & is_gesture[..., None] & is_point[:, None]
    top = torch.where(eligible, alignment, -1.0).topk(min(TOP_CANDIDATES, num_points), dim=-1).indices
    wanted = torch.zeros_like(eligible).scatter_(2, top, True) & eligible
    owner, is_positive = _resolve(wanted, iou)
    owned = is_positive[:, None] & (owner[:, None] == torch.arange(labels.shape[1], device=owner.device)[:, None])
    best_alignment = (alignment * owned).amax(-1, keepdim=True)  # (B, G, 1)
    best_iou = (iou * owned).amax(-1, keepdim=True)
    scaled = alignment / (best_alignment + 1e-9) * best_iou  # (B, G, P)
    return _targets(owner, is_positive, scaled.gather(1, owner[:, None])[:, 0], gestures, labels, num_classes)


def _inside(points: Points, gestures: Tensor) -> Tensor:
    """(B, G, P) bool: the point lies in the gesture."""
    return (points.center > gestures[..., :1]) & (points.center < gestures[..., 1:])


def _resolve(wanted: Tensor, iou: Tensor) -> tuple[Tensor, Tensor]:
    """Give a point that several gestures want (B, G, P) to the one with the largest overlap: index and bool, (B, P)."""
    owner = torch.where(wanted, iou, -1.0).argmax(1)
    return owner, wanted.any(1)


def _targets(
    owner: Tensor, is_positive: Tensor, score: Tensor, gestures: Tensor, labels: Tensor, num_classes: int
) -> Targets:
    label = labels.gather(1, owner).clamp_min(0)  # (B, P)
    target = torch.nn.functional.one_hot(label, num_classes) * (score * is_positive)[..., None]
    boundary = gestures.gather(1, owner[..., None].expand(-1, -1, 2))
    return Targets(target.to(score.dtype), boundary, is_positive)
