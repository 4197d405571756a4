"""The weights of a logarithmic pool (`ensemble.mixture.pool`), by likelihood; their sum says how sure the pool is.

The log-loss is convex in the weights, so there is one best pool and nothing to search: with few clips it finds weights
where a search for top-1 finds luck. Entries that make the same errors share one vote; one that says nothing gets none.
Source: Heskes, Selecting weighting factors in logarithmic opinion pools (NIPS 1997).
"""

import numpy as np
from scipy.optimize import minimize

from ensemble.mixture import pool

# Pull towards equal weights, in nats for a squared distance of 1: decides between clones, and where a few clips are all
# right already.
PULL = 0.01
COST = 1.0  # nats that a weight must explain (Akaike 1974)


def fit_pool(log_probs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(E,) weights of least log-loss; entries that the likelihood does not need have weight 0.

    One goes at a time, the least missed first, until each that is left explains more than the one nat of all labels
    that a weight costs by Akaike's criterion. How much one is missed is read off the curvature at the optimum.

    Args:
        log_probs: (E, N, K), of `log_probabilities`. labels: (N,).
    """
    num_entries, num_clips, _ = log_probs.shape
    kept = np.arange(num_entries)
    weights = np.full(num_entries, 1 / num_entries)
    while True:
        weights = _least_loss(log_probs[kept], labels, weights)
        missed = num_clips * weights**2 / (2 * np.diag(np.linalg.inv(_curvature(log_probs[kept], weights))))
        least = int(np.argmin(missed))
        if len(kept) == 1 or missed[least] > COST:
            break
        kept, weights = np.delete(kept, least), np.delete(weights, least)
    every = np.zeros(num_entries)
    every[kept] = weights if weights.any() else 1 / len(kept)
    return every


def _least_loss(log_probs: np.ndarray, labels: np.ndarray, start: np.ndarray) -> np.ndarray:
    """(E,) non-negative weights of least penalised log-loss."""
    every, equal = np.arange(len(labels)), 1 / len(log_probs)
    said_of_label = log_probs[:, every, labels]  # (E, N)

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        pooled = pool(log_probs, weights)
        value = -np.log(np.maximum(pooled[every, labels], np.finfo(float).tiny)).mean()
        expected = np.einsum("nk,enk->en", pooled, log_probs)
        slope = (expected - said_of_label).mean(1)
        return value + PULL * ((weights - equal) ** 2).sum(), slope + 2 * PULL * (weights - equal)

    return minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(0, None)] * len(start)).x


def _curvature(log_probs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(E, E) second derivative of the penalised log-loss: the mean covariance, under the pool, of what entries say."""
    pooled = pool(log_probs, weights)
    gap = (log_probs - np.einsum("nk,enk->en", pooled, log_probs)[:, :, None]) * np.sqrt(pooled)
    gap = gap.reshape(len(weights), -1)
    return gap @ gap.T / len(pooled) + 2 * PULL * np.eye(len(weights))
