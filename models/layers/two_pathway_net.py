"""Classifiers on two pathways.

Source: PoseConv3D (arXiv 2104.13586), section 3.4; pyskl, pyskl/models/heads/rgbpose_head.py. The names of the modules
give the key layout of public checkpoints.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.layers.bottleneck3d import init_convolutions
from models.layers.pathway_net import PathwayNet
from models.layers.two_pathway import Pair, TwoPathwayBackbone


class TwoPathwayHead(nn.Module):
    """Dropout and a linear layer for each pathway."""

    def __init__(self, in_channels: tuple[int, int], num_classes: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.fc_rgb = nn.Linear(in_channels[0], num_classes)
        self.fc_pose = nn.Linear(in_channels[1], num_classes)

    def forward(self, rgb: Tensor, pose: Tensor) -> Pair:
        """Pooled features (B, C_rgb) and (B, C_pose) to two logits (B, K)."""
        return self.fc_rgb(self.dropout(rgb)), self.fc_pose(self.dropout(pose))


class TwoPathwayNet(nn.Module):
    """The recogniser: a TwoPathwayBackbone and a classifier for each pathway.

    Args:
        pose_channels: joints V or limbs E.
        num_classes: K.
        dropout: share of pooled features dropped before the classifiers while training.
        backbone: the other arguments of `TwoPathwayBackbone`.
    """

    HEADS: tuple[str, ...] = ("cls_head",)

    def __init__(self, pose_channels: int, num_classes: int, dropout: float = 0.5, **backbone) -> None:
        super().__init__()
        self.backbone = TwoPathwayBackbone(pose_channels, **backbone)
        self.cls_head = TwoPathwayHead(self.backbone.out_channels, num_classes, dropout)
        for pathway in (self.backbone.rgb_path, self.backbone.pose_path):  # fusions keep what they were built with
            init_convolutions(pathway)
        for classifier in (self.cls_head.fc_rgb, self.cls_head.fc_pose):
            nn.init.normal_(classifier.weight, std=0.01)
            nn.init.zeros_(classifier.bias)

    def forward(self, rgb: Tensor, heatmaps: Tensor) -> dict[str, Tensor]:
        """Classify clips.

        Args:
            rgb, heatmaps: as `TwoPathwayBackbone.forward` takes them.
        Returns:
            logits_rgb and logits_pose (B, K), and logits (B, K) float32: the logarithm of their mean probability.
        """
        rgb, pose = self.backbone(rgb, heatmaps)
        logits_rgb, logits_pose = self.cls_head(rgb.mean(dim=(2, 3, 4)), pose.mean(dim=(2, 3, 4)))  # (B, K) each
        return {
            "logits": mean_log_probs(logits_rgb, logits_pose), "logits_rgb": logits_rgb, "logits_pose": logits_pose,
        }  # fmt: skip


def mean_log_probs(logits_rgb: Tensor, logits_pose: Tensor) -> Tensor:
    """log((softmax(rgb) + softmax(pose)) / 2), (B, K) float32: a softmax gives the mean probability back."""
    log_probs = torch.stack((logits_rgb.float().log_softmax(1), logits_pose.float().log_softmax(1)))  # (2, B, K)
    return log_probs.logsumexp(0) - math.log(2)


def both_cross_entropies(output: dict[str, Tensor], labels: Tensor) -> Tensor:
    """Cross entropy of the RGB classifier plus that of the pose classifier, 1:1."""
    return F.cross_entropy(output["logits_rgb"].float(), labels) + F.cross_entropy(
        output["logits_pose"].float(), labels
    )


@torch.no_grad()
def merge_pathways(network: TwoPathwayNet, rgb_net: PathwayNet, pose_net: PathwayNet) -> None:
    """Copy two networks trained alone into `network`, in place.

    The convolutions that see laterals have more input channels there; the new ones get zeros. So each pathway begins
    with exactly the logits that it gave alone, and the laterals, left as initialised, join in by training.
    """
    _copy_padded(rgb_net.backbone, network.backbone.rgb_path)
    _copy_padded(pose_net.backbone, network.backbone.pose_path)
    network.cls_head.fc_rgb.load_state_dict(rgb_net.cls_head.fc_cls.state_dict())
    network.cls_head.fc_pose.load_state_dict(pose_net.cls_head.fc_cls.state_dict())


def _copy_padded(source: nn.Module, target: nn.Module) -> None:
    wide = target.state_dict()  # shares memory with the target
    for key, tensor in source.state_dict().items():
        if wide[key].shape == tensor.shape:
            wide[key].copy_(tensor)
        else:
            wide[key].zero_()
            wide[key][:, : tensor.shape[1]].copy_(tensor)
