"""Local self-attention: each token attends to its neighbours only.

Computed on the band itself (T x (2r + 1) scores), never on a T x T matrix with a mask.

Source: MiGA 2024 track 2 (NPU) equations 3-4; the depthwise convolution before each projection is MSLT's, after
ActionFormer (arXiv 2202.07925), section 3.2.
"""

import torch
from torch import Tensor, nn


class ChannelNorm(nn.Module):
    """Layer norm over the channels of (B, C, T), with a gain and a bias per channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(x.transpose(1, 2)).transpose(1, 2)


def banded_attention(query: Tensor, key: Tensor, value: Tensor, is_frame: Tensor, radius: int) -> Tensor:
    """Softmax attention of token t over tokens t - radius .. t + radius.

    Args:
        query, key, value: (B, heads, C, T).
        is_frame: (B, T) bool, False for padding, which nobody attends to.
        radius: tokens to either side.
    Returns:
        (B, heads, C, T). A token with only padding around it gets a mean of zeros and padding: defined, never used.
    """
    length, reach = query.shape[-1], (radius, radius)
    key, value = nn.functional.pad(key, reach), nn.functional.pad(value, reach)
    near = nn.functional.pad(is_frame, reach).unfold(1, 2 * radius + 1, 1)  # (B, T, 2 radius + 1)
    # One product an offset: nine long ones are several times faster than a 9-wide matrix product for every token.
    offsets = range(2 * radius + 1)
    scores = torch.stack([(query * key[..., o : o + length]).sum(2) for o in offsets], dim=-1)  # (B, heads, T, 2r + 1)
    scores = scores / query.shape[2] ** 0.5
    weights = scores.masked_fill(~near[:, None], torch.finfo(scores.dtype).min).softmax(-1)[:, :, None]
    return sum(weights[..., o] * value[..., o : o + length] for o in offsets)


class LocalTransformer(nn.Module):
    """Depthwise convolution and norm on query, key and value, banded attention, projection, residual.

    The published code has no residual; we add it, because the detection heads sit right behind this block.

    Args:
        channels: C, divisible by num_heads.
        num_heads: published 4.
        radius: tokens to either side; published window 8 with overlap 4 = 4.
    """

    def __init__(self, channels: int, num_heads: int = 4, radius: int = 4) -> None:
        super().__init__()
        if channels % num_heads:
            raise ValueError(f"channels {channels} must be a multiple of num_heads {num_heads}")
        self.num_heads = num_heads
        self.radius = radius
        self.local = nn.ModuleList(
            nn.Conv1d(channels, channels, 3, padding=1, groups=channels, bias=False) for _ in range(3)
        )
        self.norms = nn.ModuleList(ChannelNorm(channels) for _ in range(3))
        self.projections = nn.ModuleList(nn.Conv1d(channels, channels, 1) for _ in range(3))
        self.output = nn.Conv1d(channels, channels, 1)

    def forward(self, x: Tensor, is_frame: Tensor) -> Tensor:
        batch, channels, length = x.shape
        query, key, value = (
            projection(norm(local(x))).view(batch, self.num_heads, -1, length)
            for local, norm, projection in zip(self.local, self.norms, self.projections, strict=True)
        )  # each (B, heads, C / heads, T)
        mixed = banded_attention(query, key, value, is_frame, self.radius)
        return x + self.output(mixed.reshape(batch, channels, length))  # (B, C, T)
