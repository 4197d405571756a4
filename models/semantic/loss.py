"""Cross-entropy, and the squared distance of the embedding to the word vector of the clip's class name.

Source: Li et al. (arXiv 2307.10624).
"""

import torch.nn.functional as F
from torch import Tensor


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
