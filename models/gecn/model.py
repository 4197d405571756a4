"""GE-CN: joints to class logits through attention graph convolutions and a noisy bottleneck z.

Source: GE-CN (MiGA 2023), section 3; where it is silent its parent InfoGCN (CVPR 2022; stnoah1/infogcn,
model/infogcn.py). 1.542 M parameters for 22 joints, one person, 32 classes.
"""

import math
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from miga.errors import InputError
from miga.skeletons import Skeleton
from models.gecn.blocks import EncodingBlock

MAX_STD = 100.0  # the noise never grows beyond this (model/infogcn.py)


def mode_matrix(skeleton: Skeleton, k: int) -> np.ndarray:
    """I - A^k of the k-th mode, where A leads from child to parent: what is subtracted is the k-th ancestor.

    k = 1 gives bones; k beyond the depth of the tree leaves the joints as they are.

    Returns:
        (V, V) float32.
    Raises:
        InputError: k below 1; I - A^0 is zero, and the network would see nothing.
    """
    if k < 1:
        raise InputError(f"k must be at least 1 (1 = bones, {skeleton.num_joints} = joints), got {k}: I - A^0 is zero")
    parents = skeleton.parents
    children = np.array([joint for joint in range(skeleton.num_joints) if joint != skeleton.center])
    to_parent = np.zeros((skeleton.num_joints, skeleton.num_joints), dtype=np.float32)
    to_parent[children, parents[children]] = 1
    return np.eye(skeleton.num_joints, dtype=np.float32) - np.linalg.matrix_power(to_parent, k)


def normalised_adjacency(skeleton: Skeleton) -> np.ndarray:
    """D^-1/2 (A + I) D^-1/2 of the limbs (GE-CN, equation 2): (V, V) float32."""
    linked = np.eye(skeleton.num_joints, dtype=np.float32)
    for a, b in skeleton.limbs:
        linked[a, b] = linked[b, a] = 1
    scale = linked.sum(0) ** -0.5
    return linked * scale[:, None] * scale


class GECN(nn.Module):
    """The network.

    Args:
        skeleton: the tree of joints behind the k-th mode.
        num_classes: K.
        num_persons: M, people per clip; their features are averaged.
        width: channels of the first three blocks, a multiple of 8; then twice and four times that. Published 64.
        k: which mode of the skeleton goes in, see `mode_matrix`. Published 1 (bones).
        in_channels: numbers per joint; published 3 (x, y, score).
        num_heads: attention heads; published 3.
        attention_std: spread of the first weights of the attention, see `JointAttention`; published 1.
        noise: r in z = mu + eps * exp(r * logvar) while training; published 0.5. At test time z = mu.
        dropout: share of the pooled features dropped while training; published 0.
        attention: False mixes the joints by the fixed normalised adjacency alone, the baseline of table 1.
    Raises:
        InputError: k below 1, or a width that is not a multiple of 8.
    """

    HEADS = ("decoder",)

    mode: Tensor

    def __init__(
        self, skeleton: Skeleton, num_classes: int, num_persons: int = 1, width: int = 64, k: int = 1,
        in_channels: int = 3, num_heads: int = 3, attention_std: float = 1.0, noise: float = 0.5, dropout: float = 0.0,
        attention: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        if width % 8:
            raise InputError(f"width must be a multiple of 8, got {width}")
        joints = skeleton.num_joints
        self.noise = noise
        self.register_buffer("mode", torch.from_numpy(mode_matrix(skeleton, k)), persistent=False)
        self.to_joint_embedding = nn.Linear(in_channels, width)
        self.pos_embedding = nn.Parameter(torch.randn(1, joints, width))
        self.data_bn = nn.BatchNorm1d(num_persons * joints * width)
        fixed = None if attention else torch.from_numpy(normalised_adjacency(skeleton))
        widths = [width] * 4 + [2 * width] * 3 + [4 * width] * 3
        for i, (wide_in, wide_out) in enumerate(pairwise(widths), start=1):
            stride = 1 if wide_in == wide_out else 2
            self.add_module(f"l{i}", EncodingBlock(wide_in, wide_out, joints, num_heads, attention_std, stride, fixed))
        self.num_blocks = len(widths) - 1
        self.z_dim = widths[-1]
        self.fc = nn.Linear(self.z_dim, self.z_dim)
        self.drop_out = nn.Dropout(dropout)
        self.fc_mu = nn.Linear(self.z_dim, self.z_dim)
        self.fc_logvar = nn.Linear(self.z_dim, self.z_dim)
        self.decoder = nn.Linear(self.z_dim, num_classes)
        for layer in (self.fc, self.fc_mu, self.fc_logvar):
            nn.init.xavier_uniform_(layer.weight, gain=nn.init.calculate_gain("relu"))
        nn.init.normal_(self.decoder.weight, 0, math.sqrt(2 / num_classes))

    def forward(self, joints: Tensor) -> dict[str, Tensor]:
        """Classify clips.

        Args:
            joints: (B, in_channels, T, V, M), see `miga.transforms.graph`; people who are absent are zeros.
        Returns:
            logits (B, K); z, mu and logvar (B, 4 * width). In eval mode z is mu.
        """
        x = self.encode(joints)  # (B, 4 * width)
        x = self.drop_out(F.relu_(self.fc(x)))
        mu, logvar = self.fc_mu(x), self.fc_logvar(x)
        z = mu
        if self.training and self.noise > 0:
            z = mu + torch.randn_like(mu) * (self.noise * logvar).exp().clamp(max=MAX_STD)
        return {"logits": self.decoder(z), "z": z, "mu": mu, "logvar": logvar}

    def encode(self, joints: Tensor) -> Tensor:
        """Features of whole clips: (B, in_channels, T, V, M) -> (B, 4 * width)."""
        batch, _, frames, num_joints, persons = joints.shape
        x = joints.permute(0, 2, 4, 3, 1)  # (B, T, M, V, in)
        x = self.to_joint_embedding(self.mode @ x) + self.pos_embedding  # (B, T, M, V, C)
        x = self.data_bn(x.flatten(0, 1).flatten(1)).view(batch, frames, persons, num_joints, -1)
        x = x.transpose(1, 2).flatten(0, 1).permute(0, 3, 1, 2)  # (B*M, C, T, V) in channels-last memory
        for i in range(1, self.num_blocks + 1):
            x = getattr(self, f"l{i}")(x)  # (B*M, C times 1, 2 or 4, T', V)
        return x.mean(dim=(2, 3)).view(batch, persons, -1).mean(dim=1)
