"""The heads, shared by all levels: class scores, and distances of the boundaries by TriDet's relative distribution.

Source: ActionFormer (arXiv 2202.07925), section 3.3; Trident head: TriDet (arXiv 2303.07347), section 3.3, with the
public code of both, libs/modeling/meta_archs.py.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from spotting.actionformer.blocks import mask_of
from spotting.actionformer.encoder import MaskedConv
from spotting.estimator import START_PROBABILITY

NUM_HIDDEN = 2  # layers before the last one


class ConvHead(nn.Module):
    """Two hidden layers and an output of width 3.

    Args:
        is_score: the output is a class score: it starts at a probability of 0.01.
    """

    def __init__(self, channels: int, out_channels: int, is_score: bool) -> None:
        super().__init__()
        self.hidden = nn.ModuleList(MaskedConv(channels, channels) for _ in range(NUM_HIDDEN))
        self.output = nn.Conv1d(channels, out_channels, 3, padding=1)
        start = -math.log((1 - START_PROBABILITY) / START_PROBABILITY) if is_score else 0.0
        nn.init.constant_(self.output.get_parameter("bias"), start)

    def forward(self, x: Tensor, is_token: Tensor) -> Tensor:
        """(B, C, T) to (B, out_channels, T), zero in padding."""
        mask = mask_of(is_token, x)
        x = x * mask
        for layer in self.hidden:
            x = layer(x, is_token)
        return self.output(x) * mask


def trident_distances(start_scores: Tensor, end_scores: Tensor, offsets: Tensor) -> Tensor:
    """Mean distances to start and end, from how likely each of the next R + 1 tokens is one.

    The left distance of token t is sum_d d softmax_d(start_scores[t - d] + offsets[t, 0, R - d]), the right one the
    same to the other side with end_scores[t + d] and offsets[t, 1, d]. A token outside the window scores 0.

    Args:
        start_scores, end_scores: (B, K, T), a class each.
        offsets: (B, T, 2, R + 1), the token's own view of both distances.
    Returns:
        (B, T, K, 2), in tokens, 0 to R.
    """
    num_bins = offsets.shape[-1]
    near_start = F.pad(start_scores, (num_bins - 1, 0)).unfold(-1, num_bins, 1)  # (B, K, T, R + 1), farthest first
    near_end = F.pad(end_scores, (0, num_bins - 1)).unfold(-1, num_bins, 1)  # nearest first
    distance = offsets.new_tensor(range(num_bins))
    left = (near_start + offsets[:, None, :, 0]).softmax(-1) @ distance.flip(0)  # (B, K, T)
    right = (near_end + offsets[:, None, :, 1]).softmax(-1) @ distance
    return torch.stack([left, right], dim=-1).transpose(1, 2)


class Heads(nn.Module):
    """Class scores and distances at every token of every level.

    Args:
        channels: of the levels. num_classes: K. num_levels: L.
        max_distance: R, the farthest bin in tokens of the level; published 16. 0 = ActionFormer's plain distances, one
            pair for all classes.
    """

    def __init__(self, channels: int, num_classes: int, num_levels: int, max_distance: int) -> None:
        super().__init__()
        self.max_distance = max_distance
        self.cls = ConvHead(channels, num_classes, is_score=True)
        self.reg = ConvHead(channels, 2 * (max_distance + 1), is_score=False)
        self.scales = nn.Parameter(torch.ones(num_levels))
        self.start = self.end = None
        if max_distance:
            self.start, self.end = (ConvHead(channels, num_classes, is_score=True) for _ in range(2))

    def forward(self, levels: list[Tensor], masks: list[Tensor]) -> dict[str, Tensor]:
        """Levels one after another, P points in all: class_logits (B, P, K), distances (B, P, K, 2), or (B, P, 2)."""
        logits, distances = [], []
        for x, mask, scale in zip(levels, masks, self.scales, strict=True):
            logits.append(self.cls(x, mask).transpose(1, 2))  # (B, T_l, K)
            offsets = F.relu(scale * self.reg(x, mask)).transpose(1, 2)  # (B, T_l, 2 (R + 1))
            if self.start is not None and self.end is not None:
                near = x.detach()  # as published: boundary scores do not shape the features
                offsets = offsets.unflatten(-1, (2, -1))
                offsets = trident_distances(self.start(near, mask), self.end(near, mask), offsets)
            distances.append(offsets)
        return {"class_logits": torch.cat(logits, dim=1), "distances": torch.cat(distances, dim=1)}
