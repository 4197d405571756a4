"""The detector's loss: varifocal for the classes, IoU and distribution focal for the boundaries.

Every term is divided by the sum of the target scores, and the boundary terms are weighted by them, so that a point
counts as much as it is a good example.

Source: VarifocalNet (arXiv 2008.13367), equation 2; Generalized Focal Loss (arXiv 2006.04388), equation 6; weights
1, 2.5 and 0.5 as PP-YOLOE and MSLT. The published code averages 1 - IoU before it weights; we weight each point.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from spotting.assign import Targets
from spotting.detector import Points, decode_boundaries

NEGATIVE_WEIGHT = 0.75  # of p**2 for entries with target 0
WEIGHTS = {"class": 1.0, "iou": 2.5, "boundary": 0.5}


def varifocal(logits: Tensor, target: Tensor, is_point: Tensor) -> Tensor:
    """Sum over points and classes; an entry with target q > 0 weighs q, one with target 0 weighs 0.75 p**2.

    Args:
        logits, target: (B, P, K). is_point: (B, P) bool, points that count.
    """
    weight = torch.where(target > 0, target, NEGATIVE_WEIGHT * logits.detach().sigmoid().square())
    loss = F.binary_cross_entropy_with_logits(logits, target, weight=weight, reduction="none")
    return (loss * is_point[..., None]).sum()


def segment_iou(a: Tensor, b: Tensor) -> Tensor:
    """Overlap of paired segments (..., 2) and (..., 2): (...)."""
    overlap = (torch.minimum(a[..., 1], b[..., 1]) - torch.maximum(a[..., 0], b[..., 0])).clamp_min(0)
    union = (a[..., 1] - a[..., 0]) + (b[..., 1] - b[..., 0]) - overlap
    return overlap / union.clamp_min(1e-6)


def distribution_focal(distance_logits: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy on the two bins around the target distance, linearly weighted; mean over the two sides.

    Args:
        distance_logits: (N, 2, R + 1). target: (N, 2) distances in strides, clipped to [0, R - 0.01].
    Returns:
        (N,).
    """
    max_distance = distance_logits.shape[-1] - 1
    target = target.clamp(0, max_distance - 0.01)
    lower = target.floor().long()
    above = target - lower  # weight of the bin above
    log_p = distance_logits.log_softmax(-1)
    at_lower = log_p.gather(-1, lower[..., None])[..., 0]
    at_upper = log_p.gather(-1, lower[..., None] + 1)[..., 0]
    return -((1 - above) * at_lower + above * at_upper).mean(-1)


def detection_loss(points: Points, outputs: dict[str, Tensor], targets: Targets) -> Tensor:
    """The weighted sum of the three terms for a batch of windows, a scalar."""
    positive = targets.is_positive
    total = targets.score.sum() + 1e-6
    loss = WEIGHTS["class"] * varifocal(outputs["class_logits"], targets.score, outputs["is_point"])
    if positive.any():
        weight = targets.score.sum(-1)[positive]  # (N,)
        predicted = decode_boundaries(points, outputs["distances"])[positive]
        wanted = targets.boundary[positive]
        loss = loss + WEIGHTS["iou"] * (weight * (1 - segment_iou(predicted, wanted))).sum()
        center = points.center.expand(positive.shape)[positive]
        stride = points.stride.expand(positive.shape)[positive]
        distance = torch.stack([center - wanted[:, 0], wanted[:, 1] - center], dim=-1) / stride[:, None]
        spread = distribution_focal(outputs["distance_logits"][positive], distance)
        loss = loss + WEIGHTS["boundary"] * (weight * spread).sum()
    return loss / total
