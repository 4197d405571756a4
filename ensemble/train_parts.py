"""Train the tail models of entries, and their classifiers again with balanced sampling.

reads:  clips/<run>/track1/, folds/<run>.csv, oof/<run>/<name>.json, checkpoints/<run>/<name>/fold<k>/weights.pt
writes: checkpoints/<run>/<name>_{part<i>,crt}/fold<k>/, oof/<run>/<name>_{part<i>,crt}.npz and .json

    python -m ensemble.train_parts --run mine [--entries m3cn,ehct] [--fold 0] [--field value ...]

`<name>_part<i>` knows the classes of the i rarest parts and OTHERS (ensemble/parts.py); its labels are numbered so.
`<name>_crt` knows all classes and is a candidate of the blend beside its entry. Both start from the entry's own
weights, fold by fold, with a new classifier, and with the entry's own settings but for what `part_config` and
`crt_config` change.
"""

import argparse
import dataclasses
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from torch import Tensor

from ensemble.entries import (
    add_entries_argument,
    entry_config,
    entry_folder,
    entry_of,
    trained_entries,
    trained_weights,
    wanted_entries,
)
from ensemble.join import RETRAINED
from ensemble.parts import Trainset, balanced_rows, describe_parts, part_rows, tail_trainsets
from folds.make import load_folds
from miga.clips import Clips, load_clips
from miga.errors import InputError, run_command
from miga.files import file_sha256
from miga.paths import check_run_name
from miga.training.assembly import Entry
from miga.training.checkpoint import load_checkpoint
from miga.training.config import FitConfig, add_fold_arguments, override, parse_overrides, without_start
from miga.training.dataset import steps_in_epoch
from miga.training.optimizer import num_epochs
from miga.training.verbs import Place, fit_tail, predict_rows
from models.command.folds import FoldWork, run_folds

DEFAULT_ENTRIES = ("m3cn", "ehct")  # the two of M2HEN
EPOCHS_DIVISOR = 5  # a tail model, and a classifier alone, get a fifth of the entry's epochs
LR_FACTOR = 0.1  # of a tail model, which starts from trained weights
MIN_STEPS = 100  # or as many as the entry itself had; fewer teach a new classifier nothing


