"""The folds of one entry, or of what is made of one: done one by one, then joined into its out-of-fold file."""

import argparse
import dataclasses
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from folds.make import load_folds
from miga.clips import Clips, load_clips
from miga.errors import naming
from miga.files import file_sha256, read_json, replacing, write_json
from miga.paths import fold_checkpoint_dir, folds_csv
from miga.training.checkpoint import check_fingerprint
from miga.training.config import FitConfig, prediction_settings, training_settings, wanted_folds
from miga.training.inputs import inputs_of, made_of
from miga.training.precision import describe_format, number_format
from miga.training.progress import format_seconds, peak_memory_gb
from miga.training.resources import choose_device, parallel_folds, run_side_by_side
from miga.training.seeding import seed_torch
from miga.training.verbs import Place
from miga.training.versions import device_name
from models.command.joining import TRAIN_AGAIN, join_folds
from oof.metrics import scores
from oof.prior import class_prior


@dataclass(frozen=True)
class FoldWork:
    """What an out-of-fold file is made by.

    name: of the file, oof/<run>/<name>.npz.
    needs: what the network looks at, `miga.training.inputs`. A test clip that lacks some of it is not shown to it: it
        gets the logarithm of the class shares of the fold's training clips.
    log_probs: (clips, training rows, rows to predict, place) -> (rows to predict, K) float32.
    relabel: the prepared clips -> the same clips with the labels and classes that are learnt.
    made_from: fold, or None for every training clip -> what else it is made from, as plain values.
    """

    name: str
    needs: tuple[str, ...]
    config: FitConfig
    log_probs: Callable[[Clips, np.ndarray, np.ndarray, Place], np.ndarray]
    relabel: Callable[[Clips], Clips] | None = None
    made_from: Callable[[int | None], dict] | None = None

    def clips(self, run: str) -> Clips:
        clips = load_clips(run, "track1")
        return self.relabel(clips) if self.relabel else clips

    def places(self, run: str, clips: Clips, folds: Iterable[int | None], device: torch.device) -> list[Place]:
        """The places of these folds, None for every training clip, each with the fingerprint of its training."""
        shared = {
            "config": training_settings(self.config),
            "folds": file_sha256(folds_csv(run)),
            **made_of(clips, self.needs, run, self.config),
            "mirror": None if clips.mirror is None else clips.mirror.tolist(),
        }
        places = []
        for fold in folds:
            own = {
                **shared,
                "fold": "all" if fold is None else fold,
                **(self.made_from(fold) if self.made_from else {}),
            }
            places.append(Place(run, self.name, fold, fold_checkpoint_dir(run, self.name, fold), own, device))
        return places


def run_folds(args: argparse.Namespace, work: FoldWork) -> None:
    """Do the asked folds, several at a time on a CPU, and write the out-of-fold file once every fold is there.

    A finished fold is skipped; where only settings of prediction changed, its clips are predicted again. One trained
    with other settings is refused unless --overwrite is given.
    """
    device = choose_device(args.device)
    clips, folds = work.clips(args.run), load_folds(args.run)
    every = work.places(args.run, clips, range(folds.fold.max() + 1), device)
    places = [every[fold] for fold in wanted_folds(args.fold, len(every))]
    if args.overwrite:
        for place in places:
            forget(place)
    waiting = [place for place in places if not is_done(place, work.config)]
    _print_start(work, clips, folds, len(every) - len(waiting) if args.fold == "all" else 0, device)
    if waiting:
        num_jobs = parallel_folds(args.jobs, len(waiting), device)
        run_side_by_side(do_fold, [(work, place) for place in waiting], num_jobs, device, work.config.num_workers)
    if all(is_done(place, work.config) for place in every):
        join_folds(work, every, clips, folds)


def training_rows(clips: Clips, folds: pd.DataFrame, fold: int | None) -> np.ndarray:
    """Rows of the clip table that a fold is trained on: those of the other folds; of every fold for None."""
    is_in = folds.fold >= 0 if fold is None else (folds.fold >= 0) & (folds.fold != fold)
    return clips.rows_of(folds.clip_id[is_in].to_numpy())


