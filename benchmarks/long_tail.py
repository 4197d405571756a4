"""What part training, cRT and logit adjustment do to the class average and to the top-1 of one entry.

reads:  oof/<run>/<entry>.npz, its _part<i>.npz and _crt.npz, folds/<run>.csv, clips/<run>/track1/, test labels
writes: nothing

    python -m ensemble.train_parts --run jhmdb_tail --entries gecn
    python -m benchmarks.long_tail --run jhmdb_tail --entry gecn [--answers track1.csv]

Each way has settings to choose from (alphas, a weight, tau). Out of fold they are chosen on the other folds, for test
on all of them; the best has the largest mean of top-1 and class average, and of equals the one that changes least.
"""

import argparse
from itertools import product
from pathlib import Path

import numpy as np
from scipy.special import log_softmax, logsumexp

from ensemble.adjust import TAUS, adjust_logits
from ensemble.join import RETRAINED, Entries, read_entries
from ensemble.join_parts import read_parts
from ensemble.merge import merge
from ensemble.mixture import softmax
from ensemble.parts import tail_trainsets
from miga.errors import InputError, run_command
from miga.paths import check_run_name, oof_npz
from oof.metrics import class_recalls, scores
from oof.prior import class_prior
from report.summary import test_labels

ALPHAS = (0.0, 0.05, 0.1, 0.2, 0.35, 0.5, 1.0)
CRT_WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)

# A setting in words, its scores of the training clips (N, K), out of fold, and of the test clips (M, K).
Setting = tuple[str, np.ndarray, np.ndarray]


def goodness(probs: np.ndarray, label: np.ndarray) -> float:
    """Mean of top-1 and class average."""
    result = scores(probs, label)
    return (result["top1"] + result["class_average"]) / 2


def choose(settings: list[Setting], label: np.ndarray, rows: np.ndarray) -> int:
    """The best setting on these rows; the first of equals."""
    return int(np.argmax([round(goodness(oof[rows], label[rows]), 9) for _, oof, _ in settings]))


