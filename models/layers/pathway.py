"""One pathway of a 3D residual network: a stem, a max-pool and bottleneck stages, on pictures or on heatmaps.

Source: PoseConv3D (arXiv 2104.13586), table 2; strides and kernels as in pyskl, configs/rgbpose_conv3d/. The names of
the modules give the key layout of public checkpoints.
"""

from torch import Tensor, nn

from models.layers.bottleneck3d import EXPANSION, Bottleneck3d, ConvBN, make_stage


class Pathway(nn.Module):
    """Stem, max-pool and stages. A stage with `temporal` set sees neighbouring frames (3x1x1 kernels).

    Args:
        in_channels: 3 for pictures, joints V or limbs E for heatmaps.
        base_channels: channels of the stem; stage i puts out base_channels * 4 * 2**i.
        blocks: bottlenecks per stage.
        strides: (time, space) of each stage.
        temporal: of each stage.
        stem_stride, pool_stride: in space.
        lateral_channels: channels that each stage gets from the other pathway beside its own; empty = none.
        block: the bottleneck, `Bottleneck3d` or a subclass.
    """

    layer1: nn.Sequential
    layer2: nn.Sequential
    layer3: nn.Sequential
    layer4: nn.Sequential  # of a pathway with four stages

    def __init__(
        self, in_channels: int, base_channels: int, blocks: tuple[int, ...], strides: tuple[tuple[int, int], ...],
        temporal: tuple[bool, ...], stem_stride: int = 1, pool_stride: int = 1,
        lateral_channels: tuple[int, ...] = (), block: type[Bottleneck3d] = Bottleneck3d,
    ) -> None:  # fmt: skip
        super().__init__()
        lateral_channels = lateral_channels or (0,) * len(blocks)
        if not len(blocks) == len(strides) == len(temporal) == len(lateral_channels):
            raise ValueError(
                f"blocks {blocks}, strides {strides}, temporal {temporal} and lateral_channels {lateral_channels} "
                "must have one entry per stage"
            )
        self.conv1 = ConvBN(in_channels, base_channels, (1, 7, 7), (1, stem_stride, stem_stride))
        self.maxpool = nn.MaxPool3d((1, 3, 3), stride=(1, pool_stride, pool_stride), padding=(0, 1, 1))
        self.num_stages = len(blocks)
        channels = base_channels
        for i in range(self.num_stages):
            planes = base_channels * 2**i
            stage = make_stage(channels + lateral_channels[i], planes, blocks[i], strides[i], temporal[i], block)
            self.add_module(f"layer{i + 1}", stage)
            channels = planes * EXPANSION
        self.out_channels = channels

    def stem(self, x: Tensor) -> Tensor:
        return self.maxpool(self.conv1(x))  # (B, base, T, H', W')

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for i in range(self.num_stages):
            x = getattr(self, f"layer{i + 1}")(x)  # (B, base * 4 * 2**i, T', H', W')
        return x
