"""Stage 1's network: PoseC3D without strides in time, so that every frame keeps a feature of its own.

Source: MiGA 2024 track 2 (NPU) takes the extractor of PoseConv3D (arXiv 2104.13586) and drops its classifier.
"""

from torch import Tensor

from models.layers.pathway_net import PathwayNet
from models.layers.pose_backbone import PoseBackbone


class FrameExtractor(PathwayNet):
    """Classifies short clips while it is trained, and describes their frames afterwards.

    Args:
        in_channels: joints V, one heatmap channel each. num_classes: gestures and background.
        base_channels, blocks: size of the pose pathway. dropout: before the classifier.
    """

    def __init__(
        self, in_channels: int, num_classes: int, base_channels: int, blocks: tuple[int, ...], dropout: float = 0.5
    ) -> None:
        super().__init__(
            PoseBackbone(in_channels, base_channels, tuple(blocks), (1,) * len(blocks)), num_classes, dropout
        )

    def forward(self, heatmaps: Tensor) -> Tensor:
        """Classify clips: (B, V, T, H, W) heatmaps to logits (B, K)."""
        return super().forward(heatmaps)

    def forward_frames(self, heatmaps: Tensor) -> Tensor:
        """Describe each frame, averaged over space only: (B, V, T, H, W) to (B, T, C)."""
        return self.backbone(heatmaps).mean(dim=(3, 4)).transpose(1, 2)