def shortened(config: FitConfig, num_clips: int) -> FitConfig:
    """A fifth of the epochs, but no fewer than MIN_STEPS steps where the entry had as many; cosine to 0.

    Args:
        num_clips: that the entry was trained on, in a fold.
    """
    steps_per_epoch = steps_in_epoch(num_clips, config.batch_size, config.accumulation)
    steps_of_entry = num_epochs(config, steps_per_epoch) * steps_per_epoch
    return dataclasses.replace(
        without_start(config),
        epochs=max(1, config.epochs // EPOCHS_DIVISOR),
        min_steps=max(config.min_steps // EPOCHS_DIVISOR, min(MIN_STEPS, steps_of_entry)),
        warmup_epochs=config.warmup_epochs / EPOCHS_DIVISOR,
        milestones=(),
    )


def part_config(config: FitConfig, trainset: Trainset, num_clips: int, num_part_clips: int) -> FitConfig:
    """Of a tail model: a tenth of the learning rate, as it starts from trained weights.

    The full rate where there is too little for a slow start: a set of which a fifth of the epochs is fewer than
    MIN_STEPS steps, and a degenerate one, where only a new classifier learns.

    Args:
        num_clips: that the entry was trained on, in a fold.
        num_part_clips: that an epoch of the tail model has.
    """
    short = dataclasses.replace(shortened(config, num_clips), heads_only=trainset.is_degenerate)
    steps = short.epochs * steps_in_epoch(num_part_clips, config.batch_size, config.accumulation)
    is_slow = steps >= MIN_STEPS and not trainset.is_degenerate
    return dataclasses.replace(short, lr=short.lr * LR_FACTOR) if is_slow else short


def crt_config(config: FitConfig, num_clips: int) -> FitConfig:
    """Of a classifier trained again. Source: cRT of Kang et al. (arXiv 1910.09217), section 4.2."""
    return dataclasses.replace(shortened(config, num_clips), heads_only=True)


def train_tail(
    entry: Entry,
    name: str,
    config: FitConfig,
    rows_of: Callable[[np.ndarray, np.ndarray, int], Callable[[int], np.ndarray]],
    clips: Clips,
    train_rows: np.ndarray,
    rows: np.ndarray,
    place: Place,
) -> np.ndarray:
    """Log-probabilities of `rows` by an entry trained on, from its weights of this fold, on other rows each epoch.

    Args:
        name: of the entry.
        rows_of: (the fold's training rows, class number of every clip, seed) -> epoch -> rows.
        clips: with the labels and classes to learn.
    """
    start = without_heads(trained_weights(place.run, name, place.fold))
    labels = load_clips(place.run, "track1").table.label.to_numpy()
    assembly = entry.assemble(clips, config)
    network = fit_tail(assembly, start, clips, rows_of(train_rows, labels, config.seed), place)
    return predict_rows(assembly, network, clips, rows, place.device)


def without_heads(weights: Path) -> dict[str, Tensor]:
    """The tensors of a fold's weights but for its classifier, which is drawn anew even where its shape would fit."""
    state = load_checkpoint(weights)
    if not state.get("heads"):
        raise InputError(f"{weights}: does not say which layers classify; train this entry again with --overwrite")
    heads = tuple(f"{name}." for name in state["heads"])
    return {key: tensor for key, tensor in state["model"].items() if not key.startswith(heads)}


def train_entry(args: argparse.Namespace, name: str, changes: dict[str, str]) -> None:
    """All tail models of one entry and its cRT."""
    entry = entry_of(name)
    config = entry_config(args.run, name, entry)
    clips, folds = load_clips(args.run, "track1"), load_folds(args.run)
    train = folds[folds.fold >= 0]
    num_folds = train.fold.nunique()
    num_clips = len(train) * (num_folds - 1) // num_folds  # of one fold, roughly

    def made_from(fold: int | None) -> dict:
        return {"from": file_sha256(trained_weights(args.run, name, fold))}

    label = train.label.to_numpy()
    for trainset in tail_trainsets(np.bincount(label, minlength=clips.num_classes)):
        empty = folds_without(trainset, label, train.fold.to_numpy())
        if empty:
            print(f"{name}_part{trainset.number}: dropped, the model of fold {empty[0]} would see no clip of its tail")
            continue
        num_part_clips = len(part_rows(trainset, np.arange(len(train)), label, 0)(0)) * (num_folds - 1) // num_folds
        own = override(part_config(config, trainset, num_clips, num_part_clips), changes)
        log_probs = partial(train_tail, entry, name, own, partial(part_rows, trainset))
        part = f"{name}_part{trainset.number}"
        run_folds(args, FoldWork(part, entry.needs, own, log_probs, trainset.relabelled, made_from))
    own = override(crt_config(config, num_clips), changes)
    log_probs = partial(train_tail, entry, name, own, balanced_rows)
    run_folds(args, FoldWork(name + RETRAINED, entry.needs, own, log_probs, made_from=made_from))


def default_entries(run: str) -> list[str]:
    """Those of the two of M2HEN that the run has: without RGB, or without its folder, one is missing."""
    trained = {entry_folder(entry) for entry in trained_entries(run)}
    for name in DEFAULT_ENTRIES:
        if name not in trained:
            print(f"{name}: left out, the run has no such entry")
    return [name for name in DEFAULT_ENTRIES if name in trained]


def folds_without(trainset: Trainset, label: np.ndarray, fold: np.ndarray) -> list[int]:
    """Folds whose training clips, all those of other folds, hold none of the tail."""
    tail_folds = fold[np.isin(label, trainset.tail)]
    return [int(k) for k in np.unique(fold) if (tail_folds == k).all()]


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description="Train the tail models and the cRT of entries.",
        epilog="Every setting of an entry can be changed too, `--setting value`: "
        "`python -m models.<folder>.train --help` lists them. "
        "Their defaults are those that the entry was trained with, but for a shorter training.",
        allow_abbrev=False,
    )
    add_fold_arguments(parser)
    add_entries_argument(parser, ",".join(DEFAULT_ENTRIES))
    args, unknown = parser.parse_known_args(argv)
    check_run_name(args.run)
    changes = parse_overrides(unknown)
    clips, folds = load_clips(args.run, "track1"), load_folds(args.run)
    counts = np.bincount(folds.label[folds.fold >= 0], minlength=clips.num_classes)
    print(describe_parts(counts, clips.classes))
    for name in wanted_entries(args, default_entries):
        train_entry(args, name, changes)


if __name__ == "__main__":
    run_command(main)
