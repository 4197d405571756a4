"""The hierarchical feature extractor: frame tokens to a pyramid of four time scales.

Source: MSLT, "Micro-expression spotting with multi-scale local transformer in long videos"; the stem keeps the length
as in MiGA 2024 track 2 (NPU), so that level 1 has one token a frame.
"""

import torch
from torch import Tensor, nn

from spotting.attention import ChannelNorm


class ConvNormSiLU(nn.Sequential):
    """Convolution in time, layer norm over the channels, SiLU. Called CBS in the source."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int, stride: int = 1) -> None:
        super().__init__(
            nn.Conv1d(in_channels, out_channels, kernel, stride, (kernel - 1) // 2),
            ChannelNorm(out_channels),
            nn.SiLU(),
        )


class C3(nn.Module):
    """Two half-width branches, one of them a residual 1-3 bottleneck, joined by a 1x1 convolution."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        half = in_channels // 2
        self.plain = ConvNormSiLU(in_channels, half, 1)
        self.entry = ConvNormSiLU(in_channels, half, 1)
        self.bottleneck = nn.Sequential(ConvNormSiLU(half, half, 1), ConvNormSiLU(half, half, 3))
        self.join = ConvNormSiLU(2 * half, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        deep = self.entry(x)
        deep = deep + self.bottleneck(deep)
        return self.join(torch.cat([self.plain(x), deep], dim=1))  # (B, out, T)


class PoolPyramid(nn.Module):
    """Three chained max-pools of width 5 beside their input: context of 13 tokens for little. Called SPPF."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.entry = ConvNormSiLU(channels, half, 1)
        self.pool = nn.MaxPool1d(5, stride=1, padding=2)
        self.join = ConvNormSiLU(4 * half, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        views = [self.entry(x)]
        for _ in range(3):
            views.append(self.pool(views[-1]))
        return self.join(torch.cat(views, dim=1))  # (B, C, T)


class Pyramid(nn.Module):
    """Tokens (B, D, T) to four levels (B, width, T), (B, width, T/2), (B, width, T/4), (B, width, T/8).

    Args:
        in_channels: D, channels of a frame token.
        stem_channels: after the first convolution; published 512 for pose, 1024 for RGB.
        width: channels of every level; published 512.
    """

    NUM_LEVELS = 4

    def __init__(self, in_channels: int, stem_channels: int, width: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(ConvNormSiLU(in_channels, stem_channels, 3), C3(stem_channels, width))
        self.first = C3(width, width)
        self.down = nn.ModuleList(ConvNormSiLU(width, width, 3, stride=2) for _ in range(3))
        self.blocks = nn.ModuleList([C3(width, width), C3(width, width), PoolPyramid(width)])
        self.merge = nn.ModuleList(ConvNormSiLU(2 * width, width, 3) for _ in range(3))

    def forward(self, tokens: Tensor) -> list[Tensor]:
        if tokens.shape[-1] % 8:
            raise ValueError(f"the window must be a multiple of 8 tokens, got {tokens.shape[-1]}")
        levels = [self.first(self.stem(tokens))]  # (B, width, T)
        for down, block in zip(self.down, self.blocks, strict=True):
            levels.append(block(down(levels[-1])))  # (B, width, T / 2), then / 4, / 8
        for i in (2, 1, 0):
            finer = nn.functional.interpolate(levels[i + 1], scale_factor=2, mode="linear", align_corners=False)
            levels[i] = self.merge[i](torch.cat([levels[i], finer], dim=1))
        return levels
