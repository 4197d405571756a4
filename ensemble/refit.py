"""Train entries once more, on every training clip, and predict the test clips by these networks.

reads:  clips/<run>/track1/, folds/<run>.csv, oof/<run>/<name>.json, oof/<run>/<name>_adapted.json
writes: checkpoints/<run>/{<name>,<name>_adapted,starts/<stage>}/all/,
        oof/<run>/refit/{<name>,<name>_adapted}.npz and .json

    python -m ensemble.refit --run mine [--entries gecn,ehct]

A fold's network has seen the training people of the other folds; this one has seen all. It is trained with the settings
of the folds, from the entry's json: as many epochs, each with more steps, as there are more clips. The files hold test
clips alone, so no training clip is judged by a network that saw its person. `ensemble.blend --test-rows` reads them.
"""

import argparse
import dataclasses
from functools import partial

import numpy as np

from ensemble.adapt import adapted_work
from ensemble.entries import add_entries_argument, entry_config, entry_of, trained_entries, wanted_entries
from ensemble.join import ADAPTED
from folds.make import load_folds
from miga.errors import run_command
from miga.files import read_json, write_json
from miga.paths import check_run_name, oof_json, refit_json, refit_npz
from miga.training.config import add_place_arguments, plain
from miga.training.resources import choose_device, run_side_by_side
from miga.training.verbs import Place
from miga.training.versions import library_versions
from models.command.entry import train_and_predict
from models.command.folds import FoldWork, do_fold, forget, is_done
from models.command.joining import TRAIN_AGAIN
from oof.arrays import read_arrays
from oof.artifacts import Oof, write_oof


def entry_work(run: str, name: str) -> FoldWork:
    """What the entry `name` is made by, with the settings that its folds were trained with."""
    entry = entry_of(name)
    config = entry_config(run, name, entry)
    return FoldWork(name, entry.needs, config, partial(train_and_predict, entry, config))


def refit(args: argparse.Namespace, work: FoldWork) -> None:
    """Do the work on every training clip, resuming where it was killed, and write its test rows."""
    device, clips = choose_device(args.device), work.clips(args.run)
    (place,) = work.places(args.run, clips, [None], device)
    if args.overwrite:
        forget(place)
    if is_done(place, work.config):
        print(f"  {place.title}: already done")
    else:
        run_side_by_side(do_fold, [(work, place)], 1, device, work.config.num_workers)
    write_test_rows(work, place, clips.classes)


def write_test_rows(work: FoldWork, place: Place, classes: tuple[str, ...]) -> None:
    """oof/<run>/refit/<name>.npz: an out-of-fold file without a training clip, its one test slice by the refit."""
    found = read_arrays(place.folder / "predictions.npz", TRAIN_AGAIN)
    facts = read_json(place.folder / "fold.json", TRAIN_AGAIN)
    nothing = np.zeros(0, int)
    oof = Oof(
        clip_id=found["clip_id"],  # none
        fold=nothing,
        label=nothing,
        logits=found["logits"],
        classes=np.array(classes),
        test_clip_id=found["test_clip_id"],
        test_logits=found["test_logits"][None],
        test_has_input=found["test_has_input"],
    )
    write_oof(refit_npz(place.run, work.name), oof)
    made = {
        "config": plain(dataclasses.asdict(work.config)),
        "folds_sha256": place.fingerprint["folds"],
        "versions": library_versions(),
        **{name: facts[name] for name in ("device", "number_format", "minutes", "peak_gb")},
    }
    write_json(refit_json(place.run, work.name), made)
    print(f"{work.name}: trained on all clips, {len(oof.test_clip_id)} test clips -> {refit_npz(place.run, work.name)}")


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Train entries again, on every training clip.", allow_abbrev=False)
    add_place_arguments(parser)
    add_entries_argument(parser, "every entry of the run")
    args = parser.parse_args(argv)
    check_run_name(args.run)
    if not (load_folds(args.run).fold < 0).any():
        print(f"run {args.run} has no test clips, so nothing would look at a network on every training clip")
        return
    for name in wanted_entries(args, trained_entries):
        refit(args, entry_work(args.run, name))
        if oof_json(args.run, name + ADAPTED).exists():
            refit(args, adapted_work(args.run, name))


if __name__ == "__main__":
    run_command(main)
