"""Cross-entropy and prototypical refinement of both pathways.

Source: Prototype Learning for Micro-gesture Classification (arXiv 2408.03097), equation 10.
"""

from torch import Tensor

from models.layers.two_pathway_net import both_cross_entropies
from models.prototype.model import PrototypeNet
from models.prototype.refinement import refinement_loss


def prototype_loss(
    model: PrototypeNet, outputs: dict[str, Tensor], labels: Tensor, alpha: float = 0.2, tau: float = 0.125,
    hits_only: bool = True,
) -> Tensor:  # fmt: skip
    """Sum over the pathways of CE + alpha * L_PR, a scalar; in training it also moves the prototypes of `model`.

    Args:
        outputs: of `model` for this batch. labels: (B,) int64.
        alpha: the paper is silent; 0.2 in PCAN, 0.1 in FR-Head.
        tau, hits_only: see `refinement_loss`.
    """
    rgb, pose = (
        refinement_loss(refinement, outputs[f"embedded_{name}"], outputs[f"logits_{name}"], labels, tau, hits_only)
        for name, refinement in (("rgb", model.refine_rgb), ("pose", model.refine_pose))
    )
    return both_cross_entropies(outputs, labels) + alpha * (rgb + pose)
