"""Cross-modal fusion: each pathway's features are gated by what it hears from the other, before the lateral exchange.

Source: Prototype Learning for Micro-gesture Classification (arXiv 2408.03097), equations 1 to 4; sizes and the order of
the steps as in PCAN (arXiv 2412.14719), whose code attends over time steps. The paper's text speaks of attention over
channels: `tokens="channel"`, with the same W_q, W_k, W_v.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class ChannelAttention(nn.Module):
    """Attention of C' channels to the C' channels of the other modality: equations 1 and 2 over channels.

    Q = x W_q, K = y W_k and V = y W_v are (B, T, C'); the weights are softmax(Q^T K / sqrt(T)), (B, C', C').
    """

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.to_q, self.to_k, self.to_v = (nn.Linear(hidden, hidden) for _ in range(3))

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """(B, T, C') that asks, (B, T, C') that is asked -> (B, T, C')."""
        return F.scaled_dot_product_attention(self.to_q(x).mT, self.to_k(y).mT, self.to_v(y).mT).mT


class CrossModalFusion(nn.Module):
    """Features (B, C_rgb, T, H, W) and (B, C_pose, speed_ratio * T, H, W) to features of the same shapes.

    Both gates start at zero, so a merged network begins with the outputs it had without the fusion (the public code
    starts with random gates).

    Args:
        rgb_channels, pose_channels: of the features.
        hidden: channels C' of the tokens, a multiple of `heads`; published 128 and 256 at the two exchanges.
        speed_ratio: pose frames per RGB frame.
        heads, dropout: of the attention; published 8 and 0.1.
        tokens: with learnt projections; time: T tokens of C' numbers; channel: C' tokens of T numbers.
    """

    def __init__(
        self, rgb_channels: int, pose_channels: int, hidden: int, speed_ratio: int = 4, heads: int = 8,
        dropout: float = 0.1, tokens: str = "time",
    ) -> None:  # fmt: skip
        super().__init__()
        kernel = (speed_ratio, 1, 1)
        self.squeeze_rgb = nn.Conv3d(rgb_channels, hidden, 1)
        self.squeeze_pose = nn.Conv3d(pose_channels, hidden, kernel, kernel)
        if tokens == "time":
            self.attend_rgb: nn.Module = nn.MultiheadAttention(hidden, heads, dropout, batch_first=True)
            self.attend_pose: nn.Module = nn.MultiheadAttention(hidden, heads, dropout, batch_first=True)
        else:
            self.attend_rgb, self.attend_pose = ChannelAttention(hidden), ChannelAttention(hidden)
        self.gate_rgb = nn.Conv3d(hidden, rgb_channels, 1)
        self.gate_pose = nn.ConvTranspose3d(hidden, pose_channels, kernel, kernel)
        for gate in (self.gate_rgb, self.gate_pose):
            nn.init.zeros_(gate.weight)
            nn.init.zeros_(gate.get_parameter("bias"))
        self.tokens = tokens

    def forward(self, rgb: Tensor, pose: Tensor) -> tuple[Tensor, Tensor]:
        r = self.squeeze_rgb(rgb).amax(dim=(3, 4)).mT  # (B, T, C')
        p = self.squeeze_pose(pose).amax(dim=(3, 4)).mT  # (B, T, C')
        if self.tokens == "time":
            r = self.attend_rgb(r, p, p, need_weights=False)[0]
            p = self.attend_pose(p, r, r, need_weights=False)[0]
        else:
            r = self.attend_rgb(r, p)
            p = self.attend_pose(p, r)
        gate_rgb = self.gate_rgb(r.mT[..., None, None])  # (B, C_rgb, T, 1, 1)
        gate_pose = self.gate_pose(p.mT[..., None, None])  # (B, C_pose, speed_ratio * T, 1, 1)
        return torch.addcmul(rgb, rgb, gate_rgb), torch.addcmul(pose, pose, gate_pose)
