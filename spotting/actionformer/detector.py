"""The whole second detector, with the outputs of the first (spotting/detector.py)."""

import torch
from torch import Tensor, nn

from spotting.actionformer.encoder import Encoder
from spotting.actionformer.heads import Heads
from spotting.context import TemporalContext
from spotting.detector import Points

START_POSITIVES = 100.0  # of the moving average that the loss is divided by; published


def grid_points(window: int, num_levels: int, device: torch.device | str = "cpu") -> Points:
    """Token t of level l stands for the middle of frame t * 2**l: its convolutions and pools are centred there."""
    strides = [2**level for level in range(num_levels)]
    center = torch.cat([torch.arange(window // stride) * stride + 0.5 for stride in strides])
    level = torch.repeat_interleave(torch.arange(num_levels), torch.tensor([window // s for s in strides]))
    return Points(center.to(device), (2**level).float().to(device), level.to(device))


class TriDet(nn.Module):
    """Encoder and heads.

    Args:
        in_channels: D, channels of a frame token. num_classes: K.
        width, num_levels, encoder, num_heads, radius, dropped: see Encoder.
        max_distance: see Heads.
        dropout: of the input tokens (whole channels) while training; published none.
        context_layers: of TemporalContext before the encoder, which then also names every frame; published 0.
    """

    def __init__(
        self, in_channels: int, num_classes: int, width: int, num_levels: int = 6, encoder: str = "sgp",
        num_heads: int = 4, radius: int = 9, max_distance: int = 16, dropped: float = 0.0, dropout: float = 0.0,
        context_layers: int = 0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.dropout = nn.Dropout1d(dropout)
        self.context = self.frame_head = None
        if context_layers:
            self.context = TemporalContext(in_channels, width, context_layers, dropout)
            self.frame_head = nn.Conv1d(width, num_classes + 1, 1)
        self.encoder = Encoder(
            width if context_layers else in_channels, width, num_levels, encoder, num_heads, radius, dropped
        )
        self.heads = Heads(width, num_classes, num_levels, max_distance)
        self.register_buffer("num_positives", torch.tensor(START_POSITIVES))

    def forward(self, tokens: Tensor, is_frame: Tensor) -> dict[str, Tensor]:
        """Look at windows.

        Args:
            tokens: (B, T, D), one a frame, padded behind. is_frame: (B, T) bool, False for padding.
        Returns:
            class_logits (B, P, K); distances in strides, (B, P, K, 2): each class has its own, or (B, P, 2) without
            TriDet's head; is_point (B, P) bool; logits (B, K), the best point of every class; num_positives (), the
            moving average that the loss keeps; with context layers also frame_logits (B, T, K + 1).
        """
        x = self.dropout(tokens.transpose(1, 2) * is_frame[:, None])  # (B, D, T)
        frame_logits = None
        if self.context is not None and self.frame_head is not None:
            x = self.dropout(self.context(x, is_frame))  # (B, width, T)
            frame_logits = self.frame_head(x).transpose(1, 2)
        levels, masks = self.encoder(x, is_frame)
        outputs = self.heads(levels, masks)
        if frame_logits is not None:
            outputs["frame_logits"] = frame_logits
        outputs["is_point"] = torch.cat(masks, dim=1)
        outputs["logits"] = outputs["class_logits"].masked_fill(~outputs["is_point"][..., None], -torch.inf).amax(1)
        outputs["num_positives"] = self.num_positives
        return outputs
