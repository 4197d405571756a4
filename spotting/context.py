"""What a frame is part of: dilated convolutions over the tokens, and a class for every frame.

Windows hold few gestures, so on small sets the detection loss alone has little to say; a class for every frame says
something about each of them, and the detector's candidates are scored again by it. The published detector has neither.

Source: MS-TCN (arXiv 1903.01945), section 3.1, for the dilated residual layers.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from spotting.attention import ChannelNorm

SMOOTHING = 0.05  # of the frame labels: annotators differ by a few frames


class TemporalContext(nn.Module):
    """A 1x1 convolution, then residual layers whose dilation doubles: layer i reaches 2**i frames to either side."""

    def __init__(self, in_channels: int, channels: int, num_layers: int, dropout: float) -> None:
        super().__init__()
        self.entry = nn.Conv1d(in_channels, channels, 1)
        self.dropout = nn.Dropout1d(dropout)
        self.dilated = nn.ModuleList(
            nn.Conv1d(channels, channels, 3, padding=2**i, dilation=2**i) for i in range(num_layers)
        )
        self.norms = nn.ModuleList(ChannelNorm(channels) for _ in range(num_layers))
        self.outputs = nn.ModuleList(nn.Conv1d(channels, channels, 1) for _ in range(num_layers))

    def forward(self, x: Tensor, is_frame: Tensor) -> Tensor:
        """(B, D, T) tokens and (B, T) what is real to (B, channels, T); padding stays out of every sum."""
        mask = is_frame[:, None].to(x.dtype)
        x = self.entry(x) * mask
        for dilated, norm, output in zip(self.dilated, self.norms, self.outputs, strict=True):
            x = x + output(self.dropout(F.gelu(norm(dilated(x))))) * mask
        return x


def frame_labels(gestures: Tensor, labels: Tensor, is_frame: Tensor, num_classes: int) -> Tensor:
    """The class of every frame of a window: (B, T), num_classes = background, -100 = padding.

    Args:
        gestures: (B, G, 2) frames. labels: (B, G), -1 for padding. is_frame: (B, T) bool.
    """
    middle = torch.arange(is_frame.shape[1], device=gestures.device) + 0.5
    inside = (middle > gestures[..., :1]) & (middle < gestures[..., 1:]) & (labels >= 0)[..., None]  # (B, G, T)
    first = inside.to(torch.int8).argmax(1)  # gestures do not overlap within a class; of two classes the first counts
    label = torch.where(inside.any(1), labels.gather(1, first), num_classes)
    return torch.where(is_frame, label, -100)


def frame_loss(frame_logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy over the real frames: (B, T, K + 1) and (B, T)."""
    return F.cross_entropy(frame_logits.flatten(0, 1), labels.flatten(), label_smoothing=SMOOTHING)
