"""Frame tokens to a pyramid of time scales: two convolutions, blocks at full length, then one block a coarser level.

Source: ActionFormer (arXiv 2202.07925), section 3.2: (2, 2, 5) embedding layers, blocks at full length, and levels
below; the pyramid is taken as it is, but for a norm a level. TriDet (arXiv 2303.07347) puts SGP in place of attention.
"""

from torch import Tensor, nn
from torch.nn import functional as F

from spotting.actionformer.blocks import SGP, TransformerBlock, mask_of
from spotting.attention import ChannelNorm

NUM_EMBEDDING = NUM_STEM = 2


class MaskedConv(nn.Module):
    """Convolution of width 3 without bias, norm over the channels, ReLU; padding stays zero for the next one."""

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(in_channels, channels, 3, padding=1, bias=False)
        self.norm = ChannelNorm(channels)

    def forward(self, x: Tensor, is_token: Tensor) -> Tensor:
        mask = mask_of(is_token, x)
        return F.relu(self.norm(self.conv(x) * mask)) * mask


class Encoder(nn.Module):
    """Tokens (B, D, T) to L levels (B, width, T / 2**l).

    Args:
        in_channels: D. width: channels of every level; published 512.
        num_levels: L, published 6. kind: sgp or attention.
        num_heads, radius: of attention; published 4 and 9 (a window of 19).
        dropped: probability of a dropped branch; published 0.1, with SGP only where the length is halved.
    """

    def __init__(
        self, in_channels: int, width: int, num_levels: int, kind: str, num_heads: int = 4, radius: int = 9,
        dropped: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__()
        channels = [in_channels, *[width] * NUM_EMBEDDING]
        self.embedding = nn.ModuleList(MaskedConv(channels[i], width) for i in range(NUM_EMBEDDING))

        def block(stride: int) -> nn.Module:
            if kind == "sgp":
                return SGP(width, width * 3 // 2, stride, dropped if stride > 1 else 0.0)
            return TransformerBlock(width, num_heads, radius, stride, dropped)

        self.stem = nn.ModuleList(block(1) for _ in range(NUM_STEM))
        self.branch = nn.ModuleList(block(2) for _ in range(num_levels - 1))
        self.norms = nn.ModuleList(ChannelNorm(width) for _ in range(num_levels))
        for module in self.modules():
            if isinstance(module, nn.Conv1d) and module.bias is not None:
                nn.init.zeros_(module.bias)

    def forward(self, tokens: Tensor, is_frame: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Levels, and what is real on each, (B, T / 2**l) bool: a token is when its first frame is.

        Raises:
            ValueError: T cannot be halved for every level.
        """
        if tokens.shape[-1] % 2 ** len(self.branch):
            raise ValueError(f"the window must be a multiple of {2 ** len(self.branch)}, got {tokens.shape[-1]}")
        x = tokens * mask_of(is_frame, tokens)
        for layer in self.embedding:
            x = layer(x, is_frame)
        for layer in self.stem:
            x = layer(x, is_frame, is_frame)
        levels, masks = [x], [is_frame]
        for layer in self.branch:
            masks.append(masks[-1][:, ::2])
            levels.append(layer(levels[-1], masks[-2], masks[-1]))
        return [norm(level) for norm, level in zip(self.norms, levels, strict=True)], masks
