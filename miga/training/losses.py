"""The losses that most entries share; an entry with one of its own has it in its folder."""

import torch
import torch.nn.functional as F

from miga.training.assembly import Batch


def cross_entropy(logits: torch.Tensor, batch: Batch, epoch: int) -> torch.Tensor:
    """Mean cross entropy of logits (B, K)."""
    return F.cross_entropy(logits.float(), batch["label"])


class SmoothedCrossEntropy:
    """Mean cross entropy with this share of every label spread over all classes (arXiv 1512.00567, section 7)."""

    def __init__(self, smoothing: float):
        self.smoothing = smoothing

    def __call__(self, logits: torch.Tensor, batch: Batch, epoch: int) -> torch.Tensor:
        return F.cross_entropy(logits.float(), batch["label"], label_smoothing=self.smoothing)
