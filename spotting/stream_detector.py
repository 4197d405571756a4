"""A detector over the tokens of one stream, or of several that share it.

Source: MiGA 2024 track 2 (NPU), section 3.2: the encoders of both streams share their weights. Tokens of the streams
differ in width, so each has a projection of its own before the shared part (our reading).
"""

import torch
from torch import Tensor, nn

from spotting.config import DetectorConfig
from spotting.detectors import build_detector


class StreamDetector(nn.Module):
    """The shared detector and, for several streams, a projection each.

    Args:
        channels: stream -> width D of its tokens.
    """

    def __init__(self, channels: dict[str, int], num_classes: int, config: DetectorConfig) -> None:
        super().__init__()
        shares = len(channels) > 1
        width = config.stem_channels if shares else next(iter(channels.values()))
        self.projections = nn.ModuleDict(
            {name: nn.Linear(wide, width) for name, wide in channels.items()} if shares else {}
        )
        self.detector = build_detector(width, num_classes, config)

    def forward(self, is_frame: Tensor, **tokens: Tensor) -> dict:
        """Look at windows, stream by stream.

        Args:
            is_frame: (B, T) bool, False for padding. tokens: stream -> (B, T, D); streams may be left out.
        Returns:
            `streams`, stream -> the outputs of `Detector`; `logits` (B, K), their mean over the streams.
        """
        outputs = {}
        for name, values in tokens.items():
            projected = self.projections[name](values) if len(self.projections) else values
            outputs[name] = self.detector(projected, is_frame)
        return {"streams": outputs, "logits": torch.stack([o["logits"] for o in outputs.values()]).mean(0)}
