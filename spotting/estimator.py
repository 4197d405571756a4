"""The detection heads: a class score and two boundary distances for every token of every level.

Source: MiGA 2024 track 2 (NPU) with MSLT for the initial values. The distances are distributions over R + 1 bins
(Generalized Focal Loss, arXiv 2006.04388, section 3); the class score is trained to be IoU-aware (VarifocalNet).
"""

import math

import torch
from torch import Tensor, nn

from spotting.pyramid import ConvNormSiLU

START_PROBABILITY = 0.01  # of every class before training: most points are background


class ChannelAttention(nn.Module):
    """Weigh the channels by their mean over time: CBS1(F * sigmoid(FC(mean F)))."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc = nn.Linear(channels, channels)
        self.conv = ConvNormSiLU(channels, channels, 1)
        nn.init.normal_(self.fc.weight, std=0.001)
        nn.init.zeros_(self.fc.bias)

    def forward(self, x: Tensor, is_frame: Tensor) -> Tensor:
        weight = is_frame[:, None].to(x.dtype)  # (B, 1, T)
        mean = (x * weight).sum(-1) / weight.sum(-1).clamp_min(1.0)  # (B, C)
        return self.conv(x * self.fc(mean).sigmoid()[..., None])  # (B, C, T)


class Estimator(nn.Module):
    """Heads for all levels; the two channel attentions are shared by the levels, the last convolutions are not.

    Args:
        channels: width of the pyramid.
        num_classes: K.
        num_levels: L.
        max_distance: R, the largest distance in strides; the distance is the mean over bins 0..R.
        dropout: share of channels zeroed before the last convolutions while training.
    """

    def __init__(
        self, channels: int, num_classes: int, num_levels: int = 4, max_distance: int = 16, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.num_bins = max_distance + 1
        self.attention_cls = ChannelAttention(channels)
        self.attention_reg = ChannelAttention(channels)
        self.dropout = nn.Dropout1d(dropout)
        self.cls = nn.ModuleList(nn.Conv1d(channels, num_classes, 3, padding=1) for _ in range(num_levels))
        self.reg = nn.ModuleList(nn.Conv1d(channels, 2 * self.num_bins, 3, padding=1) for _ in range(num_levels))
        for head in self.cls:
            nn.init.zeros_(head.get_parameter("weight"))
            nn.init.constant_(head.get_parameter("bias"), -math.log((1 - START_PROBABILITY) / START_PROBABILITY))
        for head in self.reg:
            nn.init.zeros_(head.get_parameter("weight"))
            nn.init.ones_(head.get_parameter("bias"))

    def forward(self, levels: list[Tensor], is_frame: list[Tensor]) -> dict[str, Tensor]:
        """Score every point, the levels one after another (P points in all).

        Args:
            levels: L of (B, C, T_l). is_frame: L of (B, T_l) bool.
        Returns:
            class_logits (B, P, K); distance_logits (B, P, 2, R + 1), left side first.
        """
        logits, distances = [], []
        for x, mask, cls, reg in zip(levels, is_frame, self.cls, self.reg, strict=True):
            logits.append(cls(self.dropout(self.attention_cls(x, mask) + x)).transpose(1, 2))  # (B, T_l, K)
            bins = reg(self.dropout(self.attention_reg(x, mask))).transpose(1, 2)  # (B, T_l, 2 (R + 1))
            distances.append(bins.unflatten(-1, (2, self.num_bins)))
        return {"class_logits": torch.cat(logits, dim=1), "distance_logits": torch.cat(distances, dim=1)}


def expected_distance(distance_logits: Tensor) -> Tensor:
    """Mean of the distribution over bins 0..R: (..., R + 1) -> (...), in strides of the point's level."""
    bins = torch.arange(distance_logits.shape[-1], dtype=distance_logits.dtype, device=distance_logits.device)
    return distance_logits.softmax(-1) @ bins
