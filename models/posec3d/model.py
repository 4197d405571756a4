"""PoseC3D: a SlowOnly ResNet-50 without its last stage, on a volume of joint or limb heatmaps.

Source: PoseConv3D (arXiv 2104.13586), section 3.3; strides and stage sizes as in pyskl,
configs/posec3d/slowonly_r50_ntu60_xsub/joint.py. The names of the modules give the key layout of public checkpoints.
"""

import torch
from torch import Tensor, nn

from models.layers.bottleneck3d import EXPANSION, ConvBN, init_convolutions, make_stage


class PoseBackbone(nn.Module):
    """Stem, max-pool and the bottleneck stages. Every stage halves the height and width.

    The stem and the first stage look at single frames; the later stages see neighbouring frames (3x1x1 kernels).
    """

    def __init__(
        self, in_channels: int, base_channels: int, blocks: tuple[int, ...], temporal_strides: tuple[int, ...]
    ) -> None:
        super().__init__()
        if len(blocks) != len(temporal_strides):
            raise ValueError(f"blocks {blocks} and temporal_strides {temporal_strides} must have one entry per stage")
        self.conv1 = ConvBN(in_channels, base_channels, (1, 7, 7))
        self.maxpool = nn.MaxPool3d((1, 3, 3), stride=1, padding=(0, 1, 1))
        self.num_stages = len(blocks)
        channels = base_channels
        for i, (num_blocks, stride_t) in enumerate(zip(blocks, temporal_strides, strict=True)):
            planes = base_channels * 2**i
            stage = make_stage(channels, planes, num_blocks, stride=(stride_t, 2), temporal=i > 0)
            self.add_module(f"layer{i + 1}", stage)
            channels = planes * EXPANSION
        self.out_channels = channels

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.conv1(x))  # (B, base, T, H, W)
        for i in range(self.num_stages):
            x = getattr(self, f"layer{i + 1}")(x)  # (B, base * 4 * 2**i, T', H / 2**(i+1), W / 2**(i+1))
        return x


class LinearHead(nn.Module):
    """Dropout and one linear layer, from pooled features to logits."""

    def __init__(self, in_channels: int, num_classes: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.fc_cls = nn.Linear(in_channels, num_classes)

    def forward(self, features: Tensor) -> Tensor:
        return self.fc_cls(self.dropout(features))  # (B, K)


class PoseC3D(nn.Module):
    """The recogniser: heatmap volumes to class logits.

    Args:
        in_channels: joints (or limbs) V of the skeleton, one heatmap channel each.
        num_classes: K.
        base_channels: channels of the stem; published 32. The features have base_channels * 4 * 2**(stages - 1).
        blocks: bottlenecks per stage; published (4, 6, 3), and (3, 4, 6) for one Kinetics variant.
        temporal_strides: stride in time of each stage; published (1, 1, 2); (1, 1, 1) keeps one feature per frame.
        dropout: share of pooled features dropped before the classifier while training.
    """

    def __init__(
        self, in_channels: int, num_classes: int, base_channels: int = 32, blocks: tuple[int, ...] = (4, 6, 3),
        temporal_strides: tuple[int, ...] = (1, 1, 2), dropout: float = 0.5,
    ) -> None:  # fmt: skip
        super().__init__()
        self.backbone = PoseBackbone(in_channels, base_channels, tuple(blocks), tuple(temporal_strides))
        self.cls_head = LinearHead(self.backbone.out_channels, num_classes, dropout)
        self.feature_channels = self.backbone.out_channels
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Start afresh: see `init_convolutions`; the classifier is N(0, 0.01) with zero bias."""
        init_convolutions(self.backbone)
        nn.init.normal_(self.cls_head.fc_cls.weight, std=0.01)
        nn.init.zeros_(self.cls_head.fc_cls.bias)

    def forward(self, heatmaps: Tensor) -> Tensor:
        """Classify clips.

        Args:
            heatmaps: (B, V, T, H, W) float, as drawn by `transforms.heatmaps`.
        Returns:
            logits (B, K).
        """
        features = self.backbone(heatmaps)  # (B, C, T', H', W')
        return self.cls_head(features.mean(dim=(2, 3, 4)))  # (B, K)

    def forward_frames(self, heatmaps: Tensor) -> Tensor:
        """Describe each time step: features averaged over space only.

        Args:
            heatmaps: (B, V, T, H, W).
        Returns:
            (B, T', C); T' = T with temporal strides of one.
        """
        features = self.backbone(heatmaps)  # (B, C, T', H', W')
        return features.mean(dim=(3, 4)).transpose(1, 2)  # (B, T', C)
