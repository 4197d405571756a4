"""Group training of M2HEN (MiGA 2024): equation 5 as printed, on logits, and our reading of it on probabilities.

    Logits = sum_i alpha_i Map{Logits_HeatRGB_i + Logits_Hyper_i}

i = 4 are the models of all classes, i < 4 the tail models of M3CN and EHCT, added one to one. Map puts the logits of a
tail model into the places of their classes where it predicts a tail class, else nothing (R1 of `ensemble.merge`).

Our files keep the logarithm of the mean probability over the views. Softmax leaves a constant a clip open, which
matters where only some classes are added to: logits are taken with a mean of zero over the outputs of each network.
The alphas are printed nowhere.
"""

from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np

from ensemble.join import read_entries
from ensemble.join_parts import read_parts
from ensemble.merge import Tail, tail_terms
from miga.engine.options import Options
from miga.paths import oof_npz
from oof.metrics import scores
from papers.mixture import reached_with, sum_of
from papers.table import Reached

GRID = (0.0, 0.25, 0.5, 1.0)  # alphas that are tried


def centred(log_probs: np.ndarray) -> np.ndarray:
    """Logits (..., K) with a mean of zero over the outputs."""
    return log_probs - log_probs.mean(-1, keepdims=True)


def part_paths(run: str, name: str) -> list[Path]:
    """The tail models of an entry."""
    return sorted(oof_npz(run, name).parent.glob(f"{Path(name).name}_part*.npz"))


class Groups:
    """The models of all classes and the tail models of some entries, as equation 5 takes them.

    primary, test_primary: (N, K) and (M, K) summed logits. terms, test_terms: (tails, N or M, K), Map of each tail sum.
    """

    def __init__(self, run: str, names: tuple[str, ...]):
        self.entries = read_entries([oof_npz(run, name) for name in names], run)
        self.primary = centred(self.entries.logits).sum(0)
        self.test_primary = np.sum([centred(logits).mean(0) for logits in self.entries.test_logits], 0)
        by_number: dict[str, list[Path]] = {}
        for path in (path for name in names for path in part_paths(run, name)):
            by_number.setdefault(path.stem.rpartition("_part")[2], []).append(path)
        self.numbers = [n for n in sorted(by_number, reverse=True) if len(by_number[n]) == len(names)]
        tails = [self._summed(by_number[number]) for number in self.numbers]
        self.terms = tail_terms(self.primary, [tail for tail, _ in tails], "R1")
        self.test_terms = tail_terms(self.test_primary, [tail for _, tail in tails], "R1")

    def _summed(self, paths: list[Path]) -> tuple[Tail, Tail]:
        """Logits of the tail models of a part, added up: of the training clips and of the test clips."""
        read = [part for path in paths if (part := read_parts([path], self.entries)) is not None]
        held_out = sum(centred(np.log(part.tails[0].probs)) for part in read)
        test = sum(centred(np.log(part.test_tails[0].probs)) for part in read)
        classes = read[0].tails[0].classes
        return Tail(classes, np.asarray(held_out)), Tail(classes, np.asarray(test))

    def with_alphas(self, alphas: np.ndarray, rows: np.ndarray | slice = slice(None)) -> np.ndarray:
        return self.primary[rows] + np.tensordot(alphas, self.terms[:, rows], 1)

    def test_with_alphas(self, alphas: np.ndarray) -> np.ndarray:
        return self.test_primary + np.tensordot(alphas, self.test_terms, 1)


def as_printed(*names: str) -> Callable[[Options], Reached]:
    """Equation 5 with every alpha 1."""

    def reached(options: Options) -> Reached:
        groups = Groups(options.run, names)
        alphas = np.ones(len(groups.numbers))
        return reached_with(options, groups.entries, groups.with_alphas(alphas), groups.test_with_alphas(alphas))

    return reached


def with_fitted_alphas(*names: str) -> Callable[[Options], Reached]:
    """Equation 5 with the alphas that are best on the other folds; for the test clips, on all folds."""

    def reached(options: Options) -> Reached:
        groups = Groups(options.run, names)
        fold, held_out = groups.entries.fold, np.empty_like(groups.primary)
        for number in np.unique(fold):
            held_out[fold == number] = groups.with_alphas(best_alphas(groups, fold != number), fold == number)
        alphas = best_alphas(groups, np.ones(len(fold), bool))
        shown = ", ".join(f"alpha_{n} {alpha:g}" for n, alpha in zip(groups.numbers, alphas, strict=True))
        note = f"For the test people {shown or 'no tail'}, chosen on the training people."
        return reached_with(options, groups.entries, held_out, groups.test_with_alphas(alphas), note)

    return reached


def best_alphas(groups: Groups, rows: np.ndarray) -> np.ndarray:
    """The alphas of GRID with the largest sum of top-1 and class average on these rows; of several the smallest."""
    label = groups.entries.label[rows]

    def value(alphas: tuple[float, ...]) -> float:
        found = scores(groups.with_alphas(np.array(alphas), rows), label)
        return found["top1"] + found["class_average"]

    return np.array(max(product(GRID, repeat=len(groups.numbers)), key=value))


def as_mixture(*names: str) -> Callable[[Options], Reached]:
    """Our reading: probabilities, tails as a proper mixture (R4) with every alpha 1."""

    def reached(options: Options) -> Reached:
        run = options.run
        entries = read_entries([oof_npz(run, name) for name in names], run)
        held_out, test = sum_of(entries, [1 / len(names)] * len(names))
        parts = read_parts([path for name in names for path in part_paths(run, name)], entries, run)
        if parts is not None:
            held_out = held_out + tail_terms(held_out, parts.tails, "R4").sum(0)
            test = test + tail_terms(test, parts.test_tails, "R4").sum(0)
        return reached_with(options, entries, held_out, test)

    return reached
