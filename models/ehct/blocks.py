"""The blocks of EHCT: hypergraph attention over the joints of a frame, then convolution over time.

Source: Hyperformer (arXiv 2211.09590; ZhouYuxuanYX/Hyperformer, model/Hyperformer.py), on which EHCT is built. EHCT's
text is not public; what the same authors changed in their next model, H2OFormer (xiazhaoqiang/H2OFormer-
MicroGestureRec, model/H2OFormer_e10d4.py), is optional here and called `enhanced`.

Inside, tensors are (B, T, V, C): a 1x1 convolution is then a linear layer. Heads are written out as (heads, D).
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.layers.multiscale_temporal import MultiScaleTemporal

PROJECTION_GROUPS = 6  # of the 1x1 convolution behind the attention; a multiple of it must be the width


class HypergraphAttention(nn.Module):
    """Attention over the V joints of a frame whose scores also see hop distances and hyperedges.

        A_ij = (q_i k_j + q_i R_hop(i,j) + q_i e_j + u e_j) / sqrt(D)
        out = (alpha softmax_j(A) + O) v, then a 1x1 convolution in groups

    alpha begins at 0 and O at the identity: training starts from a network that treats each joint alone.

    Args:
        in_channels: C.
        hops: (V, V) int, see `hypergraph.hop_distances`.
        num_heads, head_dim: their product C' is the width, a multiple of 6.
        alpha: where the share of the attention begins; published 0.
        enhanced: H2OFormer's form: e has its own queries, keys and values (eq, ek, ev), the last two terms become
            q_i ek_j + eq_i ek_j, and e goes on as beta softmax_j(eq_i ek_j / sqrt(D)) ev_j with beta first 0. (That
            repository takes v in place of ev, most likely by a slip; here it is ev.)
    """

    hops: Tensor

    def __init__(
        self, in_channels: int, hops: Tensor, num_heads: int, head_dim: int, alpha: float = 0.0, enhanced: bool = False
    ) -> None:
        super().__init__()
        width = num_heads * head_dim
        self.num_heads, self.head_dim, self.enhanced = num_heads, head_dim, enhanced
        self.register_buffer("hops", hops, persistent=False)
        self.qkv = nn.Linear(in_channels, 3 * width, bias=False)
        self.hop_table = nn.Parameter(torch.zeros(int(hops.max()) + 1, width))  # R
        self.outer = nn.Parameter(torch.eye(len(hops)).repeat(num_heads, 1, 1))  # O
        self.alpha = nn.Parameter(torch.full((1,), alpha))
        self.proj = nn.Conv2d(width, width, 1, groups=PROJECTION_GROUPS)
        if enhanced:
            self.edge_qkv = nn.Linear(width, 3 * width, bias=False)
            self.beta = nn.Parameter(torch.zeros(1))
        else:
            self.edge_bias = nn.Parameter(torch.zeros(num_heads, head_dim))  # u

    def forward(self, x: Tensor, e: Tensor) -> tuple[Tensor, Tensor]:
        """Mix the joints.

        Args:
            x: (B, T, V, C), normalised.
            e: (B, T, V, C'), every joint's hyperedge.
        Returns:
            (B, T, V, C') and the hyperedges for the next block (B, T, V, C').
        """
        frames = x.shape[1]
        q, k, v = self.heads(self.qkv(x), 3)  # 3 of (B*T, heads, V, D)
        q = q * self.head_dim**-0.5
        if self.enhanced:
            eq, ek, ev = self.heads(self.edge_qkv(e), 3)
            edge_scores = ek @ (eq * self.head_dim**-0.5).transpose(-1, -2)  # (B*T, heads, V, V) as [j, i]
        else:
            (ek,) = self.heads(e, 1)
            edge_scores = ek @ self.edge_bias[:, :, None] * self.head_dim**-0.5  # (B*T, heads, V, 1): alike for every i
        scores = (k + ek) @ q.transpose(-1, -2) + self.hop_scores(q) + edge_scores  # (B*T, heads, V, V) as [j, i]
        # The softmax runs over the last but one axis: it is vectorised there even for few joints.
        mix = torch.addcmul(self.outer.transpose(-1, -2), self.alpha, scores.softmax(dim=-2))
        x = self.join(mix.transpose(-1, -2) @ v, frames)  # (B, T, V, C')
        x = self.proj(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        if self.enhanced:
            e = self.join(self.beta * (edge_scores.softmax(dim=-2).transpose(-1, -2) @ ev), frames)
        return x, e

    def hop_scores(self, q: Tensor) -> Tensor:
        """q_i R_hop(i,j): (B*T, heads, V, D) -> (B*T, heads, V, V) as [j, i]."""
        table = F.embedding(self.hops, self.hop_table).unflatten(2, (self.num_heads, -1))  # (V, V, heads, D)
        return torch.einsum("bhid,ijhd->bhji", q, table)

    def heads(self, x: Tensor, parts: int) -> tuple[Tensor, ...]:
        """(B, T, V, parts * C') -> `parts` of (B*T, heads, V, D)."""
        split = x.reshape(-1, x.shape[2], parts, self.num_heads, self.head_dim)
        return split.permute(2, 0, 3, 1, 4).unbind(0)

    def join(self, x: Tensor, frames: int) -> Tensor:
        """(B*T, heads, V, D) -> (B, T, V, C')."""
        return x.transpose(1, 2).reshape(-1, frames, x.shape[2], self.num_heads * self.head_dim)


class HypergraphUnit(nn.Module):
    """h = skip(x) + attention(norm(x), E); ReLU(MS-TC(h) + residual(x)). There is no feed-forward layer.

    E is the mean over the joints of a joint's own hyperedge, projected; see `hypergraph.hyperedge_means`.
    """

    means: Tensor

    def __init__(
        self, in_channels: int, means: Tensor, hops: Tensor, num_heads: int, head_dim: int, stride: int = 1,
        alpha: float = 0.0, enhanced: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        width = num_heads * head_dim
        self.register_buffer("means", means, persistent=False)
        self.norm = nn.LayerNorm(in_channels)
        self.attention = HypergraphAttention(in_channels, hops, num_heads, head_dim, alpha, enhanced)
        self.edge_proj = nn.Linear(in_channels, width, bias=False)
        self.skip = nn.Identity() if in_channels == width else nn.Linear(in_channels, width, bias=False)
        self.temporal = MultiScaleTemporal(width, width, stride)
        same = in_channels == width and stride == 1
        self.residual = nn.Identity() if same else projection(in_channels, width)
        self.stride = stride

    def forward(self, x: Tensor, e: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(B, C, T, V) -> (B, C', ceil(T / stride), V), and the hyperedges that the attention handed on.

        Args:
            e: (B, T, V, C') hyperedges of the unit before; None = computed from the joints.
        """
        nodes = x.permute(0, 2, 3, 1)  # (B, T, V, C)
        if e is None:
            e = self.edge_proj(self.means @ nodes)  # (B, T, V, C')
        mixed, e = self.attention(self.norm(nodes), e)
        mixed = self.skip(nodes) + mixed
        # The frames are taken before the 1x1 convolution, not by its stride: with fewer than eight channels oneDNN's
        # AVX2 kernel of the strided one writes past the end of its memory (torch 2.13, channels-last).
        shortcut = self.residual(x[:, :, :: self.stride])
        return F.relu_(self.temporal(mixed.permute(0, 3, 1, 2)) + shortcut), e


class TokenBlock(nn.Module):
    """A plain Transformer block over all T * V tokens of a clip (H2OFormer puts one before the classifier)."""

    def __init__(self, width: int, num_heads: int, expansion: int = 4) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.proj = nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, expansion * width), nn.GELU(), nn.Linear(expansion * width, width))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, T, V) -> (B, T * V, C)."""
        x = x.flatten(2).transpose(1, 2)  # (B, T*V, C)
        qkv = self.qkv(self.norm1(x)).unflatten(2, (3, self.num_heads, -1)).permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(*qkv.unbind(0))  # (B, heads, T*V, D)
        x = x + self.proj(attended.transpose(1, 2).flatten(2))
        return x + self.mlp(self.norm2(x))


def projection(in_channels: int, out_channels: int) -> nn.Sequential:
    """1x1 convolution and normalisation, for a shortcut whose channels or frames change."""
    conv = nn.Conv2d(in_channels, out_channels, 1)
    nn.init.kaiming_normal_(conv.weight, mode="fan_out")
    nn.init.zeros_(conv.get_parameter("bias"))
    return nn.Sequential(conv, nn.BatchNorm2d(out_channels))
