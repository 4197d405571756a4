"""Cutting a volume of tokens into windows, and what attention in a window has to know: its mask and its offsets.

Source: Video Swin Transformer (arXiv 2106.13230), sections 3.1 and 3.2. Where an axis of the input is not longer than
the window, the window is that axis and is not shifted along it. The offsets are counted for the window that is really
used: the public code (SwinTransformer/Video-Swin-Transformer) cuts the table of the full window at [:N, :N] instead,
which is the same when only time is short, and mixes up rows and columns when height or width is.
"""

from functools import lru_cache
from math import prod

import torch
import torch.nn.functional as F
from torch import Tensor

Size3 = tuple[int, int, int]  # frames, height, width, in tokens

FORBIDDEN = -100.0  # added to the logits of attention between regions that only meet because of the shift


def fit_window(size: Size3, window: Size3) -> tuple[Size3, Size3]:
    """The window that fits a volume of `size`, and how far odd blocks shift it: half, or 0 where it fills the axis."""
    (t, h, w), (full_t, full_h, full_w) = size, window
    fitted = (min(t, full_t), min(h, full_h), min(w, full_w))
    shift = tuple(0 if length <= full else full // 2 for length, full in zip(size, window, strict=True))
    return fitted, (shift[0], shift[1], shift[2])


def pad_to_windows(x: Tensor, window: Size3) -> Tensor:
    """Append zeros to the axes of (B, T, H, W, C) until each is a multiple of the window."""
    (_, *size, _) = x.shape
    missing = [-length % step for length, step in zip(size, window, strict=True)]
    if not any(missing):
        return x
    return F.pad(x, (0, 0, 0, missing[2], 0, missing[1], 0, missing[0]))


def to_windows(x: Tensor, window: Size3) -> Tensor:
    """(B, T, H, W, C), each axis a multiple of the window, to (B, windows, N, C) with N tokens a window."""
    batch, frames, height, width, channels = x.shape
    t, h, w = window
    x = x.view(batch, frames // t, t, height // h, h, width // w, w, channels)
    return x.permute(0, 1, 3, 5, 2, 4, 6, 7).reshape(batch, -1, t * h * w, channels)


def from_windows(x: Tensor, window: Size3, size: Size3) -> Tensor:
    """The way back: (B, windows, N, C) to (B, T, H, W, C) with (T, H, W) = size."""
    (frames, height, width), (t, h, w) = size, window
    x = x.view(len(x), frames // t, height // h, width // w, t, h, w, x.shape[-1])
    return x.permute(0, 1, 4, 2, 5, 3, 6, 7).reshape(len(x), frames, height, width, -1)


@lru_cache(maxsize=64)
def region_mask(size: Size3, window: Size3, shift: Size3, device: torch.device) -> Tensor:
    """(windows, N, N): 0 between tokens of one region, FORBIDDEN between tokens that the shift brought together.

    After the cyclic shift the last window of an axis holds its end and its beginning: up to 3 x 3 x 3 regions in all.

    Args:
        size: of the padded volume.
    """
    axes = []
    for length, step, moved in zip(size, window, shift, strict=True):
        position = torch.arange(length)
        axes.append((position >= length - step).int() + (position >= length - moved).int())
    t, h, w = axes
    regions = 9 * t[:, None, None] + 3 * h[:, None] + w  # (T, H, W)
    tokens = to_windows(regions[None, ..., None], window)[0, ..., 0]  # (windows, N)
    differs = tokens[:, :, None] != tokens[:, None, :]  # (windows, N, N)
    return (FORBIDDEN * differs).to(device)


@lru_cache(maxsize=64)
def offset_index(window: Size3, full_window: Size3, device: torch.device) -> Tensor:
    """(N, N): for each pair of tokens of `window`, the row of the bias table of `full_window` for their offset.

    The table has a row per offset from -(full - 1) to full - 1 along each axis; time is its slowest axis.
    """
    grid = torch.cartesian_prod(*(torch.arange(length) for length in window)).view(prod(window), 3)
    offsets = grid[:, None] - grid[None] + torch.tensor(full_window) - 1  # (N, N, 3), from 0
    _, height, width = (2 * length - 1 for length in full_window)
    return ((offsets[..., 0] * height + offsets[..., 1]) * width + offsets[..., 2]).to(device)
