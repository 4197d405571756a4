"""Merging tail models and adjusting logits: python -m pytest tests/ensemble/test_merge.py"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ensemble.adjust import adjust_logits
from ensemble.merge import READINGS, Tail, merge, tail_terms
from oof.prior import class_prior


def slow_merge(primary: np.ndarray, tails: list[Tail], alphas: list[float], reading: str) -> np.ndarray:
    """One number at a time, as the readings are written down."""
    result = primary.copy()
    for n in range(len(primary)):
        for tail, alpha in zip(tails, alphas, strict=True):
            z, classes = tail.probs[n], list(tail.classes)
            winner = max(range(len(z)), key=lambda j: (z[j], -j))
            head = [c for c in range(primary.shape[1]) if c not in classes]
            for position, c in enumerate(classes):
                if reading in ("R2", "R4") or (reading == "R1" and winner != len(classes)):
                    result[n, c] += alpha * z[position]
                if reading == "R3" and winner == position:
                    result[n, c] += alpha
                if reading == "R5" and z[position] > z[-1]:
                    result[n, c] += alpha * (z[position] - z[-1])
            if reading == "R4":
                for c in head:
                    result[n, c] += alpha * z[-1] * primary[n, c] / sum(primary[n, h] for h in head)
    return result / (1 + sum(alphas)) if reading == "R4" else result


@st.composite
def opinions(draw):
    """(primary, tails, alphas) of up to 9 classes."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    num_clips, num_classes = draw(st.integers(1, 6)), draw(st.integers(2, 9))
    sizes = draw(st.lists(st.integers(1, num_classes - 1), max_size=3))
    tails = [
        Tail(rng.permutation(num_classes)[:size], rng.dirichlet(np.full(size + 1, 0.5), num_clips)) for size in sizes
    ]
    return rng.dirichlet(np.full(num_classes, 0.5), num_clips), tails, list(rng.uniform(0, 2, len(tails)))


@pytest.mark.parametrize("reading", READINGS)
@given(given_=opinions())
def test_every_reading_as_written_down(reading, given_):
    primary, tails, alphas = given_
    merged = merge(primary, tails, alphas, reading)
    np.testing.assert_allclose(merged, slow_merge(primary, tails, alphas, reading), atol=1e-12)
    np.testing.assert_array_equal(merge(primary, tails, [0.0] * len(tails), reading), primary)


@given(given_=opinions())
def test_a_proper_mixture_sums_to_one_and_keeps_the_order_of_the_head(given_):
    primary, tails, alphas = given_
    merged = merge(primary, tails, alphas, "R4")
    np.testing.assert_allclose(merged.sum(1), 1)
    assert (merged >= 0).all()
    tail_classes = np.concatenate([tail.classes for tail in tails]) if tails else np.zeros(0, int)
    head = np.setdiff1d(np.arange(primary.shape[1]), tail_classes)
    for before, after in zip(primary[:, head], merged[:, head], strict=True):
        np.testing.assert_array_equal(np.argsort(before, kind="stable"), np.argsort(after, kind="stable"))


@given(given_=opinions())
def test_a_tail_that_says_others_changes_nothing_but_in_r2(given_):
    primary, tails, alphas = given_
    sure = [Tail(t.classes, np.eye(len(t.classes) + 1)[[-1] * len(primary)]) for t in tails]
    for reading in ("R1", "R2", "R3", "R5"):
        np.testing.assert_array_equal(merge(primary, sure, alphas, reading), primary)
    unsure = [Tail(t.classes, 0.4 * t.probs + 0.6 * s.probs) for t, s in zip(tails, sure, strict=True)]
    for reading in ("R1", "R3", "R5"):
        np.testing.assert_array_equal(merge(primary, unsure, alphas, reading), primary)


@given(given_=opinions())
def test_the_order_of_the_tail_outputs_does_not_matter(given_):
    primary, tails, _ = given_
    rng = np.random.default_rng(0)
    for tail in tails:
        order = rng.permutation(len(tail.classes))
        other = Tail(tail.classes[order], tail.probs[:, [*order, -1]])
        for reading in READINGS:
            np.testing.assert_allclose(tail_terms(primary, [tail], reading), tail_terms(primary, [other], reading))


def test_a_primary_without_mass_on_the_head_shares_others_evenly():
    primary, tail = np.array([[0.0, 0.0, 1.0]]), Tail(np.array([2]), np.array([[0.4, 0.6]]))
    np.testing.assert_allclose(tail_terms(primary, [tail], "R4")[0], [[0.3, 0.3, 0.4]])


def test_what_does_not_fit_is_refused():
    primary = np.full((2, 3), 1 / 3)
    with pytest.raises(ValueError, match="expected one of R1"):
        merge(primary, [], [], "R6")
    with pytest.raises(ValueError, match=r"\(2, 2\), expected \(2, 3\)"):
        merge(primary, [Tail(np.array([0, 1]), np.full((2, 2), 0.5))], [1.0])
    with pytest.raises(ValueError, match="fewer than all 3"):
        merge(primary, [Tail(np.array([0, 1, 2]), np.full((2, 4), 0.25))], [1.0])
    with pytest.raises(ValueError, match="as many alphas"):
        merge(primary, [Tail(np.array([0]), np.full((2, 2), 0.5))], [1.0, 1.0])


def test_adjusted_logits_take_the_prior_out():
    """A Bayes classifier: log p(x|c) + log p(c) less log p(c) decides by p(x|c) alone."""
    rng = np.random.default_rng(0)
    likelihood = rng.normal(size=(20, 4))
    labels = np.repeat([0, 1, 3], [70, 28, 2])
    prior = class_prior(labels, 4)
    np.testing.assert_allclose(prior, np.array([70, 28, 1, 2]) / 101)
    posterior = likelihood + np.log(prior)
    np.testing.assert_allclose(adjust_logits(posterior, prior, 1.0), likelihood)
    np.testing.assert_array_equal(adjust_logits(posterior, prior, 0.0), posterior)
    shares = [(adjust_logits(posterior, prior, tau).argmax(1) == 3).mean() for tau in (0.0, 0.5, 1.0, 1.5)]
    assert shares == sorted(shares) and shares[0] < shares[-1]
