"""Fixed sums of entries: what a paper's row says of the clips, and its scores."""

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from pathlib import Path

import numpy as np

from ensemble.join import Entries, read_entries
from ensemble.mixture import softmax
from miga.engine.options import Options
from miga.paths import oof_npz
from oof.metrics import scores
from papers.table import Reached
from report.summary import test_labels

KEPT = ("top1", "top5", "class_average")


def reached_by(weights: Mapping[str, float]) -> Callable[[Options], Reached]:
    """The scores of a sum of the entries' probabilities with these fixed weights."""

    def reached(options: Options) -> Reached:
        return reached_with(options, *system_of(options, weights))

    return reached


def sum_of(entries: Entries, weights: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """(N, K) and (M, K): the weighted sum of probabilities, of the test clips the mean over fold models first."""
    held_out = sum(w * softmax(logits) for w, logits in zip(weights, entries.logits, strict=True))
    test = sum(w * softmax(logits).mean(0) for w, logits in zip(weights, entries.test_logits, strict=True))
    return np.asarray(held_out), np.asarray(test)


def reached_with(options: Options, entries: Entries, held_out: np.ndarray, test: np.ndarray, note: str = "") -> Reached:
    """The scores of (N, K) and (M, K) of any scale, over the rows of `entries`."""
    labels = test_labels(options.run, Path(options.answers) if options.answers else None)
    of_test = None
    if labels and len(entries.test_clip_id):
        of_test = kept(test, np.array([labels[str(clip)] for clip in entries.test_clip_id]))
    return Reached(kept(held_out, entries.label), of_test, note)


def kept(values: np.ndarray, label: np.ndarray) -> dict[str, float]:
    found = scores(values, label)
    return {name: found[name] for name in KEPT}


def reached_by_tuned(systems: Sequence[Mapping[str, float]]) -> Callable[[Options], Reached]:
    """The scores of a sum of systems, each a fixed sum of entries, whose weights are chosen on training people.

    Each fold is scored by the weights that are best in top-1 on the other folds, the test clips by those of all folds.
    Tenths are tried; of several best ones those nearest to equal weights are taken.
    """

    def reached(options: Options) -> Reached:
        read = [system_of(options, system) for system in systems]
        entries, probabilities = read[0][0], np.stack([held_out for _, held_out, _ in read])
        tried = tenths(len(systems))
        right = np.stack([np.tensordot(w, probabilities, 1).argmax(1) == entries.label for w in tried])
        held_out = np.empty(probabilities.shape[1:])
        for fold in np.unique(entries.fold):
            rows = entries.fold == fold
            weights = tried[int(right[:, ~rows].sum(1).argmax())]
            held_out[rows] = np.tensordot(weights, probabilities[:, rows], 1)
        weights = tried[int(right.sum(1).argmax())]
        test = np.tensordot(weights, np.stack([of_test for _, _, of_test in read]), 1)
        note = f"Weights for the test people {', '.join(f'{w:g}' for w in weights)}, chosen on the training people."
        return reached_with(options, entries, held_out, test, note)

    return reached


def system_of(options: Options, weights: Mapping[str, float]) -> tuple[Entries, np.ndarray, np.ndarray]:
    """The entries of a fixed sum, and what it says of the training and of the test clips."""
    names = sorted(weights)
    entries = read_entries([oof_npz(options.run, name) for name in names], options.run)
    return entries, *sum_of(entries, [weights[name] for name in names])


def tenths(count: int) -> np.ndarray:
    """(W, count) weights in tenths that sum to one, the most equal first."""
    found = np.array([w for w in product(range(11), repeat=count) if sum(w) == 10]) / 10
    return found[np.argsort((found**2).sum(1), kind="stable")]
