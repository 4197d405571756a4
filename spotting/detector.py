"""The detector: frame tokens of a window to class scores and boundaries at the points of four time scales."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from spotting.attention import LocalTransformer
from spotting.context import TemporalContext
from spotting.estimator import Estimator, expected_distance
from spotting.pyramid import Pyramid


class Points(NamedTuple):
    """Where the detector looks: P points, all levels one after another, in frames of the window."""

    center: Tensor  # (P,) float: (t + 0.5) * stride
    stride: Tensor  # (P,) float: frames a token of the level stands for
    level: Tensor  # (P,) int64


def make_points(window: int, device: torch.device | str = "cpu", num_levels: int = Pyramid.NUM_LEVELS) -> Points:
    """Points of a window of that many frames; level l has a stride of 2**l frames."""
    strides = [2**level for level in range(num_levels)]
    counts = [window // stride for stride in strides]
    level = torch.repeat_interleave(torch.arange(num_levels), torch.tensor(counts))
    token = torch.cat([torch.arange(count) for count in counts])
    stride = (2**level).float()
    return Points(((token + 0.5) * stride).to(device), stride.to(device), level.to(device))


def decode_boundaries(points: Points, distances: Tensor) -> Tensor:
    """Distances (..., P, 2) in strides to boundaries (..., P, 2) in frames of the window: start, end."""
    start = points.center - distances[..., 0] * points.stride
    end = points.center + distances[..., 1] * points.stride
    return torch.stack([start, end], dim=-1)


class Detector(nn.Module):
    """Pyramid, one local transformer a level, heads.

    Args:
        in_channels: D, channels of a frame token.
        num_classes: K.
        stem_channels, width: see Pyramid; published 512 and 512.
        num_heads, radius: see LocalTransformer.
        max_distance: R; see Estimator.
        dropout: of the input tokens (whole channels) and before the heads, while training; published none.
        token_norm: a layer norm on the tokens first; published none.
        context_layers: of TemporalContext before the pyramid, which then also names every frame; published 0.
    """

    def __init__(
        self, in_channels: int, num_classes: int, stem_channels: int, width: int, num_heads: int = 4, radius: int = 4,
        max_distance: int = 16, dropout: float = 0.0, context_layers: int = 0, token_norm: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        self.norm = nn.LayerNorm(in_channels) if token_norm else nn.Identity()
        self.dropout = nn.Dropout1d(dropout)
        self.context = self.frame_head = None
        if context_layers:
            self.context = TemporalContext(in_channels, stem_channels, context_layers, dropout)
            self.frame_head = nn.Conv1d(stem_channels, num_classes + 1, 1)
        self.pyramid = Pyramid(stem_channels if context_layers else in_channels, stem_channels, width)
        self.local = nn.ModuleList(LocalTransformer(width, num_heads, radius) for _ in range(Pyramid.NUM_LEVELS))
        self.estimator = Estimator(width, num_classes, Pyramid.NUM_LEVELS, max_distance, dropout)

    def forward(self, tokens: Tensor, is_frame: Tensor) -> dict[str, Tensor]:
        """Look at windows.

        Args:
            tokens: (B, T, D), one a frame, padded behind. is_frame: (B, T) bool, False for padding.
        Returns:
            class_logits (B, P, K), distance_logits (B, P, 2, R + 1), distances (B, P, 2) in strides,
            is_point (B, P) bool: False where a point lies in padding; logits (B, K), the best point of every class;
            with context layers also frame_logits (B, T, K + 1), the last one background.
        """
        x = self.dropout(self.norm(tokens).transpose(1, 2) * is_frame[:, None])  # (B, D, T)
        frame_logits = None
        if self.context is not None and self.frame_head is not None:
            x = self.dropout(self.context(x, is_frame))  # (B, stem_channels, T)
            frame_logits = self.frame_head(x).transpose(1, 2)
        levels = self.pyramid(x)  # L of (B, width, T_l)
        masks = [is_frame[:, :: 2**i] for i in range(len(levels))]  # a token is real when its first frame is
        levels = [block(level, mask) for block, level, mask in zip(self.local, levels, masks, strict=True)]
        outputs = self.estimator(levels, masks)
        if frame_logits is not None:
            outputs["frame_logits"] = frame_logits
        outputs["distances"] = expected_distance(outputs["distance_logits"])
        outputs["is_point"] = torch.cat(masks, dim=1)
        outputs["logits"] = outputs["class_logits"].masked_fill(~outputs["is_point"][..., None], -torch.inf).amax(1)
        return outputs
