"""Stackers: small models that read what all entries think of a clip, and are entries themselves.

A stacker of fold k is fitted on the out-of-fold probabilities of the other folds. A blend search that leaves fold k out
must not learn from a stacker that saw fold k's labels: for it, every other fold j is predicted by a stacker fitted
without j and without k.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import lightgbm
import numpy as np
from sklearn.linear_model import LogisticRegression

from ensemble.join import Entries
from ensemble.mixture import softmax

SMALLEST_PROBABILITY = 1e-6

# (features (n, E * K), labels (n,), K) -> a function from features to (n, K) log-probabilities
Fit = Callable[[np.ndarray, np.ndarray, int], Callable[[np.ndarray], np.ndarray]]


@dataclass(frozen=True)
class Stack:
    """S stackers over N training and M test clips, rows as in the entries.

    names: S texts. logits: held-out fold or None -> (S, N, K). Under a fold k, rows of k are by stackers that never
    saw k, rows of another fold j by stackers that saw neither; under None, rows of j by stackers that never saw j.
    test_logits: S arrays (F, M, K), one slice a fold's stacker.
    """

    names: tuple[str, ...]
    logits: dict[int | None, np.ndarray]
    test_logits: tuple[np.ndarray, ...]


def fit_lightgbm(features: np.ndarray, labels: np.ndarray, num_classes: int):
    """Few shallow trees: there are as many columns as entries times classes, and most rows agree anyway."""
    model = lightgbm.train(
        {
            "objective": "multiclass",
            "num_class": num_classes,
            "learning_rate": 0.1,
            "num_leaves": 4,
            "min_data_in_leaf": max(2, min(20, len(labels) // (2 * num_classes))),
            "lambda_l2": 10.0,
            "feature_fraction": 0.3,
            "bagging_fraction": 0.7,
            "bagging_freq": 1,
            "max_bin": 31,
            "seed": 0,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": 1,
            "verbose": -1,
        },
        lightgbm.Dataset(features, labels),
        num_boost_round=60,
    )
    return lambda rows: np.log(np.maximum(model.predict(rows, num_threads=1), SMALLEST_PROBABILITY))


def fit_logistic(features: np.ndarray, labels: np.ndarray, num_classes: int):
    """Multinomial logistic regression; a class without a clip here gets the smallest probability."""
    present = np.unique(labels)
    if len(present) == 1:
        return lambda rows: _spread(np.ones((len(rows), 1)), present, num_classes)
    model = LogisticRegression(C=0.1, max_iter=200).fit(features, labels)
    return lambda rows: _spread(model.predict_proba(rows), model.classes_, num_classes)


STACKERS: dict[str, Fit] = {"stack_lightgbm": fit_lightgbm, "stack_logistic": fit_logistic}


def fit_stack(entries: Entries, stackers: dict[str, Fit] = STACKERS, say: Callable[[str], None] = print) -> Stack:
    """Fit every stacker without each fold and without each pair of folds.

    Args:
        say: hears about progress; with F folds there are F (F + 1) / 2 fits of every stacker.
    """
    folds = np.unique(entries.fold).tolist()
    shape, num_classes = entries.logits.shape[1:], len(entries.classes)
    features = _features(entries.logits)
    num_slices, num_test = max(map(len, entries.test_logits)), len(entries.test_clip_id)
    # An entry of another framework may have fewer slices than there are folds: they come again.
    test = [_features(np.stack([e[k % len(e)] for e in entries.test_logits])) for k in range(num_slices)]
    logits = {held_out: np.zeros((len(stackers), *shape), np.float32) for held_out in (None, *folds)}
    test_logits = []
    for s, (name, fit) in enumerate(stackers.items()):
        slices = []
        for left_out in itertools.chain(((k,) for k in folds), itertools.combinations(folds, 2)):
            rows = ~np.isin(entries.fold, left_out)
            if not rows.any():  # two folds, both left out: no stacker can be fitted, and it says nothing
                continue
            predict = fit(features[rows], entries.label[rows], num_classes)
            for fold in left_out:
                inside = entries.fold == fold
                predicted = predict(features[inside])
                for held_out in (None, fold) if len(left_out) == 1 else set(left_out) - {fold}:
                    logits[held_out][s, inside] = predicted
            if len(left_out) == 1:
                of_test = [predict(one) for one in test] if num_test else [np.zeros((0, num_classes))]
                slices.append(np.mean(of_test, 0).astype(np.float32))
            say(f"  {name} without fold {' and '.join(map(str, left_out))}: fitted on {rows.sum()} clips")
        test_logits.append(np.stack(slices))
    return Stack(tuple(stackers), logits, tuple(test_logits))


def _features(logits: np.ndarray) -> np.ndarray:
    """(E, n, K) -> (n, E * K) probabilities."""
    return np.concatenate([softmax(entry) for entry in logits], axis=1).astype(np.float32)


def _spread(probabilities: np.ndarray, classes: np.ndarray, num_classes: int) -> np.ndarray:
    """(n, present) probabilities -> (n, K) log-probabilities."""
    full = np.full((len(probabilities), num_classes), SMALLEST_PROBABILITY)
    full[:, classes] = np.maximum(probabilities, SMALLEST_PROBABILITY)
    return np.log(full)
