"""Scores: python -m pytest tests/oof/test_metrics.py"""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, top_k_accuracy_score

from oof.metrics import scores, top_k_accuracy


@settings(max_examples=50)
@given(st.integers(0, 10_000), st.integers(3, 40))
def test_scores_agree_with_scikit_learn(seed, num_clips):
    rng = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(6), rng.integers(0, 6, num_clips)])
    logits = rng.normal(size=(len(labels), 6))
    predicted, result = logits.argmax(1), scores(logits, labels)
    assert np.isclose(result["top1"], accuracy_score(labels, predicted))
    assert np.isclose(result["top5"], top_k_accuracy_score(labels, logits, k=5))
    assert np.isclose(result["class_average"], balanced_accuracy_score(labels, predicted))
    assert np.isclose(result["macro_f1"], f1_score(labels, predicted, average="macro", labels=np.unique(labels)))


def test_classes_without_clips_are_left_out_and_ties_go_to_the_lower_class():
    logits = np.array([[0.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    result = scores(logits, np.array([0, 0]))
    assert result["top1"] == 0.5 and result["class_average"] == 0.5
    assert top_k_accuracy(logits, np.array([1, 1]), 1) == 0.5
