"""The second detector's loss: focal for the classes, distance-IoU for the boundaries.

Both are sums over a batch, divided by a moving average of its number of positive points.

Source: focal loss (arXiv 1708.02002), equation 5; distance-IoU (arXiv 1911.08287), equation 7, in one dimension;
ActionFormer (arXiv 2202.07925), section 3.4; TriDet (arXiv 2303.07347), equation 12: a positive's class loss is
weighted by its IoU, to the power of 0.2 in the public code.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from spotting.assign import Targets
from spotting.detector import Points

ALPHA, GAMMA = 0.25, 2.0  # of the focal loss
IOU_POWER = 0.2
MOMENTUM = 0.9  # of the moving average


def focal(logits: Tensor, target: Tensor) -> Tensor:
    """-alpha (1 - p)**gamma log p where the target is 1, and the mirror image where it is 0; of the shape of logits."""
    p = logits.sigmoid()
    miss = torch.where(target > 0, 1 - p, p)
    weight = torch.where(target > 0, ALPHA, 1 - ALPHA)
    return weight * miss**GAMMA * F.binary_cross_entropy_with_logits(logits, target, reduction="none")


def iou_of_distances(a: Tensor, b: Tensor) -> Tensor:
    """Overlap of paired segments around one point, each by its two distances (..., 2), all >= 0: (...)."""
    overlap = torch.minimum(a, b).sum(-1)
    return overlap / (a.sum(-1) + b.sum(-1) - overlap).clamp_min(1e-8)


def distance_iou(a: Tensor, b: Tensor) -> Tensor:
    """1 - IoU + (gap between the middles / length of the hull)**2 of such pairs: (...)."""
    gap = ((a[..., 1] - a[..., 0]) - (b[..., 1] - b[..., 0])) / 2
    hull = torch.maximum(a, b).sum(-1).clamp_min(1e-8)
    return 1 - iou_of_distances(a, b) + (gap / hull).square()


def tridet_loss(points: Points, outputs: dict[str, Tensor], targets: Targets) -> Tensor:
    """A scalar for a batch of windows; moves `outputs["num_positives"]`, which is the network's own, by a step.

    The published code lets the gradient of the class loss through the IoU that weights it, which rewards a bad
    boundary; here the weight is a constant.
    """
    positive = targets.is_positive
    average = outputs["num_positives"]
    average.mul_(MOMENTUM).add_((1 - MOMENTUM) * positive.sum().clamp_min(1))
    logits = outputs["class_logits"].float()
    weight = torch.ones_like(logits)
    boundary = logits.new_zeros(())
    if positive.any():
        center, stride = (x.expand(positive.shape)[positive][:, None] for x in (points.center, points.stride))
        start, end = targets.boundary[positive].unsqueeze(-1).unbind(1)
        wanted = torch.cat([center - start, end - center], dim=-1) / stride  # (N, 2)
        predicted = outputs["distances"][positive].float()  # (N, 2), or (N, K, 2)
        is_class = targets.score[positive] > 0  # (N, K)
        if predicted.dim() == 3:
            predicted, wanted = predicted[is_class], wanted[torch.nonzero(is_class)[:, 0]]
            iou = iou_of_distances(predicted.detach(), wanted)
            weight[positive] = weight[positive].masked_scatter(is_class, iou**IOU_POWER)
        boundary = distance_iou(predicted, wanted).sum()
    classes = (weight * focal(logits, targets.score) * outputs["is_point"][..., None]).sum()
    return (classes + boundary) / average.clone()
