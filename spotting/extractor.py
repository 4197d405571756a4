"""Stage 1's networks: the pathways of RGBPose-Conv3D without strides in time, so that every frame keeps its features.

Source: MiGA 2024 track 2 (NPU) takes the extractor of PoseConv3D (arXiv 2104.13586), each pathway with a classifier of
its own, and drops the classifiers. Without laterals the pathways are two networks, trained apart.
"""

from torch import Tensor

from models.layers.pathway_net import PathwayNet
from models.layers.pose_backbone import PoseBackbone
from models.layers.rgb_backbone import RGBBackbone


class FrameExtractor(PathwayNet):
    """Classifies short clips while it is trained, and describes their frames afterwards."""

    def forward_frames(self, x: Tensor) -> Tensor:
        """Describe each frame, averaged over space only: (B, V or 3, T, H, W) to (B, T, C)."""
        return self.backbone(x).mean(dim=(3, 4)).transpose(1, 2)


def pose_extractor(
    num_joints: int, num_classes: int, base_channels: int, blocks: tuple[int, ...], dropout: float
) -> FrameExtractor:
    """On heatmaps, one channel a joint. num_classes: gestures, and background where it is a class."""
    strides = (1,) * len(blocks)
    return FrameExtractor(PoseBackbone(num_joints, base_channels, tuple(blocks), strides), num_classes, dropout)


def rgb_extractor(
    num_classes: int, base_channels: int, blocks: tuple[int, ...], pool_stride: int, dropout: float
) -> FrameExtractor:
    """On pictures. This pathway has no strides in time anyway."""
    return FrameExtractor(RGBBackbone(base_channels, tuple(blocks), pool_stride), num_classes, dropout)
