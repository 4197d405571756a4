"""PoseC3D: the pose pathway and a linear classifier, on a volume of joint or limb heatmaps.

Source: PoseConv3D (arXiv 2104.13586), section 3.3. The names of the modules give the key layout of public checkpoints.
"""

from torch import Tensor

from models.layers.pathway_net import PathwayNet
from models.layers.pose_backbone import PoseBackbone


class PoseC3D(PathwayNet):
    """The recogniser: heatmap volumes to class logits.

    Args:
        in_channels: joints (or limbs) V of the skeleton, one heatmap channel each.
        num_classes: K.
        base_channels: channels of the stem; published 32. The features have base_channels * 4 * 2**(stages - 1).
        blocks: bottlenecks per stage; published (4, 6, 3), and (3, 4, 6) for one Kinetics variant.
        temporal_strides: stride in time of each stage; published (1, 1, 2); (1, 1, 1) keeps one feature per frame.
        dropout: share of pooled features dropped before the classifier while training.
    """

    HEADS = ("cls_head.fc_cls",)

    def __init__(
        self, in_channels: int, num_classes: int, base_channels: int = 32, blocks: tuple[int, ...] = (4, 6, 3),
        temporal_strides: tuple[int, ...] = (1, 1, 2), dropout: float = 0.5,
    ) -> None:  # fmt: skip
        super().__init__(
            PoseBackbone(in_channels, base_channels, tuple(blocks), tuple(temporal_strides)), num_classes, dropout
        )

    def forward(self, heatmaps: Tensor) -> Tensor:
        """Classify clips.

        Args:
            heatmaps: (B, V, T, H, W) float, as drawn by `miga.transforms.heatmaps`.
        Returns:
            logits (B, K).
        """
        return super().forward(heatmaps)
