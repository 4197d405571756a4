"""The fast score of a blend beside a plain one: python -m pytest tests/ensemble/test_evaluate.py"""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, log_loss, recall_score

from ensemble.evaluate import LARGEST_LOG_LOSS, TEMPERATURES, TOP1, Evaluator, Objective
from ensemble.merge import Tail, tail_terms
from ensemble.mixture import Blend, blend_probabilities, blend_test_probabilities, softmax
from miga.errors import InputError

N, K = 60, 6


def random_case(seed: int) -> tuple[np.ndarray, np.ndarray, Blend, np.ndarray, list[Tail]]:
    """Logits of three entries, labels, a blend, its temperature steps, and two tails."""
    rng = np.random.default_rng(seed)
    logits, labels = rng.normal(0, 2, (3, N, K)).astype(np.float32), rng.integers(0, K - 1, N)
    steps = rng.integers(0, len(TEMPERATURES), 3)
    weights = rng.random(3) * (rng.random(3) < 0.8) + [0.1, 0, 0]
    blend = Blend(weights / weights.sum(), np.array(TEMPERATURES)[steps], rng.random(2))
    tails = [Tail(np.array([4, 5]), softmax(rng.normal(size=(N, 3)))), Tail(np.array([5]), np.full((N, 2), 0.5))]
    return logits, labels, blend, steps, tails


@pytest.mark.parametrize("seed", range(8))
def test_agrees_with_scikit_learn_on_the_blend(seed):
    logits, labels, blend, steps, tails = random_case(seed)
    terms = tail_terms(np.zeros((N, K)), tails)
    probabilities = blend_probabilities(logits, blend, tails)
    for share in (1.0, 0.0, 0.7):
        value = Evaluator(logits, labels, Objective(share), terms).value(blend.weights, steps, blend.alphas)
        predicted = probabilities.argmax(1)
        average = recall_score(labels, predicted, labels=np.unique(labels), average="macro")
        score = share * accuracy_score(labels, predicted) + (1 - share) * average
        tie = log_loss(labels, probabilities, labels=range(K)) / (LARGEST_LOG_LOSS * N * K)
        assert value == pytest.approx(score - tie, abs=1e-8)
        assert Objective(share).score(probabilities, labels) == pytest.approx(score)


def test_log_loss_only_breaks_ties():
    """One clip more outweighs the worst log-loss there can be."""
    labels = np.zeros(50, int)
    sure_but_one_wrong = np.where(np.arange(50)[:, None] > 0, [50.0, 0], [0, 50.0])
    barely_all_right = np.where(np.arange(50)[:, None] >= 0, [1e-3, 0], 0)
    evaluator = Evaluator(np.stack([sure_but_one_wrong, barely_all_right]), labels, TOP1)
    step = np.full(2, TEMPERATURES.index(1.0))
    assert evaluator.value(np.array([0, 1.0]), step) > evaluator.value(np.array([1.0, 0]), step)


def test_ties_go_to_the_first_class_as_argmax_has_it():
    """An entry that says the same of every class must not be right about every clip."""
    labels = np.array([0, 1, 2, 1])
    evaluator = Evaluator(np.zeros((1, 4, 3)), labels, TOP1)
    assert evaluator.right(np.ones(1), np.zeros(1, int)).tolist() == [True, False, False, False]


def test_one_hot_weights_return_that_model():
    logits = np.random.default_rng(0).normal(size=(3, 7, K))
    np.testing.assert_allclose(blend_probabilities(logits, Blend.single(3, 1)), softmax(logits[1]))
    test_logits = tuple(np.random.default_rng(e).normal(size=(4, 6, K)) for e in range(3))
    has_input = np.ones((3, test_logits[0].shape[1]), bool)
    blended = blend_test_probabilities(test_logits, has_input, np.zeros(K), Blend.single(3, 2))
    np.testing.assert_allclose(blended, softmax(test_logits[2]).mean(0))
    np.testing.assert_allclose(blended.sum(1), 1)


def test_taking_the_prior_out_favours_rare_classes():
    logits, _, blend, _, tails = random_case(0)
    prior = np.array([0.5, 0.3, 0.1, 0.05, 0.04, 0.01])
    plain = blend_probabilities(logits, blend, tails)
    adjusted = blend_probabilities(logits, Blend(**{**vars(blend), "tau": 1.0, "prior": prior}), tails)
    np.testing.assert_allclose(adjusted, plain / prior / (plain / prior).sum(1, keepdims=True), rtol=1e-6)


@pytest.mark.parametrize("text", ["top2", "mix", "mix:", "mix:2", "0.7"])
def test_unknown_objectives_are_named(text):
    with pytest.raises(InputError, match=f"--objective {text}: "):
        Objective.parse(text)


def test_objectives():
    assert Objective.parse("mix:0.7") == Objective(0.7)
    assert Objective.parse("top1") == TOP1 and Objective.parse("class_average") == Objective(0.0)
