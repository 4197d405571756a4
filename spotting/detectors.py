"""The two detectors by the setting `detector.kind`: the network, the points it looks at, its loss."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from spotting.actionformer.detector import TriDet, grid_points
from spotting.actionformer.losses import tridet_loss
from spotting.actionformer.targets import assign_by_range
from spotting.assign import assign_by_anchors, assign_by_predictions
from spotting.config import DetectorConfig
from spotting.detector import Detector, Points, decode_boundaries, make_points
from spotting.losses import detection_loss

Loss = Callable[[dict[str, Tensor], Tensor, Tensor, int], Tensor]


def build_detector(num_token_channels: int, num_classes: int, config: DetectorConfig) -> nn.Module:
    """An untrained detector of tokens with that many channels."""
    if config.kind == "tridet":
        return TriDet(
            num_token_channels, num_classes, config.width, config.num_levels, config.encoder, config.num_heads,
            config.radius, config.max_distance, config.drop_path, config.dropout, config.context_layers,
        )  # fmt: skip
    return Detector(
        num_token_channels, num_classes, config.stem_channels, config.width, config.num_heads, config.radius,
        config.max_distance, config.dropout, config.context_layers, config.token_norm,
    )  # fmt: skip


def points_of(config: DetectorConfig, device: torch.device | str = "cpu") -> Points:
    """The points of a window."""
    if config.kind == "tridet":
        return grid_points(config.window, config.num_levels, device)
    return make_points(config.window, device)


def detection_loss_of(config: DetectorConfig, device: torch.device) -> Loss:
    """The loss of a batch: (outputs, gestures (B, G, 2) in frames, labels (B, G), -1 = padding, epoch) to a scalar."""
    points = points_of(config, device)

    def mslt(outputs: dict[str, Tensor], gestures: Tensor, labels: Tensor, epoch: int) -> Tensor:
        with torch.no_grad():
            predicted = decode_boundaries(points, outputs["distances"])
            if epoch < config.atss_epochs:
                num_classes = outputs["class_logits"].shape[-1]
                targets = assign_by_anchors(
                    points, predicted, gestures, labels, labels >= 0, outputs["is_point"], num_classes
                )
            else:
                probabilities = outputs["class_logits"].sigmoid()
                targets = assign_by_predictions(
                    points, predicted, probabilities, gestures, labels, labels >= 0, outputs["is_point"]
                )
        return detection_loss(points, outputs, targets)

    def tridet(outputs: dict[str, Tensor], gestures: Tensor, labels: Tensor, epoch: int) -> Tensor:
        num_classes = outputs["class_logits"].shape[-1]
        return tridet_loss(points, outputs, assign_by_range(points, gestures, labels, outputs["is_point"], num_classes))

    return tridet if config.kind == "tridet" else mslt
