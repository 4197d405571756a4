"""Predict again by the trained networks of an entry: with other test views, or by one of its stages alone.

reads:  clips/<run>/track1/, folds/<run>.csv, oof/<run>/<entry>.json, checkpoints/<run>/{<entry>,starts}/
writes: checkpoints/<run>/papers/<name>/fold<k>/, oof/<run>/papers/<name>.npz and .json

    python -m papers.predict --run R --entry m3cn --name m3cn_noc5 --num_test_clips 5
    python -m papers.predict --run R --entry m3cn --name m3cn_rgb --stage rgb

Nothing is trained. What lies in oof/<run>/papers/ is read by the tables alone, the blend does not see it.
"""

import argparse
import os
import shutil
from functools import partial

import numpy as np

from ensemble.entries import entry_config, entry_of, trained_weights
from miga.clips import Clips
from miga.errors import InputError, run_command
from miga.files import file_sha256
from miga.paths import check_run_name
from miga.training.assembly import Entry, Stage
from miga.training.config import (
    FitConfig,
    add_fold_arguments,
    override,
    parse_overrides,
    prediction_settings,
    without_start,
)
from miga.training.verbs import Place, load_trained, predict_rows, train_stage
from models.command.folds import FoldWork, run_folds
from papers.steps import FOLDER


def predict_again(
    entry: Entry, name: str, config: FitConfig, clips: Clips, train_rows: np.ndarray, rows: np.ndarray, place: Place
) -> np.ndarray:
    """Log-probabilities of `rows` by the trained network of the entry `name`, whose weights are then ours as well."""
    weights = trained_weights(place.run, name, place.fold)
    assembly = entry.assemble(clips, without_start(config))
    network = load_trained(assembly, weights, place.device)
    own = place.folder / "weights.pt"  # a tail model starts from them
    own.parent.mkdir(parents=True, exist_ok=True)
    own.unlink(missing_ok=True)
    try:
        os.link(weights, own)
    except OSError:  # the file system has no links
        shutil.copyfile(weights, own)
    return predict_rows(assembly, network, clips, rows, place.device)


def predict_stage(
    entry: Entry, name: str, stage: str, trained: FoldWork, clips: Clips, train_rows: np.ndarray, rows: np.ndarray,
    place: Place,
) -> np.ndarray:  # fmt: skip
    """The same by a network that was trained alone before the whole one, with one view."""
    (its_place,) = trained.places(place.run, clips, [place.fold], place.device)
    found = stage_of(entry.assemble(clips, trained.config).stages, stage, name)
    network = train_stage(found, clips, train_rows, its_place, trained.config.seed)  # finished: it is loaded
    return predict_rows(found.assemble(), network, clips, rows, place.device)


def stage_of(stages: tuple[Stage, ...], name: str, entry: str) -> Stage:
    """The stage of this name; raises InputError where there is none."""
    for stage in stages:
        if stage.name == name:
            return stage
    known = ", ".join(stage.name for stage in stages) or "none, it was trained from a checkpoint of the whole network"
    raise InputError(f"--stage {name}: the stages of {entry} are {known}")


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    add_fold_arguments(parser)
    parser.add_argument("--entry", required=True, help="whose networks predict, as in oof/<run>/<entry>.npz")
    parser.add_argument("--name", required=True, help="of what is written")
    parser.add_argument("--stage", help="the stage that predicts, such as rgb or pose (default: the whole network)")
    args, unknown = parser.parse_known_args(argv)
    check_run_name(args.run)
    entry = entry_of(args.entry)
    config = entry_config(args.run, args.entry, entry)
    changes = parse_overrides(unknown)
    allowed = prediction_settings(config)
    for field in changes.keys() - allowed.keys():
        raise InputError(f"--{field}: not a setting of prediction alone; those are {', '.join(allowed)}")
    changed = override(config, changes)

    def made_from(fold: int | None) -> dict:
        return {"from": file_sha256(trained_weights(args.run, args.entry, fold)), "stage": args.stage or ""}

    if args.stage:
        trained = FoldWork(args.entry, entry.needs, config, partial(predict_again, entry, args.entry, config))
        log_probs = partial(predict_stage, entry, args.entry, args.stage, trained)
    else:
        log_probs = partial(predict_again, entry, args.entry, changed)
    run_folds(args, FoldWork(f"{FOLDER}/{args.name}", entry.needs, changed, log_probs, made_from=made_from))


if __name__ == "__main__":
    run_command(main)
