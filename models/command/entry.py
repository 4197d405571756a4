"""The command of an entry: `python -m models.<folder>.train`."""

import argparse
from functools import partial

import numpy as np

from folds.make import load_folds
from miga.clips import Clips
from miga.files import write_json_once
from miga.paths import check_run_name
from miga.training.assembly import Entry
from miga.training.config import FitConfig, add_run_arguments, override, parse_overrides, wanted_folds
from miga.training.inputs import RGB
from miga.training.resources import choose_device
from miga.training.settings_help import SettingsParser
from miga.training.verbs import Place, predict_rows, train, train_stage
from models.command.folds import FoldWork, run_folds, training_rows


def train_entry(entry: Entry, argv: list[str] | None) -> None:
    """Train the folds that the command line asks for, with its settings, and write oof/<run>/<name>.npz."""
    parser = SettingsParser(f"Train the entries of models/{entry.folder}.", argv, entry.profiles)
    add_run_arguments(parser)
    parser.add_argument("--stages-only", action="store_true", help="train what comes before the whole network, no more")
    parser.add_argument("--name", help="of the out-of-fold file, where settings make an entry of their own")
    args, unknown = parser.parse_known_args(argv)
    check_run_name(args.run)
    profile = entry.profiles[args.profile]
    config = override(profile, parse_overrides(unknown))
    entry.check(config)
    if RGB in entry.needs:
        from recordings.rgb_store import build_rgb_store  # loads the video library

        build_rgb_store(args.run, config.picture_size)
    name = args.name or entry.name(config, profile)
    work = FoldWork(name, entry.needs, config, partial(train_and_predict, entry, config))
    if args.stages_only:
        train_stages(args, entry, work)
    else:
        run_folds(args, work)


def train_and_predict(
    entry: Entry, config: FitConfig, clips: Clips, train_rows: np.ndarray, rows: np.ndarray, place: Place
) -> np.ndarray:
    """Train the entry on `train_rows` of a fold and return log-probabilities (len(rows), K) of `rows`."""
    if entry.log_probs is not None:
        return entry.log_probs(clips, config, train_rows, rows, place)
    assembly = entry.assemble(clips, config)
    network = train(assembly, clips, train_rows, place)
    return predict_rows(assembly, network, clips, rows, place.device)


def train_stages(args: argparse.Namespace, entry: Entry, work: FoldWork) -> None:
    """Train what the asked folds share with other entries."""
    clips, folds = work.clips(args.run), load_folds(args.run)
    places = work.places(args.run, clips, range(folds.fold.max() + 1), choose_device(args.device))
    for fold in wanted_folds(args.fold, len(places)):
        rows = training_rows(clips, folds, fold)
        shared = [stage for stage in entry.assemble(clips, work.config).stages if stage.made_of is not None]
        for stage in shared:
            train_stage(stage, clips, rows, places[fold], work.config.seed)
        write_json_once(places[fold].folder / "starts.json", {stage.name: stage.made_of for stage in shared})
        names = " and ".join(stage.name for stage in shared) or "nothing to begin with"
        print(f"  {places[fold].title}: {names} trained, shared with other entries", flush=True)
