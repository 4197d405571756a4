"""Prototypical refinement: one prototype per class and pathway, which gathers the clips that are recognised.

Every dot product is a cosine similarity. The paper calls it a cosine distance, but with a distance the gradient would
drive clips from their own prototype; its model, FR-Head (Zhou et al., arXiv 2303.03729), has similarities.

Source: Prototype Learning for Micro-gesture Classification (arXiv 2408.03097), equations 5 to 10; FR-Head for what they
leave open, PCAN (arXiv 2412.14719) for one refinement a pathway and the sizes.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class PrototypicalRefinement(nn.Module):
    """The embedding of a pathway's clips and the prototype of every class in that space.

    Args:
        in_channels: C of the pathway's last features.
        num_classes: K.
        dims: D of the embedding; published 256.
        momentum: share of a prototype that stays when it is moved; published 0.9.
    """

    prototypes: Tensor

    def __init__(self, in_channels: int, num_classes: int, dims: int = 256, momentum: float = 0.9) -> None:
        super().__init__()
        self.fc = nn.Linear(in_channels, dims)
        self.register_buffer("prototypes", torch.randn(num_classes, dims))
        self.momentum = momentum

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, T, H, W) to embeddings (B, D): mean over time, maximum over the picture, a linear layer."""
        return self.fc(features.mean(dim=2).amax(dim=(2, 3)))

    def similarity(self, embedded: Tensor) -> Tensor:
        """(B, D) to the cosine similarity (B, K) float32 with every class's prototype."""
        return cosine(embedded, self.prototypes)

    def move_prototypes(self, embedded: Tensor, labels: Tensor, predicted: Tensor) -> Tensor:
        """Prototypes (K, D) after this batch: those with recognised clips move towards their mean.

        In training the result is kept, without its gradient; the returned tensor carries the gradient of the batch.
        In eval nothing moves.
        """
        if not self.training:
            return self.prototypes
        hits, _, _ = outcomes(labels, predicted, len(self.prototypes))
        moved = self.momentum * self.prototypes + (1 - self.momentum) * centres(embedded, hits)
        prototypes = torch.where(hits.any(1)[:, None], moved, self.prototypes)
        self.prototypes = prototypes.detach()
        return prototypes


def outcomes(labels: Tensor, predicted: Tensor, num_classes: int) -> tuple[Tensor, Tensor, Tensor]:
    """Which clips of the batch are true positives, false negatives and false positives of each class.

    Args:
        labels, predicted: (B,) int64.
    Returns:
        three (K, B) bool.
    """
    classes = torch.arange(num_classes, device=labels.device)[:, None]
    is_label, is_predicted = labels == classes, predicted == classes
    return is_label & is_predicted, is_label & ~is_predicted, ~is_label & is_predicted


def centres(embedded: Tensor, members: Tensor) -> Tensor:
    """Mean of (B, D) over the members (K, B) of each class: (K, D), and 0 for a class without members."""
    weights = members.float()
    return weights @ embedded / weights.sum(1, keepdim=True).clamp(min=1)


def cosine(a: Tensor, b: Tensor) -> Tensor:
    """Cosine similarity of every row of (N, D) with every row of (M, D): (N, M), in float32 whatever surrounds it."""
    with torch.autocast(a.device.type, enabled=False):
        return F.normalize(a.float(), dim=1) @ F.normalize(b.float(), dim=1).T


def penalties(
    embedded: Tensor, labels: Tensor, predicted: Tensor, num_classes: int, hits_only: bool = True
) -> tuple[Tensor, Tensor]:
    """What holds each clip's own prototype back: its distance from the missed clips, its nearness to the intruders.

    Args:
        embedded: (B, D). labels, predicted: (B,).
        hits_only: only recognised clips get a penalty (version 1 of FR-Head, and the paper's); else every clip does.
    Returns:
        phi = 1 - s(F, centre of its class's false negatives) and psi = 1 + s(F, centre of its false positives), (B,)
        each; 0 where the class has none of them in the batch.
    """
    _, missed, intruders = outcomes(labels, predicted, num_classes)
    has_penalty = (labels == predicted) | (not hits_only)
    own = torch.arange(len(labels), device=labels.device), labels
    phi = 1 - cosine(embedded, centres(embedded, missed))[own]
    psi = 1 + cosine(embedded, centres(embedded, intruders))[own]
    return phi * (has_penalty & missed.any(1)[labels]), psi * (has_penalty & intruders.any(1)[labels])


def contrast(similarity: Tensor, probability: Tensor, labels: Tensor, penalty: Tensor, tau: float) -> Tensor:
    """-log of the share of the own prototype, whose score is held back by the penalty of a clip that is unsure.

    Args:
        similarity: (B, K) with every prototype. probability: (B,) of the label. penalty: (B,).
        tau: temperature; published 0.125.
    Returns:
        (B,).
    """
    held_back = F.one_hot(labels, similarity.shape[1]) * ((1 - probability) * penalty)[:, None]
    return F.cross_entropy(similarity / tau - held_back, labels, reduction="none")


def refinement_loss(
    refinement: PrototypicalRefinement, embedded: Tensor, logits: Tensor, labels: Tensor, tau: float = 0.125,
    hits_only: bool = True,
) -> Tensor:  # fmt: skip
    """The loss L_PR of one pathway, a scalar; in training it also moves the prototypes.

    Args:
        embedded: (B, D), of `refinement`. logits: (B, K) of the same pathway. labels: (B,) int64.
        tau, hits_only: see `contrast` and `penalties`.
    """
    with torch.autocast(embedded.device.type, enabled=False):
        embedded, logits = embedded.float(), logits.float()
        predicted = logits.argmax(1)
        probability = logits.softmax(1).gather(1, labels[:, None])[:, 0]
        prototypes = refinement.move_prototypes(embedded, labels, predicted)
        similarity = cosine(embedded, prototypes)
        phi, psi = penalties(embedded, labels, predicted, len(prototypes), hits_only)
        clips = contrast(similarity, probability, labels, psi, tau) + contrast(
            similarity, probability, labels, phi, tau
        )
        return clips.mean()
