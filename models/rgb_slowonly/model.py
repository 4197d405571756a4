"""RGB SlowOnly-R50: the RGB pathway of the networks on two pathways, and a linear classifier.

Source: SlowFast (arXiv 1812.03982), table 1, the slow pathway; PoseConv3D (arXiv 2104.13586), table 2; pyskl,
configs/rgbpose_conv3d/rgb_only.py. The names of the modules give the key layout of public checkpoints.
"""

from torch import Tensor

from models.layers.pathway_net import PathwayNet
from models.layers.rgb_backbone import RGBBackbone


class RGBSlowOnly(PathwayNet):
    """The recogniser: pictures to class logits.

    Args:
        num_classes: K.
        base_channels: channels of the stem; published 64. The features have 32 times as many.
        blocks: bottlenecks per stage; published (3, 4, 6, 3).
        pool_stride: of the max-pool after the stem; published 2, and 1 for small pictures.
        dropout: share of pooled features dropped before the classifier while training.
    """

    HEADS = ("cls_head.fc_cls",)

    def __init__(
        self, num_classes: int, base_channels: int = 64, blocks: tuple[int, ...] = (3, 4, 6, 3), pool_stride: int = 2,
        dropout: float = 0.5,
    ) -> None:  # fmt: skip
        super().__init__(RGBBackbone(base_channels, tuple(blocks), pool_stride), num_classes, dropout)

    def forward(self, rgb: Tensor) -> Tensor:
        """Classify clips.

        Args:
            rgb: (B, 3, T, H, W) float, normalised as by `miga.transforms.rgb_clip.normalise`.
        Returns:
            logits (B, K).
        """
        return super().forward(rgb)
