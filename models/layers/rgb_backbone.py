"""The RGB pathway: SlowOnly-R50 on pictures.

Source: PoseConv3D (arXiv 2104.13586), table 2; pyskl, configs/rgbpose_conv3d/rgb_only.py.
"""

from models.layers.bottleneck3d import Bottleneck3d
from models.layers.pathway import Pathway


class RGBBackbone(Pathway):
    """(B, 3, T, H, W) to (B, base * 32, T, H / 32, W / 32). The first two stages look at single frames.

    With `pool_stride` 1 (published 2) everything after the stem is twice as fine, which small pictures need.
    """

    def __init__(
        self, base_channels: int = 64, blocks: tuple[int, ...] = (3, 4, 6, 3), pool_stride: int = 2,
        lateral_channels: tuple[int, ...] = (), block: type[Bottleneck3d] = Bottleneck3d,
    ) -> None:  # fmt: skip
        super().__init__(
            in_channels=3,
            base_channels=base_channels,
            blocks=blocks,
            strides=((1, 1), (1, 2), (1, 2), (1, 2)),
            temporal=(False, False, True, True),
            stem_stride=2,
            pool_stride=pool_stride,
            lateral_channels=lateral_channels,
            block=block,
        )
