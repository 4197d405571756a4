"""Whose test rows are best: of the folds' networks averaged, of one network on every training clip, or of both.

reads:  clips/<run>/track1/, folds/<run>.csv, oof/<run>/<entry>.npz and .json, oof/<run>/refit/<entry>.npz, test labels
writes: checkpoints/<run>/<entry>_without/<j>_<k>/

    python -m benchmarks.refit --run demo --entries gecn,ehct [--answers track1.csv]

The question is asked of training people, so that the answer may be used: each fold k plays the test once. What the
networks of the folds would be is trained here, each without k and another fold. What the refit would be is there: the
network of fold k, which saw every clip but those of k. With F folds an averaged network sees (F - 2) / (F - 1) of what
the refit sees, and in a real run (F - 1) / F, so this flatters the refit a little. Test labels are only reported.
"""

import argparse
import itertools
from pathlib import Path

import numpy as np
import torch

from ensemble.entries import add_entries_argument, trained_entries, wanted_entries
from ensemble.join import read_entries
from ensemble.mixture import softmax
from ensemble.refit import entry_work
from ensemble.refit_rows import BOTH, REFIT, refit_paths, with_refits
from folds.make import load_folds
from miga.errors import run_command
from miga.paths import check_run_name, oof_npz, refit_npz
from miga.training.config import add_place_arguments
from miga.training.resources import choose_device, run_side_by_side
from miga.training.seeding import seed_torch
from miga.training.verbs import Place
from models.command.folds import FoldWork
from oof.metrics import scores
from report.summary import test_labels


def pair_place(work: FoldWork, run: str, pair: tuple[int, int], device: torch.device) -> Place:
    """Where the network without two folds is kept."""
    (place,) = work.places(run, work.clips(run), [pair[0]], device)
    folder = place.folder.parent.parent / f"{work.name}_without" / f"{pair[0]}_{pair[1]}"
    return Place(run, work.name, pair[0], folder, {**place.fingerprint, "without": list(pair)}, device)


def train_pair(work: FoldWork, place: Place, pair: tuple[int, int]) -> None:
    """Train without two folds, and keep what it says of both: logits.npy by ids.npy."""
    if (place.folder / "logits.npy").exists():
        return
    place.folder.mkdir(parents=True, exist_ok=True)
    clips, folds = work.clips(place.run), load_folds(place.run)
    inside = folds.clip_id[folds.fold.isin(pair)].to_numpy()
    train_rows = clips.rows_of(folds.clip_id[(folds.fold >= 0) & ~folds.fold.isin(pair)].to_numpy())
    seed_torch(work.config.seed, *pair)
    logits = work.log_probs(clips, train_rows, clips.rows_of(inside), place)
    np.save(place.folder / "ids.npy", inside.astype(np.str_))
    np.save(place.folder / "logits.npy", logits)


def without_each_fold(args: argparse.Namespace, name: str) -> dict[str, np.ndarray]:
    """Way -> (N, K) probabilities of the training clips, in the order of the entry's rows."""
    entries = read_entries([oof_npz(args.run, name)], args.run)
    work, device = entry_work(args.run, name), choose_device(args.device)
    pairs = [*itertools.combinations(np.unique(entries.fold).tolist(), 2)]
    places = {pair: pair_place(work, args.run, pair, device) for pair in pairs}
    run_side_by_side(train_pair, [(work, places[pair], pair) for pair in pairs], args.jobs, device)
    row_of = {id_: row for row, id_ in enumerate(entries.clip_id.tolist())}
    own = softmax(entries.logits[0])
    summed, count = np.zeros_like(own), np.zeros(len(own))
    for place in places.values():
        rows = [row_of[id_] for id_ in np.load(place.folder / "ids.npy").tolist()]
        summed[rows] += softmax(np.load(place.folder / "logits.npy"))
        count[rows] += 1
    of_folds = summed / count[:, None]
    return {"folds": of_folds, "refit": own, "both": (summed + own) / (count + 1)[:, None]}


def of_test(run: str, name: str) -> dict[str, np.ndarray]:
    """Way -> (M, K) probabilities of the test clips; nothing where the entry has no refit."""
    entries = read_entries([oof_npz(run, name)], run)
    if not refit_npz(run, name).exists():
        return {}
    refits = refit_paths(run, entries)
    ways = {"folds": entries, **{way: with_refits(entries, refits, run, way) for way in (REFIT, BOTH)}}
    return {way: softmax(one.test_logits[0]).mean(0) for way, one in ways.items()}


def measure(args: argparse.Namespace, name: str) -> None:
    """Print a line for every way."""
    entries, truth = read_entries([oof_npz(args.run, name)], args.run), test_labels(args.run, args.answers)
    test = of_test(args.run, name) if truth is not None else {}
    test_label = np.array([truth[id_] for id_ in entries.test_clip_id.tolist()]) if test else None
    ways = without_each_fold(args, name)
    for way, probs in ways.items():
        own = scores(probs, entries.label)
        right = (probs.argmax(1) == entries.label).astype(float) - (ways["folds"].argmax(1) == entries.label)
        gains = np.array([right[entries.fold == fold].mean() for fold in np.unique(entries.fold)])
        error = gains.std(ddof=1) / np.sqrt(len(gains))
        log_loss = -np.log(np.maximum(probs[np.arange(len(probs)), entries.label], 1e-6)).mean()
        line = (
            f"  {name:28} {way:6} top-1 {own['top1']:.3f} ({right.mean():+.3f}, standard error {error:.3f})  "
            f"class average {own['class_average']:.3f}  log-loss {log_loss:.3f}"
        )
        if test:
            of = scores(test[way], test_label)
            line += f" | test top-1 {of['top1']:.3f}  class average {of['class_average']:.3f}"
        print(line, flush=True)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Compare the test rows of folds, refits and both.")
    add_place_arguments(parser)
    add_entries_argument(parser, "every entry of the run")
    parser.add_argument("--jobs", type=int, default=1, help="networks trained side by side (default: 1)")
    parser.add_argument("--answers", type=Path, help="hidden labels of the test clips (csv: id, class)")
    args = parser.parse_args(argv)
    check_run_name(args.run)
    print("each fold as the test once, by networks that never saw it")
    for name in wanted_entries(args, trained_entries):
        measure(args, name)


if __name__ == "__main__":
    run_command(main)
