"""The pose pathway: a SlowOnly ResNet-50 without its last stage, on a volume of joint or limb heatmaps.

Source: PoseConv3D (arXiv 2104.13586), section 3.3; strides and stage sizes as in pyskl,
configs/posec3d/slowonly_r50_ntu60_xsub/joint.py. The names of the modules give the key layout of public checkpoints.
"""

from models.layers.bottleneck3d import Bottleneck3d
from models.layers.pathway import Pathway


class PoseBackbone(Pathway):
    """(B, V or E, T, H, W) to (B, base * 16, T', H / 8, W / 8): every stage halves the height and width.

    The stem and the first stage look at single frames; the later stages see neighbouring frames (3x1x1 kernels).
    """

    def __init__(
        self, in_channels: int, base_channels: int, blocks: tuple[int, ...], temporal_strides: tuple[int, ...],
        lateral_channels: tuple[int, ...] = (), block: type[Bottleneck3d] = Bottleneck3d,
    ) -> None:  # fmt: skip
        super().__init__(
            in_channels,
            base_channels,
            blocks,
            strides=tuple((stride_t, 2) for stride_t in temporal_strides),
            temporal=tuple(i > 0 for i in range(len(blocks))),
            lateral_channels=lateral_channels,
            block=block,
        )
