"""A classifier on one pathway.

Source: PoseConv3D (arXiv 2104.13586), section 3.3; pyskl, pyskl/models/heads/simple_head.py. The names of the modules
give the key layout of public checkpoints.
"""

from torch import Tensor, nn

from models.layers.bottleneck3d import init_convolutions
from models.layers.pathway import Pathway


class LinearHead(nn.Module):
    """Dropout and one linear layer, from pooled features to logits."""

    def __init__(self, in_channels: int, num_classes: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.fc_cls = nn.Linear(in_channels, num_classes)

    def forward(self, features: Tensor) -> Tensor:
        return self.fc_cls(self.dropout(features))  # (B, K)


class PathwayNet(nn.Module):
    """One pathway and its classifier.

    The keys are those of public single-pathway checkpoints: `backbone.` and `cls_head.fc_cls.`.
    """

    def __init__(self, backbone: Pathway, num_classes: int, dropout: float = 0.5) -> None:
        super().__init__()
        self.backbone = backbone
        self.cls_head = LinearHead(backbone.out_channels, num_classes, dropout)
        init_convolutions(self.backbone)
        nn.init.normal_(self.cls_head.fc_cls.weight, std=0.01)
        nn.init.zeros_(self.cls_head.fc_cls.bias)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3 or V, T, H, W) to logits (B, K)."""
        return self.cls_head(self.backbone(x).mean(dim=(2, 3, 4)))  # (B, K)
