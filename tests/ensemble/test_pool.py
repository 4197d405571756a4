"""The logarithmic pool against a plain search, and what its weights must not do.

Run alone: python -m pytest tests/ensemble/test_pool.py
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ensemble.mixture import log_probabilities, pool, softmax
from ensemble.pool import PULL, fit_pool
from tests.ensemble.planted import NUM_CLASSES, planted_logits


def planted(strengths: tuple[float, ...], seed: int = 0, num_clips: int = 400) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    label = rng.integers(0, NUM_CLASSES, num_clips)
    return np.stack([log_probabilities(softmax(planted_logits(label, s, rng))) for s in strengths]), label


def plain_loss(weights, log_probs, labels) -> float:
    """The penalised log-loss, clip by clip."""
    total = 0.0
    for clip, label in enumerate(labels):
        mixed = np.exp(sum(w * one[clip] for w, one in zip(weights, log_probs, strict=True)))
        total -= np.log(mixed[label] / mixed.sum())
    return total / len(labels) + PULL * sum((w - 1 / len(weights)) ** 2 for w in weights)


def test_the_weights_are_the_best_of_a_grid():
    log_probs, label = planted((1.5, 1.2), num_clips=120)
    best = plain_loss(fit_pool(log_probs, label), log_probs, label)
    losses = [plain_loss((a, b), log_probs, label) for a in np.arange(0, 3, 0.1) for b in np.arange(0, 3, 0.1)]
    assert best <= min(losses) and min(losses) - best < 0.01


@pytest.mark.parametrize("seed", range(5))
def test_noise_gets_next_to_nothing(seed):
    log_probs, label = planted((2.0, 2.0, 2.0, 0.0, 0.0, 0.0), seed)
    weights = fit_pool(log_probs, label)
    assert weights[3:].sum() < 0.05 * weights.sum()


@settings(max_examples=20)
@given(order=st.permutations(range(4)), seed=st.integers(0, 9))
def test_the_order_of_entries_and_clips_changes_nothing(order, seed):
    log_probs, label = planted((1.5, 1.0, 0.5, 0.0), seed, 100)
    rows = np.random.default_rng(seed).permutation(100)
    shuffled = fit_pool(log_probs[order][:, rows], label[rows])
    np.testing.assert_allclose(shuffled, fit_pool(log_probs, label)[order], atol=2e-2)


def test_a_pool_multiplies_and_its_rows_are_probabilities():
    one, other = np.array([[0.5, 0.3, 0.2]]), np.array([[0.2, 0.6, 0.2]])
    expected = one**0.5 * other**2
    pooled = pool([log_probabilities(one), log_probabilities(other)], np.array([0.5, 2.0]))
    np.testing.assert_allclose(pooled, expected / expected.sum())


def test_an_entry_that_rules_the_truth_out_does_not_rule_it_out_for_all():
    certain, unsure = np.array([[1.0, 0.0]]), np.array([[1e-4, 1 - 1e-4]])
    pooled = pool([log_probabilities(certain), log_probabilities(unsure)], np.array([0.5, 2.0]))
    assert pooled[0, 1] > 0.99 and pooled.sum() == pytest.approx(1)


def test_entries_that_know_nothing_are_one_entry_that_knows_nothing():
    log_probs = np.log(np.full((3, 20, 4), 0.25))
    weights = fit_pool(log_probs, np.arange(20) % 4)
    assert np.isfinite(weights).all() and (weights >= 0).all() and weights.any()
