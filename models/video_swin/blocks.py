"""Blocks of Video Swin: windowed attention, patches, merging. Between the modules a volume is (B, T, H, W, C).

Source: Video Swin Transformer (arXiv 2106.13230), section 3.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from models.video_swin.windows import (
    Size3,
    fit_window,
    from_windows,
    offset_index,
    pad_to_windows,
    region_mask,
    to_windows,
)

PATCH = (2, 4, 4)  # frames and pixels of a token
MLP_RATIO = 4


class WindowAttention(nn.Module):
    """Multi-head attention among the tokens of one window, with a learned bias for each offset in space and time."""

    def __init__(self, dim: int, window: Size3, num_heads: int) -> None:
        super().__init__()
        self.window, self.num_heads = window, num_heads
        num_offsets = (2 * window[0] - 1) * (2 * window[1] - 1) * (2 * window[2] - 1)
        self.relative_position_bias_table = nn.Parameter(torch.empty(num_offsets, num_heads))
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)
        nn.init.trunc_normal_(self.relative_position_bias_table, std=0.02)

    def forward(self, x: Tensor, window: Size3, mask: Tensor | None) -> Tensor:
        """Attend.

        Args:
            x: (B, L, N, C), L windows of N tokens.
            window: the window in use, at most the one of the bias table.
            mask: (L, N, N) added to the attention logits, or None.
        """
        batch, num_windows, num_tokens, dim = x.shape
        qkv = self.qkv(x).view(batch, num_windows, num_tokens, 3, self.num_heads, -1).permute(3, 0, 1, 4, 2, 5)
        index = offset_index(window, self.window, x.device)  # (N, N)
        bias = self.relative_position_bias_table[index.flatten()].view(num_tokens, num_tokens, -1).permute(2, 0, 1)
        # Four axes, so that the fused kernels apply; which two are joined leaves the bias to be broadcast, not copied.
        if mask is None:
            q, k, v = qkv.flatten(1, 2)  # 3 of (B * L, heads, N, C / heads)
            bias = bias[None]  # (1, heads, N, N)
        else:
            q, k, v = qkv.flatten(2, 3)  # 3 of (B, L * heads, N, C / heads)
            bias = (bias + mask[:, None]).flatten(0, 1)[None]  # (1, L * heads, N, N)
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=bias)
        mixed = mixed.reshape(batch, num_windows, self.num_heads, num_tokens, -1).transpose(2, 3)
        return self.proj(mixed.reshape(batch, num_windows, num_tokens, dim))


class MLP(nn.Module):
    """Two linear layers with a GELU between them."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, MLP_RATIO * dim)
        self.fc2 = nn.Linear(MLP_RATIO * dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.fc1(x)))


class Block(nn.Module):
    """Window attention and an MLP, each normalised before and added to what came in; either may be dropped in training.

    Args:
        is_shifted: windows begin in the middle of those of the block before, so that neighbours exchange.
        drop_path: how often a training clip skips the attention, and independently the MLP.
    """

    def __init__(self, dim: int, window: Size3, num_heads: int, is_shifted: bool, drop_path: float) -> None:
        super().__init__()
        self.window, self.is_shifted, self.drop_path = window, is_shifted, drop_path
        self.norm1 = nn.LayerNorm(dim)
        self.attn = WindowAttention(dim, window, num_heads)
        self.norm2 = nn.LayerNorm(dim)
        self.mlp = MLP(dim)

    def forward(self, x: Tensor) -> Tensor:
        x = x + drop_clips(self._attend(self.norm1(x)), self.drop_path, self.training)
        return x + drop_clips(self.mlp(self.norm2(x)), self.drop_path, self.training)

    def _attend(self, x: Tensor) -> Tensor:
        _, frames, height, width, _ = x.shape
        window, shift = fit_window((frames, height, width), self.window)
        x = pad_to_windows(x, window)
        size = (x.shape[1], x.shape[2], x.shape[3])
        is_moved = self.is_shifted and any(shift)
        mask = region_mask(size, window, shift, x.device) if is_moved else None
        if is_moved:
            x = x.roll([-step for step in shift], dims=(1, 2, 3))
        x = from_windows(self.attn(to_windows(x, window), window, mask), window, size)
        if is_moved:
            x = x.roll(shift, dims=(1, 2, 3))
        return x[:, :frames, :height, :width]


def drop_clips(x: Tensor, share: float, is_train: bool) -> Tensor:
    """Zero a random `share` of the clips (B, ...) while training and enlarge the others to keep the mean.

    Source: stochastic depth, arXiv 1603.09382.
    """
    if not is_train or share == 0:
        return x
    kept = torch.rand(len(x), *[1] * (x.ndim - 1), device=x.device) >= share
    return x * kept.to(x.dtype) / (1 - share)


class PatchMerging(nn.Module):
    """Join 2 x 2 neighbours in space into one token of twice the channels; time stays."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(4 * dim)
        self.reduction = nn.Linear(4 * dim, 2 * dim, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = F.pad(x, (0, 0, 0, x.shape[3] % 2, 0, x.shape[2] % 2))
        corners = [x[:, :, row::2, column::2] for column in (0, 1) for row in (0, 1)]
        return self.reduction(self.norm(torch.cat(corners, dim=-1)))  # (B, T, H / 2, W / 2, 2C)


class Stage(nn.Module):
    """Blocks whose windows are shifted in every second one, then (but for the last stage) a merging of patches.

    Args:
        recompute: keep what comes in to a block instead of all that it computes, and compute that again, with the same
            random draws, when its gradient is wanted. Source: arXiv 1604.06174.
    """

    def __init__(
        self, dim: int, window: Size3, num_heads: int, drop_paths: list[float], is_last: bool, recompute: bool
    ) -> None:
        super().__init__()
        self.recompute = recompute
        self.blocks = nn.Sequential(
            *(Block(dim, window, num_heads, is_shifted=i % 2 == 1, drop_path=p) for i, p in enumerate(drop_paths))
        )
        self.downsample = nn.Identity() if is_last else PatchMerging(dim)

    def forward(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = checkpoint(block, x, use_reentrant=False) if self.recompute and self.training else block(x)
        return self.downsample(x)


class PatchEmbedding(nn.Module):
    """Pictures to tokens of 2 frames x 4 x 4 pixels. Incomplete patches are filled with zeros."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.proj = nn.Conv3d(3, dim, PATCH, PATCH)
        self.norm = nn.LayerNorm(dim)

    def forward(self, x: Tensor) -> Tensor:
        missing = [-length % step for length, step in zip(x.shape[2:], PATCH, strict=True)]
        x = self.proj(F.pad(x, (0, missing[2], 0, missing[1], 0, missing[0])))  # (B, C, T / 2, H / 4, W / 4)
        return self.norm(x.permute(0, 2, 3, 4, 1))  # (B, T / 2, H / 4, W / 4, C)
