"""The image-level baseline: EfficientNetV2-B0 on a frame, dense layers on its keypoints, both joined.

Source: the image-level report of LUT (MiGA 2024). Sizes and activations that it leaves open are our choices.
"""

from typing import Any

import torch
from torch import Tensor, nn

import miga.training.torchvision_schemas  # noqa: F401, must come before timm

# isort: split
import timm


def dense(in_features: int, *sizes: int) -> nn.Sequential:
    """Linear layers of these sizes, each followed by a ReLU."""
    layers: list[nn.Module] = []
    for size in sizes:
        layers += [nn.Linear(in_features, size), nn.ReLU(inplace=True)]
        in_features = size
    return nn.Sequential(*layers)


class ImageLevel(nn.Module):
    """The classifier of frames.

    Args:
        num_classes: K.
        num_keypoints: P; the vector has three numbers for each.
        channel_multiplier, depth_multiplier: on the widths and depths of the backbone; 1 is published.
        dropout: share of the joined features dropped before the classifier while training.
        backbone: timm's name of the EfficientNet.
    """

    HEADS = ("classifier",)

    def __init__(
        self, num_classes: int, num_keypoints: int = 17, channel_multiplier: float = 1.0, depth_multiplier: float = 1.0,
        dropout: float = 0.3, backbone: str = "tf_efficientnetv2_b0",
    ) -> None:  # fmt: skip
        super().__init__()
        sizes: dict[str, Any] = {"channel_multiplier": channel_multiplier, "depth_multiplier": depth_multiplier}
        # timm's Lite networks do not take the sizes at all.
        sizes = {name: size for name, size in sizes.items() if size != 1.0}
        self.backbone = timm.create_model(backbone, num_classes=0, **sizes)
        num_features: int = self.backbone.num_features  # type: ignore[assignment]
        self.image_layers = dense(num_features, 256, 128)
        self.pose_layers = dense(3 * num_keypoints, 64)
        self.joint_layers = dense(128 + 64, 128)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(128, num_classes)
        self.is_frozen = False

    def freeze_backbone(self, is_frozen: bool) -> None:
        """Keep EfficientNet as it is, the statistics of its normalisation included, or let it learn again."""
        self.is_frozen = is_frozen
        self.backbone.requires_grad_(not is_frozen)

    def train(self, mode: bool = True) -> "ImageLevel":
        super().train(mode)
        if self.is_frozen:
            self.backbone.eval()
        return self

    def forward(self, picture: Tensor, keypoints: Tensor) -> Tensor:
        """Classify frames.

        Args:
            picture: (B, 3, H, W) float, with ImageNet's mean 0 and spread 1.
            keypoints: (B, 3P) y, x, score in [0, 1].
        Returns:
            logits (B, K).
        """
        image = self.image_layers(self.backbone(picture))  # (B, 128)
        pose = self.pose_layers(keypoints)  # (B, 64)
        return self.classifier(self.dropout(self.joint_layers(torch.cat([image, pose], dim=1))))  # (B, K)
