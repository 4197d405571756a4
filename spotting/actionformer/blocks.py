"""What the encoder is built of: a block of local attention, and SGP, which has none.

Both keep padding out: a padded token is zero after every layer that a real one could see.

Source: ActionFormer (arXiv 2202.07925), section 3.2, with happyharrycn/actionformer_release, libs/modeling/blocks.py;
SGP: TriDet (arXiv 2303.07347), section 3.2, with dingfengshi/TriDet, libs/modeling/blocks.py.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from spotting.attention import ChannelNorm, banded_attention

LAYER_SCALE = 1e-4  # of a branch that is dropped at random, before training (arXiv 2103.17239)
SGP_START = 0.1  # deviation of SGP's first weights; see SGP
NUM_GROUPS = 16  # of SGP's group norm


def mask_of(is_frame: Tensor, x: Tensor) -> Tensor:
    """(B, T) bool as (B, 1, T) factors in the number format of x."""
    return is_frame[:, None].to(x.dtype)


class DropPath(nn.Module):
    """A learned gain per channel, and while training the whole branch of a window left out at random."""

    def __init__(self, channels: int, probability: float) -> None:
        super().__init__()
        self.probability = probability
        self.scale = nn.Parameter(torch.full((1, channels, 1), LAYER_SCALE))

    def forward(self, x: Tensor) -> Tensor:
        x = self.scale * x
        if not self.training:
            return x
        keep = 1 - self.probability
        return x / keep * (torch.rand(len(x), 1, 1, device=x.device) < keep)


def drop_path(channels: int, probability: float) -> nn.Module:
    """Of probability 0 there is neither gain nor drop, as published."""
    return DropPath(channels, probability) if probability else nn.Identity()


def feed_forward(channels: int, hidden: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv1d(channels, hidden, 1), nn.GELU(), nn.Conv1d(hidden, channels, 1))


class LocalAttention(nn.Module):
    """Attention over near tokens; a depthwise convolution before each projection places them and takes the stride.

    Args:
        channels: C, a multiple of num_heads.
        radius: tokens to either side, after the stride.
        stride: 1, or 2 to halve the length.
    """

    def __init__(self, channels: int, num_heads: int, radius: int, stride: int) -> None:
        super().__init__()
        if channels % num_heads:
            raise ValueError(f"channels {channels} must be a multiple of num_heads {num_heads}")
        self.num_heads, self.radius = num_heads, radius
        self.local = nn.ModuleList(
            nn.Conv1d(channels, channels, 3, stride, padding=1, groups=channels, bias=False) for _ in range(3)
        )
        self.norms = nn.ModuleList(ChannelNorm(channels) for _ in range(3))
        self.projections = nn.ModuleList(nn.Conv1d(channels, channels, 1) for _ in range(3))
        self.output = nn.Conv1d(channels, channels, 1)

    def forward(self, x: Tensor, is_token: Tensor) -> Tensor:
        """(B, C, T) with padding zero, and what is real after the stride (B, T / stride), to (B, C, T / stride)."""
        mask = mask_of(is_token, x)
        query, key, value = (
            projection(norm(local(x) * mask)).unflatten(1, (self.num_heads, -1))
            for local, norm, projection in zip(self.local, self.norms, self.projections, strict=True)
        )  # each (B, heads, C / heads, T / stride)
        mixed = banded_attention(query, key, value, is_token, self.radius)
        return self.output(mixed.flatten(1, 2)) * mask


class TransformerBlock(nn.Module):
    """Norm first, local attention, feed-forward of four times the width; a stride pools the skip by its maximum."""

    def __init__(self, channels: int, num_heads: int, radius: int, stride: int, dropped: float) -> None:
        super().__init__()
        self.norm_attention, self.norm_mlp = ChannelNorm(channels), ChannelNorm(channels)
        self.attention = LocalAttention(channels, num_heads, radius, stride)
        self.skip = nn.MaxPool1d(3, stride, padding=1) if stride > 1 else nn.Identity()
        self.mlp = feed_forward(channels, 4 * channels)
        self.drop_attention, self.drop_mlp = drop_path(channels, dropped), drop_path(channels, dropped)

    def forward(self, x: Tensor, is_token: Tensor, is_out: Tensor) -> Tensor:
        """(B, C, T), what is real before the stride and after it, to (B, C, T / stride)."""
        mask = mask_of(is_out, x)
        # The published code lets the convolutions see the norm's bias in padding; here padding stays zero.
        mixed = self.attention(self.norm_attention(x) * mask_of(is_token, x), is_out)
        x = self.skip(x) * mask + self.drop_attention(mixed)
        return x + self.drop_mlp(self.mlp(self.norm_mlp(x)) * mask)


class SGP(nn.Module):
    """Scalable-granularity perception: FC(x) phi + (conv_w(x) + conv_kw(x)) psi(x) + x, all depthwise, then an MLP.

    phi = ReLU(FC(mean over time)) says what stands out in the window, psi looks at two widths at once.

    The published code starts these convolutions at zero for some data sets (THUMOS, EPIC), where each then multiplies a
    zero and none ever gets a gradient; here they start with a deviation of 0.1, as published for HACS. Its mean takes
    in padding; ours does not.

    Args:
        channels: C, a multiple of 16.
        window, ratio: w, odd, and k: kernels of w and of about k (w + 1) tokens; published 1 and 5 for THUMOS.
        hidden: of the MLP; published 1.5 C.
    """

    def __init__(self, channels: int, hidden: int, stride: int, dropped: float, window: int = 1, ratio: float = 5.0):
        super().__init__()
        if channels % NUM_GROUPS:
            raise ValueError(f"channels {channels} must be a multiple of {NUM_GROUPS}")
        wide = round((window + 1) * ratio)
        wide += wide % 2 == 0
        self.pool = nn.MaxPool1d(3, stride, padding=1) if stride > 1 else nn.Identity()
        self.norm = ChannelNorm(channels)
        kernels = {"psi": window, "instant": 1, "narrow": window, "wide": wide, "whole": 1}
        self.convs = nn.ModuleDict(
            {
                name: nn.Conv1d(channels, channels, kernel, padding=kernel // 2, groups=channels)
                for name, kernel in kernels.items()
            }
        )
        for conv in self.convs.values():
            nn.init.normal_(conv.get_parameter("weight"), std=SGP_START)
        self.norm_mlp = nn.GroupNorm(NUM_GROUPS, channels)
        self.mlp = feed_forward(channels, hidden)
        self.drop_out, self.drop_mlp = drop_path(channels, dropped), drop_path(channels, dropped)

    def forward(self, x: Tensor, is_token: Tensor, is_out: Tensor) -> Tensor:
        """As TransformerBlock."""
        mask = mask_of(is_out, x)
        x = self.pool(x) * mask
        y = self.norm(x) * mask
        convs = self.convs
        mean = y.sum(-1, keepdim=True) / mask.sum(-1, keepdim=True).clamp_min(1)  # (B, C, 1)
        whole = F.relu(convs["whole"](mean))
        mixed = convs["instant"](y) * whole + (convs["narrow"](y) + convs["wide"](y)) * convs["psi"](y) + y
        x = x + self.drop_out(mixed) * mask
        return x + self.drop_mlp(self.mlp(self.norm_mlp(x))) * mask