def forget(place: Place) -> None:
    """Remove what a fold made, but not the trainings that it shares with others."""
    for name in ("checkpoint.pt", "weights.pt", "log.csv", "predictions.npz", "fold.json"):
        for file in place.folder.rglob(name):  # a stage of its own has a folder below
            file.unlink()


def is_done(place: Place, config: FitConfig) -> bool:
    """Whether the fold's predictions are there and made with these settings; refuses those of another training."""
    path, facts_json = place.folder / "predictions.npz", place.folder / "fold.json"
    if not path.exists() or not facts_json.exists():  # a kill between the two leaves the first alone
        return False
    facts = read_json(facts_json, TRAIN_AGAIN)
    check_fingerprint(path, facts["fingerprint"], place.fingerprint)
    return facts["prediction"] == prediction_settings(config)


def do_fold(work: FoldWork, place: Place) -> None:
    """Train one place, predict the clips that it holds out, if any, and every test clip, and write both."""
    start = time.monotonic()
    clips, folds = work.clips(place.run), load_folds(place.run)
    train_rows = training_rows(clips, folds, place.fold)
    test = folds.clip_id[folds.fold < 0].to_numpy()
    held_out = test[:0] if place.fold is None else folds.clip_id[folds.fold == place.fold].to_numpy()
    label, held_out_rows, test_rows = clips.table.label.to_numpy(), clips.rows_of(held_out), clips.rows_of(test)
    has_input = np.all(list(inputs_of(clips, work.needs, place.run, work.config).values()), axis=0)[test_rows]
    seed_torch(work.config.seed, *place.seeds)
    with naming(place.title):
        log_probs = work.log_probs(clips, train_rows, np.concatenate([held_out_rows, test_rows[has_input]]), place)
    of_test = np.tile(np.log(class_prior(label[train_rows], clips.num_classes)), (len(test), 1))
    of_test[has_input] = log_probs[len(held_out) :]
    facts: dict[str, Any] = {
        "fingerprint": place.fingerprint,
        "prediction": prediction_settings(work.config),
        "scores": scores(log_probs[: len(held_out)], label[held_out_rows]) if len(held_out) else None,
        "minutes": (time.monotonic() - start) / 60,
        "peak_gb": peak_memory_gb(place.device),
        "device": device_name(place.device),
        "number_format": number_format(work.config.precision, place.device),
    }
    write_predictions(place.folder, held_out, log_probs[: len(held_out)], test, of_test, has_input)
    write_json(place.folder / "fold.json", facts)  # last: it says by which settings the predictions were made
    score = f"held-out top-1 {facts['scores']['top1']:.3f} on {len(held_out)} clips" if facts["scores"] else "trained"
    print(f"  {place.title}: {score}, {format_seconds(60 * facts['minutes'])}", flush=True)


def write_predictions(
    folder: Path, held_out: np.ndarray, logits: np.ndarray, test: np.ndarray, of_test: np.ndarray, has_input: np.ndarray
) -> None:
    """Write predictions.npz of a fold: ids and log-probabilities of its held-out and of all test clips."""
    with replacing(folder / "predictions.npz") as temporary, open(temporary, "wb") as file:
        np.savez(
            file,
            clip_id=held_out.astype(np.str_),
            logits=logits.astype(np.float32),
            test_clip_id=test.astype(np.str_),
            test_logits=of_test.astype(np.float32),
            test_has_input=has_input,
        )


def _print_start(work: FoldWork, clips: Clips, folds: pd.DataFrame, num_done: int, device: torch.device) -> None:
    num_train, num_test = int((folds.fold >= 0).sum()), int((folds.fold < 0).sum())
    done = f", {num_done} folds already done" if num_done else ""
    used = describe_format(work.config.precision, device)
    print(f"{work.name}: {num_train} training clips, {num_test} test clips, {clips.num_classes} classes, {used}{done}")
    print("  " + "  ".join(f"{key}={value}" for key, value in dataclasses.asdict(work.config).items() if value != ""))
