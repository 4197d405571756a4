"""Two pathways with cross-modal fusion at both exchanges and prototypes on both ends.

Source: Prototype Learning for Micro-gesture Classification (arXiv 2408.03097), section 2; the trunk is RGBPose-Conv3D
(arXiv 2104.13586), section 3.4.
"""

from torch import Tensor

from models.layers.two_pathway import exchange_channels
from models.layers.two_pathway_net import TwoPathwayNet, mean_log_probs
from models.prototype.fusion import CrossModalFusion
from models.prototype.refinement import PrototypicalRefinement


class PrototypeNet(TwoPathwayNet):
    """The recogniser.

    Args:
        pose_channels: joints V or limbs E.
        num_classes: K.
        dims: D of the prototypes; published 256.
        prototype_factors: at test, this much of the similarity with the prototypes is added to the logits of (RGB,
            pose); 0 as in the paper; PCAN's code has (5, 1).
        tokens: of the fusion's attention; see `CrossModalFusion`.
        dropout, trunk: as `TwoPathwayNet` takes them.
    """

    HEADS = ("cls_head",)

    def __init__(
        self, pose_channels: int, num_classes: int, dims: int = 256,
        prototype_factors: tuple[float, float] = (0.0, 0.0), tokens: str = "time", dropout: float = 0.5,
        rgb_base: int = 64, pose_base: int = 32, speed_ratio: int = 4, **trunk,
    ) -> None:  # fmt: skip
        fusions = [
            CrossModalFusion(rgb, pose, hidden=pose, speed_ratio=speed_ratio, tokens=tokens)
            for rgb, pose in zip(*exchange_channels(rgb_base, pose_base), strict=True)
        ]
        super().__init__(
            pose_channels, num_classes, dropout, rgb_base=rgb_base, pose_base=pose_base, speed_ratio=speed_ratio,
            fusions=fusions, **trunk,
        )  # fmt: skip
        rgb_channels, pose_channels = self.backbone.out_channels
        self.refine_rgb = PrototypicalRefinement(rgb_channels, num_classes, dims)
        self.refine_pose = PrototypicalRefinement(pose_channels, num_classes, dims)
        self.prototype_factors = prototype_factors

    def forward(self, rgb: Tensor, heatmaps: Tensor) -> dict[str, Tensor]:
        """Classify clips.

        Args:
            rgb, heatmaps: as `TwoPathwayBackbone.forward` takes them.
        Returns:
            logits_rgb and logits_pose (B, K), embedded_rgb and embedded_pose (B, D), and logits (B, K) float32: the
            logarithm of the pathways' mean probability.
        """
        rgb, pose = self.backbone(rgb, heatmaps)
        logits_rgb, logits_pose = self.cls_head(rgb.mean(dim=(2, 3, 4)), pose.mean(dim=(2, 3, 4)))  # (B, K) each
        embedded_rgb, embedded_pose = self.refine_rgb(rgb), self.refine_pose(pose)  # (B, D) each
        if not self.training and any(self.prototype_factors):
            logits_rgb = logits_rgb + self.prototype_factors[0] * self.refine_rgb.similarity(embedded_rgb)
            logits_pose = logits_pose + self.prototype_factors[1] * self.refine_pose.similarity(embedded_pose)
        return {
            "logits": mean_log_probs(logits_rgb, logits_pose), "logits_rgb": logits_rgb, "logits_pose": logits_pose,
            "embedded_rgb": embedded_rgb, "embedded_pose": embedded_pose,
        }  # fmt: skip
