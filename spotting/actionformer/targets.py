"""Which points learn which gesture: those near its middle, on the level that suits its length.

Source: ActionFormer (arXiv 2202.07925), section 3.4, with the public label_points of libs/modeling/meta_archs.py.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from spotting.assign import Targets
from spotting.detector import Points

CENTER_RADIUS = 1.5  # strides from a gesture's middle within which a point learns it
FIRST_REACH = 4  # frames: level 0 learns boundaries up to so far away, each further level twice as far
SAME_LENGTH = 1e-3  # frames: gestures that count as equally short


def reach_of(points: Points) -> tuple[Tensor, Tensor]:
    """Frames between which the farther boundary of a point's gesture lies, (P,) each: 0-4, 4-8, 8-16, ..., 2**n-inf."""
    low = torch.where(points.level == 0, 0.0, FIRST_REACH / 2 * points.stride)
    high = torch.where(points.level == points.level.max(), torch.inf, FIRST_REACH * points.stride)
    return low, high


def assign_by_range(points: Points, gestures: Tensor, labels: Tensor, is_point: Tensor, num_classes: int) -> Targets:
    """A point takes the shortest gesture that it lies in, near the middle of, and whose boundaries its level reaches.

    Of gestures of one length the point names all classes, and takes the boundaries of the first.

    Args:
        points: P points of a window. gestures: (B, G, 2) frames. labels: (B, G) zero-based, -1 for padding.
        is_point: (B, P) bool, False in padding.
    """
    center = points.center[:, None]  # (P, 1), against (B, 1, G)
    start, end = gestures[:, None, :, 0], gestures[:, None, :, 1]
    near = CENTER_RADIUS * points.stride[:, None]
    middle = (start + end) / 2
    is_inside = torch.minimum(
        center - torch.maximum(middle - near, start), torch.minimum(middle + near, end) - center
    ) > 0  # (B, P, G)  # fmt: skip
    farther = torch.maximum(center - start, end - center)
    low, high = reach_of(points)
    suits = (farther >= low[:, None]) & (farther <= high[:, None]) & (labels >= 0)[:, None] & is_point[..., None]
    length = (end - start).expand_as(farther).masked_fill(~(is_inside & suits), torch.inf)
    shortest, owner = length.min(-1)  # (B, P)
    is_positive = shortest.isfinite()
    is_named = (length <= shortest[..., None] + SAME_LENGTH) & length.isfinite()  # (B, P, G)
    classes = F.one_hot(labels.clamp_min(0), num_classes).to(gestures.dtype)  # (B, G, K)
    score = (is_named.to(gestures.dtype) @ classes).clamp_max(1)
    boundary = gestures.gather(1, owner[..., None].expand(-1, -1, 2))
    return Targets(score, boundary, is_positive)
