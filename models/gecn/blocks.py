"""Encoding blocks of GE-CN: attention over the joints of a frame, then convolution over time.

Source: GE-CN (MiGA 2023), equations 2-5, after InfoGCN (CVPR 2022; stnoah1/infogcn, model/modules.py). Tensors are
(B, C, T, V) in channels-last memory. The heads are computed together: one product for all queries and keys, one that
mixes the joints for all heads, one for the weights of all heads.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.layers.multiscale_temporal import MultiScaleTemporal

BRANCH_SCALE = 1e-6  # the graph branch starts almost silent: a block begins as its shortcut (model/modules.py)


class JointAttention(nn.Module):
    """Which joints a joint listens to, per frame and head: softmax over j of q_i k_j / sqrt(D), D = C / 8.

    GE-CN's equation 3 prints K Q^T; the softmax over the neighbours j of Q K^T is meant.

    Args:
        init_std: spread of the first weights of Q and K. At the published 1 the scores of normalised features spread so
            widely that nearly all the attention begins on one joint, with hardly a gradient; small data wants less.
    """

    def __init__(self, channels: int, num_heads: int, init_std: float = 1.0) -> None:
        super().__init__()
        self.num_heads, self.head_dim = num_heads, channels // 8
        self.ln = nn.LayerNorm(channels)
        self.to_qk = nn.Linear(channels, 2 * num_heads * self.head_dim)
        nn.init.normal_(self.to_qk.weight, 0, init_std)

    def forward(self, x: Tensor) -> Tensor:
        """(B*T, V, C) -> (B*T, heads, V, V): [h, j, i] is the weight of joint j for joint i, summing to one over j.

        The softmax runs over the last but one axis: it is vectorised there even for few joints.
        """
        qk = self.to_qk(self.ln(x)).view(*x.shape[:2], 2, self.num_heads, self.head_dim)  # (B*T, V, 2, heads, D)
        q, k = qk.permute(2, 0, 3, 1, 4)  # 2 of (B*T, heads, V, D)
        scores = k @ (q * self.head_dim**-0.5).transpose(-1, -2)  # (B*T, heads, V, V)
        return scores.softmax(dim=-2)


class GraphConv(nn.Module):
    """Self-attention graph convolution: ReLU(BN(sum over heads of W_h ((A_h * S_h) x)) + shortcut(x)).

    A_h (V, V) is learned and shared over time, S_h is the attention of the frame, `*` is element by element.

    Args:
        adjacency: (V, V) in place of all A_h and S_h, in one head: the graph convolution of equation 2.
    """

    adjacency: Tensor

    def __init__(
        self, in_channels: int, out_channels: int, num_joints: int, num_heads: int, attention_std: float,
        adjacency: Tensor | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        if adjacency is None:
            self.topology = nn.Parameter(torch.eye(num_joints).repeat(num_heads, 1, 1))
        else:
            num_heads = 1
            self.register_buffer("adjacency", adjacency[None], persistent=False)
        self.weight = nn.Parameter(torch.empty(out_channels, num_heads * in_channels))
        self.bias = nn.Parameter(torch.zeros(num_heads, out_channels))
        nn.init.normal_(self.weight, 0, math.sqrt(2 / (out_channels * in_channels * num_heads)))
        self.down = projection(in_channels, out_channels) if in_channels != out_channels else nn.Identity()
        self.bn = nn.BatchNorm2d(out_channels)
        nn.init.constant_(self.bn.weight, BRANCH_SCALE)
        self.attn = JointAttention(in_channels, num_heads, attention_std) if adjacency is None else None

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, T, V) -> (B, C', T, V)."""
        batch, channels, frames, joints = x.shape
        nodes = x.permute(0, 2, 3, 1).reshape(batch * frames, joints, channels)  # (B*T, V, C)
        if self.attn is None:
            mix = self.adjacency.transpose(-1, -2).expand(len(nodes), -1, -1, -1)
        else:
            mix = self.attn(nodes) * self.topology.transpose(-1, -2)  # (B*T, heads, V, V) as [h, j, i]
        mix = mix.permute(0, 3, 1, 2).reshape(batch * frames, -1, joints)  # (B*T, V*heads, V) as [(i, h), j]
        mixed = (mix @ nodes).view(batch, frames, joints, -1).permute(0, 3, 1, 2)  # (B, heads*C, T, V)
        out = self.bn(F.conv2d(mixed, self.weight[:, :, None, None], self.bias.sum(0)))  # (B, C', T, V)
        return F.relu_(out + self.down(x))


class EncodingBlock(nn.Module):
    """Graph convolution and multi-scale temporal convolution with a residual round both."""

    def __init__(
        self, in_channels: int, out_channels: int, num_joints: int, num_heads: int, attention_std: float, stride: int,
        adjacency: Tensor | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.agcn = GraphConv(in_channels, out_channels, num_joints, num_heads, attention_std, adjacency)
        self.tcn = MultiScaleTemporal(out_channels, out_channels, stride)
        changes = in_channels != out_channels or stride != 1
        self.residual = projection(in_channels, out_channels, stride) if changes else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, T, V) -> (B, C', ceil(T / stride), V)."""
        return F.relu_(F.relu_(self.tcn(self.agcn(x))) + self.residual(x))


def projection(in_channels: int, out_channels: int, stride: int = 1) -> nn.Sequential:
    """1x1 convolution and normalisation, for a shortcut whose channels or frames change."""
    conv = nn.Conv2d(in_channels, out_channels, 1, (stride, 1))
    nn.init.kaiming_normal_(conv.weight, mode="fan_out")
    nn.init.zeros_(conv.get_parameter("bias"))
    return nn.Sequential(conv, nn.BatchNorm2d(out_channels))
