"""Cross-entropy, and the squared distance of the embedding to the word vector of the clip's class name.

Source: Li et al. (arXiv 2307.10624).
"""

import torch.nn.functional as F
from torch import Tensor, nn


def semantic_loss(outputs: dict[str, Tensor], labels: Tensor, name_vectors: Tensor, weight: float = 20.0) -> Tensor:
    """CE(logits, label) + weight * mean over clips and dimensions of (embedding - vector of the label's name)^2.

    Args:
        outputs: logits (B, K) and embedding (B, D).
        labels: (B,) int64.
        name_vectors: (K, D), one row a class.
        weight: published 20.
    Returns:
        a scalar.
    """
    distance = F.mse_loss(outputs["embedding"].float(), name_vectors[labels])
    return F.cross_entropy(outputs["logits"].float(), labels) + weight * distance


class SemanticLoss(nn.Module):
    """`semantic_loss` to the word vectors (K, D) of these classes, kept on the device of the training."""

    name_vectors: Tensor

    def __init__(self, name_vectors: Tensor, weight: float) -> None:
        super().__init__()
        self.register_buffer("name_vectors", name_vectors)
        self.weight = weight

    def forward(self, outputs: dict[str, Tensor], batch: dict[str, Tensor], epoch: int) -> Tensor:
        return semantic_loss(outputs, batch["label"], self.name_vectors, self.weight)
