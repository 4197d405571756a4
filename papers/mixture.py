"""Fixed sums of entries: what a paper's row says of the clips, and its scores."""

from collections.abc import Callable, Mapping
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
        names = sorted(weights)
        entries = read_entries([oof_npz(options.run, name) for name in names], options.run)
        return reached_with(options, entries, *sum_of(entries, [weights[name] for name in names]))

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
