"""The pose pathway: a SlowOnly ResNet-50 without its last stage, on a volume of joint or limb heatmaps.

Source: PoseConv3D (arXiv 2104.13586), section 3.3; strides and stage sizes as in pyskl,
configs/posec3d/slowonly_r50_ntu60_xsub/joint.py. The names of the modules give the key layout of public checkpoints.
"""

from torch import Tensor, nn

from models.layers.bottleneck3d import EXPANSION, ConvBN, make_stage


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
