"""Predict again by networks that took in the batch statistics of each person, from clips without labels.

reads:  clips/<run>/track1/, folds/<run>.csv, oof/<run>/<name>.json, checkpoints/<run>/<name>/fold<k>/
writes: checkpoints/<run>/<name>_adapted/fold<k>/, oof/<run>/<name>_adapted.npz and .json

    python -m ensemble.adapt --run mine [--entries gecn,ehct] [--fold 0]

Nothing is trained. Where people show much the same gestures this is worth several points; where each has habits of
their own it costs some, because the statistics then tell the gestures too. The blend decides by cross-fitting.
"""

import argparse
from functools import partial

import numpy as np

from ensemble.entries import (
    add_entries_argument,
    entry_config,
    entry_of,
    trained_entries,
    trained_weights,
    wanted_entries,
)
from ensemble.join import ADAPTED
from folds.make import load_folds
from miga.clips import Clips, load_clips
from miga.errors import run_command
from miga.files import file_sha256
from miga.paths import check_run_name
from miga.training.adapt import MIN_CLIPS, PRIOR, clips_by_person
from miga.training.assembly import Entry
from miga.training.checkpoint import load_checkpoint
from miga.training.config import FitConfig, add_fold_arguments, wanted_folds, without_start
from miga.training.inputs import JOINTS
from miga.training.verbs import Place, load_trained, predict_by_person
from models.command.folds import FoldWork, run_folds


def predict_adapted(
    entry: Entry,
    name: str,
    config: FitConfig,
    clips: Clips,
    train_rows: np.ndarray,
    rows: np.ndarray,
    place: Place,
) -> np.ndarray:
    """Log-probabilities of `rows` by the trained network of the entry `name`, person by person; nothing is trained."""
    assembly = entry.assemble(clips, without_start(config))
    network = load_trained(assembly, trained_weights(place.run, name, place.fold), place.device)
    tells = clips.has_joints[rows] if JOINTS in entry.needs else np.ones(len(rows), bool)
    return predict_by_person(assembly, network, clips, rows, tells, place.device)


def adapt_entry(args: argparse.Namespace, name: str) -> None:
    """Write the adapted twin of an entry; one that is no network, or has no batch norms, has none."""
    if not entry_of(name).is_network:
        print(f"{name}: no network, nothing to adapt")
        return
    num_folds = load_folds(args.run).fold.max() + 1
    weights = load_checkpoint(trained_weights(args.run, name, wanted_folds(args.fold, num_folds)[0]))["model"]
    if not any(key.endswith("running_mean") for key in weights):
        print(f"{name}: no batch norms, nothing to adapt")
        return

    run_folds(args, adapted_work(args.run, name))


def adapted_work(run: str, name: str) -> FoldWork:
    """What the adapted twin of the entry `name` is made by."""

    def made_from(fold: int | None) -> dict:
        return {"from": file_sha256(trained_weights(run, name, fold)), "prior": PRIOR, "min_clips": MIN_CLIPS}

    entry = entry_of(name)
    config = entry_config(run, name, entry)
    log_probs = partial(predict_adapted, entry, name, config)
    return FoldWork(name + ADAPTED, entry.needs, config, log_probs, made_from=made_from)


def most_clips_of_one(clips: Clips, rows: np.ndarray) -> int:
    """Clips of the person who has most."""
    return max((len(places) for places in clips_by_person(clips.table, rows)), default=0)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Adapt the networks of entries to each person.", allow_abbrev=False)
    add_fold_arguments(parser)
    add_entries_argument(parser, "every entry of the run")
    args = parser.parse_args(argv)
    check_run_name(args.run)
    clips, folds = load_clips(args.run, "track1"), load_folds(args.run)
    most = most_clips_of_one(clips, clips.rows_of(folds.clip_id.to_numpy()))
    if most < MIN_CLIPS:
        print(f"no person has {MIN_CLIPS} clips (the most is {most}), nothing to adapt to")
        return
    for name in wanted_entries(args, trained_entries):
        adapt_entry(args, name)


if __name__ == "__main__":
    run_command(main)
