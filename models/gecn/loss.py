"""GE-CN's loss: smoothed cross-entropy, and a pull of z towards one direction per class.

Source: GE-CN (MiGA 2023), section 3; formulas and weights of InfoGCN (stnoah1/infogcn, loss.py, args.py and README
command). The last term is what both papers call the maximum mean discrepancy.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from miga.errors import InputError


def orthogonal_prior(num_classes: int, z_dim: int, gain: float, seed: int = 0) -> Tensor:
    """One fixed direction per class, at right angles to all others, of length `gain`.

    Returns:
        (K, z_dim) float32.
    Raises:
        InputError: more classes than dimensions.
    """
    if num_classes > z_dim:
        raise InputError(f"{num_classes} classes need as many dimensions of z, got {z_dim}; widen the network")
    generator = torch.Generator().manual_seed(seed)
    return nn.init.orthogonal_(torch.empty(num_classes, z_dim), gain=gain, generator=generator)


def class_mean_discrepancy(z: Tensor, labels: Tensor, prior: Tensor) -> Tensor:
    """Mean squared distance between the mean z of each class in the batch and the prior of that class.

    Args:
        z: (B, D).
        labels: (B,) int64.
        prior: (K, D). Classes that the batch lacks count nothing.
    Returns:
        a scalar.
    """
    members = F.one_hot(labels, len(prior)).to(z.dtype)  # (B, K)
    counts = members.sum(0)  # (K,)
    means = (members.T @ z) / counts.clamp(min=1)[:, None]  # (K, D)
    squares = (means - prior).square().mean(1) * (counts > 0)  # (K,)
    return squares.sum() / (counts > 0).sum()


class GECNLoss(nn.Module):
    """CE(logits, labels) + lambda_1 * ||mean of z|| + lambda_2 * class-mean discrepancy of z.

    Args:
        num_classes: K.
        z_dim: D, the length of z.
        smoothing: label smoothing; published 0.1.
        lambda_1, lambda_2: published 1e-4 and 0.1.
        prior_gain: length of the class directions; published 3.
    """

    prior: Tensor

    def __init__(
        self, num_classes: int, z_dim: int, smoothing: float = 0.1, lambda_1: float = 1e-4, lambda_2: float = 0.1,
        prior_gain: float = 3.0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.smoothing, self.lambda_1, self.lambda_2 = smoothing, lambda_1, lambda_2
        self.register_buffer("prior", orthogonal_prior(num_classes, z_dim, prior_gain), persistent=False)

    def forward(self, outputs: dict[str, Tensor], batch: dict[str, Tensor], epoch: int) -> Tensor:
        """The loss of a batch: `outputs` of the network, `label` (B,) int64 of the batch -> a scalar."""
        labels = batch["label"]
        z = outputs["z"]  # (B, D)
        cross_entropy = F.cross_entropy(outputs["logits"], labels, label_smoothing=self.smoothing)
        offset = torch.linalg.vector_norm(z.mean(0))
        return cross_entropy + self.lambda_1 * offset + self.lambda_2 * class_mean_discrepancy(z, labels, self.prior)
