"""Stage 1's network: PoseC3D without strides in time, so that every frame keeps a feature of its own.

Source: MiGA 2024 track 2 (NPU) takes the extractor of PoseConv3D (arXiv 2104.13586) and drops its classifier.
"""

import torch
from torch import Tensor, nn

from models.layers.bottleneck3d import init_convolutions
from models.layers.pose_backbone import LinearHead, PoseBackbone


class FrameExtractor(nn.Module):
    """Classifies short clips while it is trained, and describes their frames afterwards.

    Args:
        in_channels: joints V, one heatmap channel each. num_classes: gestures and background.
        base_channels, blocks: size of the pose pathway. dropout: before the classifier.
    """

    def __init__(
        self, in_channels: int, num_classes: int, base_channels: int, blocks: tuple[int, ...], dropout: float = 0.5
    ) -> None:
        super().__init__()
        self.backbone = PoseBackbone(in_channels, base_channels, tuple(blocks), (1,) * len(blocks))
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
        """Classify clips: (B, V, T, H, W) heatmaps to logits (B, K)."""
        return self.cls_head(self.backbone(heatmaps).mean(dim=(2, 3, 4)))

    def forward_frames(self, heatmaps: Tensor) -> Tensor:
        """Describe each frame, averaged over space only: (B, V, T, H, W) to (B, T, C)."""
        return self.backbone(heatmaps).mean(dim=(3, 4)).transpose(1, 2)
