"""Whose test rows are best: of the folds' networks averaged, of one network on every training clip, or of both.

reads:  clips/<run>/track1/, folds/<run>.csv, oof/<run>/<entry>.npz and .json, oof/<run>/refit/<entry>.npz, test labels
writes: checkpoints/<run>/<entry>_nested/<k>_<j>/

    python -m benchmarks.refit --run demo --entries gecn,ehct [--answers track1.csv]

The question is asked of training people, so that the answer may be used. Each fold k plays the test once. What is left
is divided into as many folds again, and a network is trained without each of these: they play the folds' networks. The
refit is there already: the network of fold k, which saw all that is left. So a network of a fold sees the same share of
what the refit sees as in a real run. Entries whose training has stages are refused. Test labels are only reported.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from ensemble.entries import add_entries_argument, trained_entries, wanted_entries
from ensemble.join import read_entries
from ensemble.mixture import softmax
from ensemble.refit import entry_work
from ensemble.refit_rows import BOTH, REFIT, refit_paths, with_refits
from folds.make import load_folds, make_folds
from miga.errors import InputError, run_command
from miga.paths import check_run_name, fold_checkpoint_dir, oof_npz, refit_npz
from miga.training.config import add_place_arguments, wanted_folds
from miga.training.resources import choose_device, run_side_by_side
from miga.training.seeding import seed_torch
from miga.training.verbs import Place
from models.command.folds import FoldWork
from models.layers.two_pathway_config import TwoPathwayConfig
from oof.metrics import scores
from report.summary import test_labels


def nested_folder(run: str, name: str, fold: int, inner: int) -> Path:
    """Where the network without the fold, and without an inner fold of the rest, is kept."""
    return fold_checkpoint_dir(run, f"{name}_nested", None).parent / f"{fold}_{inner}"


def train_nested(work: FoldWork, run: str, fold: int, inner: int, device: torch.device) -> None:
    """Train one network, and keep what it says of the clips of `fold`: ids.npy and logits.npy."""
    clips, folds = work.clips(run), load_folds(run)
    (of_fold,) = work.places(run, clips, [fold], device)
    fingerprint = {**of_fold.fingerprint, "without": inner}
    place = Place(run, work.name, fold, nested_folder(run, work.name, fold, inner), fingerprint, device)
    if (place.folder / "logits.npy").exists():
        return
    rest = clips.table[clips.table.clip_id.isin(folds.clip_id[(folds.fold >= 0) & (folds.fold != fold)])]
    parts = make_folds(rest, int(folds.fold.max()) + 1, 0)
    held_out = folds.clip_id[folds.fold == fold].to_numpy()
    train_rows = clips.rows_of(parts.clip_id[parts.fold != inner].to_numpy())
    place.folder.mkdir(parents=True, exist_ok=True)
    seed_torch(work.config.seed, fold, inner)
    logits = work.log_probs(clips, train_rows, clips.rows_of(held_out), place)
    np.save(place.folder / "ids.npy", held_out.astype(np.str_))
    np.save(place.folder / "logits.npy", logits)


def on_training_people(args: argparse.Namespace, name: str, outer: list[int]) -> dict[str, np.ndarray]:
    """Way -> (N, K) probabilities of the training clips, in the order of the entry's rows, if in `outer`."""
    entries, work = read_entries([oof_npz(args.run, name)], args.run), entry_work(args.run, name)
    folds, device = np.unique(entries.fold).tolist(), choose_device(args.device)
    pairs = [(fold, inner) for fold in outer for inner in folds]
    jobs = [(work, args.run, fold, inner, device) for fold, inner in pairs]
    run_side_by_side(train_nested, jobs, args.jobs, device)
    row_of = {id_: row for row, id_ in enumerate(entries.clip_id.tolist())}
    refit = softmax(entries.logits[0])
    of_folds = np.zeros_like(refit)
    for pair in pairs:
        folder = nested_folder(args.run, name, *pair)
        rows = [row_of[id_] for id_ in np.load(folder / "ids.npy").tolist()]
        of_folds[rows] += softmax(np.load(folder / "logits.npy")) / len(folds)
    both = (len(folds) * of_folds + refit) / (len(folds) + 1)
    return {"folds": of_folds, REFIT: refit, BOTH: both}


def on_test_people(run: str, name: str) -> dict[str, np.ndarray]:
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
    test = on_test_people(args.run, name) if truth else {}
    test_label = np.array([(truth or {}).get(id_, -1) for id_ in entries.test_clip_id.tolist()])
    outer = wanted_folds(args.fold, int(entries.fold.max()) + 1)
    rows = np.isin(entries.fold, outer)
    label, fold = entries.label[rows], entries.fold[rows]
    ways = {way: probs[rows] for way, probs in on_training_people(args, name, outer).items()}
    for way, probs in ways.items():
        own = scores(probs, label)
        right = (probs.argmax(1) == label).astype(float) - (ways["folds"].argmax(1) == label)
        gains = np.array([right[fold == one].mean() for one in outer])
        error = f", standard error {gains.std(ddof=1) / np.sqrt(len(gains)):.3f}" if len(gains) > 1 else ""
        log_loss = -np.log(np.maximum(probs[np.arange(len(probs)), label], 1e-6)).mean()
        line = (
            f"  {name:28} {way:6} top-1 {own['top1']:.3f} ({right.mean():+.3f}{error})  "
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
    parser.add_argument("--fold", default="all", help="which plays the test: a number, or all in turn (default)")
    parser.add_argument("--jobs", type=int, default=1, help="networks trained side by side (default: 1)")
    parser.add_argument("--answers", type=Path, help="hidden labels of the test clips (csv: id, class)")
    args = parser.parse_args(argv)
    check_run_name(args.run)
    names = wanted_entries(args, trained_entries)
    for name in names:
        if isinstance(entry_work(args.run, name).config, TwoPathwayConfig):
            raise InputError(f"--entries {name}: its training has stages, which are not nested here; leave it out")
    print("each fold as the test once, by networks that never saw it")
    for name in names:
        measure(args, name)


if __name__ == "__main__":
    run_command(main)
