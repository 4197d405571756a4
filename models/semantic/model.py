"""PoseC3D with a second linear head, which regresses the word vector of the class name.

Source: Li et al. (arXiv 2307.10624); the network is PoseConv3D (arXiv 2104.13586), section 3.3. The names
of the modules give the key layout of public checkpoints; the second head is `cls_head.emb_fc`.
"""

from torch import Tensor, nn

from models.layers.bottleneck3d import init_convolutions
from models.layers.pathway_net import LinearHead
from models.layers.pose_backbone import PoseBackbone


class SemanticHead(LinearHead):
    """Dropout once, then two linear layers on what is left: class logits and the embedding."""

    def __init__(self, in_channels: int, num_classes: int, dropout: float, embedding_dims: int) -> None:
        super().__init__(in_channels, num_classes, dropout)
        self.emb_fc = nn.Linear(in_channels, embedding_dims)

    def forward(self, features: Tensor) -> dict[str, Tensor]:  # type: ignore[override]
        kept = self.dropout(features)
        return {"logits": self.fc_cls(kept), "embedding": self.emb_fc(kept)}  # (B, K), (B, D)


class SemanticPoseC3D(nn.Module):
    """Heatmap volumes to class logits and an embedding.

    Args:
        in_channels: joints (or limbs) V of the skeleton, one heatmap channel each.
        num_classes: K.
        embedding_dims: D, length of a word vector.
        base_channels, blocks, dropout: as in PoseC3D; published 32, (4, 6, 3), 0.5.
    """

    HEADS = ("cls_head.fc_cls",)

    def __init__(
        self, in_channels: int, num_classes: int, embedding_dims: int = 300, base_channels: int = 32,
        blocks: tuple[int, ...] = (4, 6, 3), dropout: float = 0.5,
    ) -> None:  # fmt: skip
        super().__init__()
        self.backbone = PoseBackbone(in_channels, base_channels, tuple(blocks), temporal_strides=(1, 1, 2))
        self.cls_head = SemanticHead(self.backbone.out_channels, num_classes, dropout, embedding_dims)
        init_convolutions(self.backbone)
        for layer in (self.cls_head.fc_cls, self.cls_head.emb_fc):
            nn.init.normal_(layer.weight, std=0.01)
            nn.init.zeros_(layer.bias)

    def forward(self, heatmaps: Tensor) -> dict[str, Tensor]:
        """Classify clips.

        Args:
            heatmaps: (B, V, T, H, W) float, as drawn by `miga.transforms.heatmaps`.
        Returns:
            {"logits": (B, K), "embedding": (B, D)}.
        """
        features = self.backbone(heatmaps)  # (B, C, T', H', W')
        return self.cls_head(features.mean(dim=(2, 3, 4)))