def cross_fitted(settings: list[Setting], label: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """(N, K): every fold by the setting that is best on the others."""
    result = np.zeros_like(settings[0][1])
    for held_out in np.unique(fold):
        inside = fold == held_out
        result[inside] = settings[choose(settings, label, ~inside)][1][inside]
    return result


def part_settings(run: str, entry: str, primary: Entries, reading: str, alphas: tuple[float, ...]) -> list[Setting]:
    """Merges of the entry with its tail models, alphas from a grid."""
    oof, test = softmax(primary.logits[0]), softmax(primary.test_logits[0]).mean(0)
    trainsets = tail_trainsets(np.bincount(primary.label, minlength=oof.shape[1]))
    paths = [oof_npz(run, f"{entry}_part{trainset.number}") for trainset in trainsets]
    parts = read_parts([path for path in paths if path.exists()], primary, run)
    tails, test_tails = (parts.tails, parts.test_tails) if parts else ((), ())
    settings = []
    for chosen in product(alphas, repeat=len(tails)):
        name = " ".join(f"{alpha:g}" for alpha in chosen)
        settings.append((name, merge(oof, tails, chosen, reading), merge(test, test_tails, chosen, reading)))
    return settings


def crt_settings(run: str, entry: str) -> list[Setting]:
    """Blends of the entry with its cRT."""
    both = read_entries([oof_npz(run, entry), oof_npz(run, entry + RETRAINED)], run)
    (oof, crt), (test, crt_test) = softmax(both.logits), [softmax(logits).mean(0) for logits in both.test_logits]
    return [(f"{w:g}", (1 - w) * oof + w * crt, (1 - w) * test + w * crt_test) for w in CRT_WEIGHTS]


def adjusted_settings(primary: Entries) -> list[Setting]:
    """Logits adjusted by the prior of the training clips of each fold model."""
    num_classes = primary.logits.shape[2]
    settings = []
    for tau in TAUS:
        oof = np.zeros_like(primary.logits[0])
        for fold in np.unique(primary.fold):
            prior = class_prior(primary.label[primary.fold != fold], num_classes)
            inside = primary.fold == fold
            oof[inside] = adjust_logits(primary.logits[0][inside], prior, tau)
        log_test = logsumexp(log_softmax(primary.test_logits[0], -1), 0)
        test = adjust_logits(log_test, class_prior(primary.label, num_classes), tau)
        settings.append((f"{tau:g}", softmax(oof), softmax(test)))
    return settings


def group_recalls(probs: np.ndarray, label: np.ndarray, groups: dict[str, np.ndarray]) -> str:
    recalls = class_recalls(probs.argmax(1), label, probs.shape[1])
    return "  ".join(f"{name} {np.nanmean(recalls[classes]):.3f}" for name, classes in groups.items())


def measure(run: str, entry: str, answers: Path | None) -> None:
    """Print a line for every way: what it does out of fold, cross-fitted, and on test."""
    primary = read_entries([oof_npz(run, entry)], run)
    truth = test_labels(run, answers)
    if truth is None:
        raise InputError(f"run {run}: its test labels are hidden; give them with --answers FILE")
    label, test_label = primary.label, np.array([truth[id_] for id_ in primary.test_clip_id])
    as_is: Setting = ("", softmax(primary.logits[0]), softmax(primary.test_logits[0]).mean(0))
    ways = {
        f"{entry} as it is": [as_is],
        "parts, R1": part_settings(run, entry, primary, "R1", ALPHAS),
        "parts, R4, alphas 1": part_settings(run, entry, primary, "R4", (1.0,)),
        "cRT alone": crt_settings(run, entry)[-1:],
        "cRT, blended": crt_settings(run, entry),
        "logit adjustment": adjusted_settings(primary),
    }
    counts = np.bincount(label, minlength=as_is[1].shape[1])
    sets = tail_trainsets(counts)
    groups = {"head": sets[0].head, "tail": sets[0].tail} if sets else {}
    print(f"{run}, {entry}: {len(label)} training clips, {counts.max()} to {counts[counts > 0].min()} a class")
    print(f"  {'':24}   out of fold, cross-fitted                       | test")
    print(f"  {'':24}   top-1  (change, spread)    class avg  (change)  |  top-1  class avg  (change)  setting")
    before, test_before = scores(as_is[1], label), scores(as_is[2], test_label)
    for name, settings in ways.items():
        probs = cross_fitted(settings, label, primary.fold)
        chosen = settings[choose(settings, label, np.arange(len(label)))]
        after, test_after = scores(probs, label), scores(chosen[2], test_label)
        right = (probs.argmax(1) == label).astype(float) - (as_is[1].argmax(1) == label)
        spread = np.std([right[primary.fold == k].mean() for k in np.unique(primary.fold)])
        print(
            f"  {name:24}   {after['top1']:.3f}  ({after['top1'] - before['top1']:+.3f}, {spread:.3f})"
            f"      {after['class_average']:.3f}   ({after['class_average'] - before['class_average']:+.3f})  |"
            f"  {test_after['top1']:.3f}    {test_after['class_average']:.3f}  "
            f"  ({test_after['class_average'] - test_before['class_average']:+.3f})  {chosen[0]}"
        )
        print(
            f"  {'':24}   recall {group_recalls(probs, label, groups)} | {group_recalls(chosen[2], test_label, groups)}"
        )


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Measure part training, cRT and logit adjustment on one entry.")
    parser.add_argument("--run", required=True, type=check_run_name)
    parser.add_argument("--entry", default="gecn")
    parser.add_argument("--answers", type=Path, help="hidden labels of the test clips (csv: id, class)")
    args = parser.parse_args(argv)
    measure(args.run, args.entry, args.answers)


if __name__ == "__main__":
    run_command(main)
