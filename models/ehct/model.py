"""EHCT: joints to class logits through hypergraph attention within frames and convolution over time.

Source: EHCT (MiGA 2023, CEUR Vol-3522) as far as its abstract and M2HEN (MiGA 2024) describe it, on Hyperformer (arXiv
2211.09590), whose network this is with the defaults. 2.704 M parameters for 22 joints, one person, 32 classes.
"""

import math

import torch
from torch import Tensor, nn

from miga.errors import InputError
from miga.hyperedges import hyperedges_of
from miga.skeletons import Skeleton
from models.ehct.blocks import PROJECTION_GROUPS, HypergraphUnit, TokenBlock
from models.ehct.hypergraph import hop_distances, hyperedge_means
from models.layers.multiscale_temporal import MultiScaleTemporal

BRANCHES = 4  # of the temporal convolution


class EHCT(nn.Module):
    """The network.

    Args:
        skeleton: whose limbs give the hop distances.
        num_classes: K.
        num_persons: M, people a clip; their features are averaged.
        in_channels: numbers per joint; published 3 (x, y, score).
        num_heads, head_dim: their product is the width; published 9 and 24.
        strides: stride in time of each unit; published ten units, the fifth and the eighth with 2.
        grouping: which hyperedges, see `miga.hyperedges`.
        alpha: share of the attention at the start; published 0.
        enhanced: hyperedges with queries, keys and values of their own, handed from unit to unit (H2OFormer).
        token_block: a Transformer block over all tokens before the classifier (H2OFormer).
        dropout: share of the pooled features dropped while training; published 0.
    Raises:
        InputError: a width that is no multiple of 12, an unconnected skeleton, or a grouping it does not have.
    """

    HEADS = ("fc",)

    def __init__(
        self, skeleton: Skeleton, num_classes: int, num_persons: int = 1, in_channels: int = 3, num_heads: int = 9,
        head_dim: int = 24, strides: tuple[int, ...] = (1, 1, 1, 1, 2, 1, 1, 2, 1, 1), grouping: str = "limbs",
        alpha: float = 0.0, enhanced: bool = False, token_block: bool = False, dropout: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__()
        width = num_heads * head_dim
        if width % math.lcm(PROJECTION_GROUPS, BRANCHES):
            raise InputError(f"num_heads {num_heads} times head_dim {head_dim} is {width}, expected a multiple of 12")
        hops = torch.from_numpy(hop_distances(skeleton))
        means = torch.from_numpy(hyperedge_means(hyperedges_of(skeleton, grouping), skeleton.num_joints))
        self.hands_on = enhanced
        self.data_bn = nn.BatchNorm1d(num_persons * skeleton.num_joints * in_channels)
        self.units = nn.ModuleList(
            HypergraphUnit(
                width if i else in_channels, means, hops, num_heads, head_dim, stride, alpha=alpha, enhanced=enhanced
            )
            for i, stride in enumerate(strides)
        )
        self.token_block = TokenBlock(width, num_heads) if token_block else None
        self.drop_out = nn.Dropout(dropout)
        self.fc = nn.Linear(width, num_classes)
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Start as the public code does: He's normal over the fan out in time, N(0, sqrt(2 / K)) in the classifier."""
        for module in self.modules():
            if isinstance(module, MultiScaleTemporal):
                for layer in module.modules():
                    if isinstance(layer, nn.Conv2d):
                        nn.init.kaiming_normal_(layer.weight, mode="fan_out")
                        nn.init.zeros_(layer.get_parameter("bias"))
                    elif isinstance(layer, nn.BatchNorm2d):
                        nn.init.normal_(layer.weight, 1.0, 0.02)
        nn.init.normal_(self.fc.weight, 0, math.sqrt(2 / self.fc.out_features))

    def forward(self, joints: Tensor) -> Tensor:
        """Classify clips.

        Args:
            joints: (B, in_channels, T, V, M), see `miga.transforms.graph`; people who are absent are zeros.
        Returns:
            logits (B, K).
        """
        return self.fc(self.drop_out(self.encode(joints)))

    def encode(self, joints: Tensor) -> Tensor:
        """Features of whole clips: (B, in_channels, T, V, M) -> (B, width)."""
        batch, channels, frames, num_joints, persons = joints.shape
        x = joints.permute(0, 4, 3, 1, 2).flatten(1, 3)  # (B, M*V*C, T)
        x = self.data_bn(x).view(batch * persons, num_joints, channels, frames)
        x = x.permute(0, 3, 1, 2).contiguous().permute(0, 3, 1, 2)  # (B*M, C, T, V) in channels-last memory
        e = None
        for unit in self.units:
            frames = x.shape[2]
            x, e = unit(x, e)  # (B*M, width, T', V)
            if not self.hands_on or x.shape[2] != frames:
                e = None  # from the joints again
        x = x.flatten(2).transpose(1, 2) if self.token_block is None else self.token_block(x)  # (B*M, T'*V, width)
        return x.mean(dim=1).view(batch, persons, -1).mean(dim=1)
