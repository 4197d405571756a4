"""What a blend is: from the logits of its entries, and of its tail models, to probabilities.

primary = sum_e w_e softmax(logits_e / t_e)             w non-negative, summing to one
      or  softmax(sum_e w_e log softmax(logits_e))      a logarithmic pool; w non-negative, of any sum
merged  = primary and the tails, by ensemble/merge.py   alpha a tail
result  = merged / prior^tau, rows summing to one       tau 0 leaves it

An entry without its input for a test clip is left out there: the others share its weight. A clip that none has the
input for gets the class shares of the training clips.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ensemble.adjust import adjust_logits
from ensemble.merge import Tail, merge

SMALLEST_POOLED = 1e-6  # in a pool one entry alone must not rule a class out


@dataclass(frozen=True)
class Blend:
    """Weights and temperatures of the entries, alphas of the tails, and what is taken out of a prior.

    weights: (E,) summing to one unless pooled. temperatures: (E,). alphas: (I,). prior: (K,) class shares, needed where
    tau is not 0.
    """

    weights: np.ndarray
    temperatures: np.ndarray
    alphas: np.ndarray = field(default_factory=lambda: np.zeros(0))
    reading: str = "R1"
    tau: float = 0.0
    prior: np.ndarray | None = None
    pooled: bool = False  # probabilities are multiplied, not added

    @staticmethod
    def equal(num_entries: int) -> "Blend":
        return Blend(np.full(num_entries, 1 / num_entries), np.ones(num_entries))

    @staticmethod
    def single(num_entries: int, index: int) -> "Blend":
        return Blend(np.eye(num_entries)[index], np.ones(num_entries))


def softmax(logits: np.ndarray) -> np.ndarray:
    """Softmax over the last axis."""
    exponent = np.exp(logits - logits.max(-1, keepdims=True))
    return exponent / exponent.sum(-1, keepdims=True)


def log_probabilities(probabilities: np.ndarray) -> np.ndarray:
    """What a pool adds up."""
    return np.log(np.maximum(probabilities, SMALLEST_POOLED))


def pool(log_probs: Sequence[np.ndarray] | np.ndarray, weights: Sequence[float] | np.ndarray) -> np.ndarray:
    """E arrays (N, K) of `log_probabilities` -> (N, K) probabilities, each entry's to the power of its weight."""
    return softmax(sum(weight * one for weight, one in zip(weights, log_probs, strict=True)))


def blend_probabilities(logits: Sequence[np.ndarray], blend: Blend, tails: Sequence[Tail] = ()) -> np.ndarray:
    """E arrays (N, K) of logits, and what each tail thinks of the same clips -> (N, K) probabilities."""
    return _finish([[entry] for entry in logits], blend.weights, blend, tails)


def blend_test_probabilities(
    test_logits: Sequence[np.ndarray],
    has_input: np.ndarray,
    prior: np.ndarray,
    blend: Blend,
    tails: Sequence[Tail] = (),
) -> np.ndarray:
    """E arrays (F, M, K) -> (M, K): probabilities averaged over the fold models of each entry, then blended.

    Args:
        has_input: (E, M) bool. prior: (K,) what a clip gets that no entry has the input for.
    """
    weights = shared_weights(blend.weights, has_input)[..., None]  # (E, M, 1)
    mixed = _finish(test_logits, weights, blend, tails)
    mixed[~has_input.any(0)] = prior
    return mixed


def shared_weights(weights: np.ndarray, has_input: np.ndarray) -> np.ndarray:
    """(E,) weights as (E, M): the entries that have the input of a clip share the weight of those that have not.

    They share it in proportion; where all that have the input weigh nothing, evenly. Where none has it, or all, the
    weights stay as they are.
    """
    present = weights[:, None] * has_input  # (E, M)
    present = np.where(present.any(0), present, has_input)
    total = present.sum(0)
    is_shared = ~has_input.all(0) & (total > 0)
    shared = np.divide(weights.sum() * present, total, out=np.zeros(present.shape), where=is_shared)
    return np.where(is_shared, shared, weights[:, None])


def _finish(
    logits: Sequence[Sequence[np.ndarray] | np.ndarray], weights: np.ndarray, blend: Blend, tails: Sequence[Tail]
) -> np.ndarray:
    """Weights are (E,), or (E, N, 1) where they differ from clip to clip."""
    taken = [
        (weight, np.asarray(sum(softmax(slice_ / temperature) for slice_ in entry)) / len(entry))
        for entry, weight, temperature in zip(logits, weights, blend.temperatures, strict=True)
        if np.any(weight > 0) or not weight.size  # no test clips
    ]
    if blend.pooled:
        mixed = pool([log_probabilities(p) for _, p in taken], [weight for weight, _ in taken])
    else:
        mixed = np.asarray(sum(weight * p for weight, p in taken))
    if len(blend.alphas):
        mixed = merge(mixed, tails, blend.alphas, blend.reading)
        mixed /= mixed.sum(1, keepdims=True)
    if blend.tau and blend.prior is not None:
        mixed = softmax(adjust_logits(np.log(np.maximum(mixed, 1e-12)), blend.prior, blend.tau))
    return mixed
