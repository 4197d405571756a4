"""Train every fold of one entry and write its out-of-fold file. One process = one fold = the unit of work."""

import argparse
import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from datasets.clips import Clips, load_clips
from datasets.errors import naming
from datasets.files import read_json, replacing, write_json
from datasets.paths import check_run_name, fold_checkpoint_dir, folds_csv, oof_json, oof_npz
from folds.make import load_folds
from oof.arrays import read_arrays
from oof.artifacts import Oof, file_sha256, write_oof
from oof.metrics import scores
from oof.prior import class_prior
from training.checkpoint import check_fingerprint
from training.config import FitConfig, add_run_arguments, override, parse_overrides, wanted_folds
from training.dataset import TrainRows
from training.inputs import JOINTS, inputs_of, made_of
from training.precision import describe_format, number_format
from training.progress import format_seconds, peak_memory_gb
from training.resources import choose_device, parallel_folds, run_side_by_side
from training.seeding import seed_torch
from training.versions import device_name, in_all, library_versions

TRAIN_AGAIN = "train this fold again with --overwrite"


@dataclass(frozen=True)
class FoldJob:
    """What a model's `train_fold` needs to know about its place in the run."""

    name: str  # of the entry, as in oof/<run>/<name>.npz
    fold: int
    run: str
    config: FitConfig
    folder: Path  # for checkpoints
    fingerprint: dict  # plain values that say what is trained on what
    device: torch.device
    needs: tuple[str, ...] = (JOINTS,)  # what the entry looks at, see training.inputs
    adapt: bool = False  # predict each person by a network with their own batch statistics, see training.adapt

    @property
    def title(self) -> str:
        return f"{self.name} fold {self.fold}"


# (clips, training rows, rows to predict, job) -> (rows to predict, K) float32 logits
TrainFold = Callable[[Clips, TrainRows, np.ndarray, FoldJob], np.ndarray]
Relabel = Callable[[Clips], Clips]


def _as_prepared(clips: Clips) -> Clips:
    return clips


def parse_train_arguments(
    argv: list[str] | None, description: str, profiles: dict[str, FitConfig]
) -> tuple[argparse.Namespace, FitConfig]:
    """Command line of every train.py: the shared arguments, and `--field value` for any field of the config."""
    parser = argparse.ArgumentParser(description=description, allow_abbrev=False)
    add_run_arguments(parser)
    args, unknown = parser.parse_known_args(argv)
    check_run_name(args.run)
    config = override(profiles[args.profile], parse_overrides(unknown))
    return args, config


def run_folds(
    args: argparse.Namespace,
    name: str,
    config: FitConfig,
    train_fold: TrainFold,
    needs: tuple[str, ...],
    relabel: Relabel = _as_prepared,
    made_from: Callable[[int], dict] | None = None,
) -> None:
    """Train the asked folds, several at a time on a CPU, and write oof/<run>/<name>.npz once every fold is there.

    A finished fold is skipped; one made with other settings is refused unless --overwrite is given.

    Args:
        needs: what the entry looks at, see training.inputs. A test clip that lacks some of it is not shown to the
            network: it gets the logarithm of the class shares of the fold's training clips.
        relabel: the prepared clips -> the same clips with the labels and classes that this entry learns.
        made_from: fold -> what else the fold is made from, as plain values for its fingerprint.
    """
    device = choose_device(args.device)
    clips, folds = relabel(load_clips(args.run, "track1")), load_folds(args.run)
    fingerprint = {
        "config": {key: list(v) if isinstance(v, tuple) else v for key, v in dataclasses.asdict(config).items()},
        "folds": file_sha256(folds_csv(args.run)),
        **made_of(clips, needs, args.run, config),
        "mirror": None if clips.mirror is None else clips.mirror.tolist(),
    }
    num_folds = int(folds.fold.max()) + 1
    wanted = wanted_folds(args.fold, num_folds)
    every = []
    for k in range(num_folds):
        own = {**fingerprint, "fold": k, **(made_from(k) if made_from else {})}
        folder = fold_checkpoint_dir(args.run, name, k)
        every.append(FoldJob(name, k, args.run, config, folder, own, device, needs))
    jobs = [every[k] for k in wanted]
    if args.overwrite:
        for job in jobs:
            for name_made in ("checkpoint.pt", "weights.pt", "log.csv", "predictions.npz"):
                for file in job.folder.rglob(name_made):  # a recipe of several steps has a folder below for each
                    file.unlink()
    waiting = [job for job in jobs if not _is_done(job)]
    _print_start(name, config, clips, folds, num_folds - len(waiting) if args.fold == "all" else 0, device)
    if waiting:
        num_jobs = parallel_folds(args.jobs, len(waiting), device)
        arguments = [(train_fold, relabel, job) for job in waiting]
        run_side_by_side(_train_one, arguments, num_jobs, device, config.num_workers)
    if all((job.folder / "predictions.npz").exists() for job in every):
        _assemble(args.run, name, every, clips, folds)


def _is_done(job: FoldJob) -> bool:
    """Whether the fold's predictions are there; refuses predictions made with other settings."""
    path = job.folder / "predictions.npz"
    if not path.exists():
        return False
    check_fingerprint(path, read_json(job.folder / "fold.json", TRAIN_AGAIN)["fingerprint"], job.fingerprint)
    return True


def _train_one(train_fold: TrainFold, relabel: Relabel, job: FoldJob) -> None:
    """Train one fold, predict its held-out clips and every test clip, and write both."""
    start = time.monotonic()
    clips, folds = relabel(load_clips(job.run, "track1")), load_folds(job.run)
    train_rows = clips.rows_of(folds.clip_id[(folds.fold >= 0) & (folds.fold != job.fold)].to_numpy())
    held_out = folds.clip_id[folds.fold == job.fold].to_numpy()
    test = folds.clip_id[folds.fold < 0].to_numpy()
    seed_torch(job.config.seed, job.fold)
    label, test_rows = clips.table.label.to_numpy(), clips.rows_of(test)
    has_input = np.all(list(inputs_of(clips, job.needs, job.run, job.config).values()), axis=0)[test_rows]
    held_out_rows = clips.rows_of(held_out)
    with naming(job.title):
        logits = train_fold(clips, train_rows, np.concatenate([held_out_rows, test_rows[has_input]]), job)
    test_logits = np.tile(np.log(class_prior(label[train_rows], clips.num_classes)), (len(test), 1))
    test_logits[has_input] = logits[len(held_out) :]
    labels = label[held_out_rows]
    facts = {
        "fingerprint": job.fingerprint,
        "scores": scores(logits[: len(held_out)], labels),
        "minutes": (time.monotonic() - start) / 60,
        "peak_gb": peak_memory_gb(job.device),
        "device": device_name(job.device),
        "number_format": number_format(job.config.precision, job.device),
    }
    write_json(job.folder / "fold.json", facts)
    with replacing(job.folder / "predictions.npz") as temporary, open(temporary, "wb") as file:
        np.savez(
            file,
            clip_id=held_out.astype(np.str_),
            logits=logits[: len(held_out)].astype(np.float32),
            test_clip_id=test.astype(np.str_),
            test_logits=test_logits.astype(np.float32),
            test_has_input=has_input,
        )
    top1, taken = facts["scores"]["top1"], format_seconds(60 * facts["minutes"])
    print(f"  {job.title}: held-out top-1 {top1:.3f} on {len(held_out)} clips, {taken}", flush=True)


def _assemble(run: str, name: str, jobs: list[FoldJob], clips: Clips, folds) -> None:
    """Join the folds by clip id into oof/<run>/<name>.npz and .json."""

    parts = [read_arrays(job.folder / "predictions.npz", TRAIN_AGAIN) for job in jobs]
    facts = [read_json(job.folder / "fold.json", TRAIN_AGAIN) for job in jobs]
    train = folds[folds.fold >= 0]
    label = clips.table.label.to_numpy()[clips.rows_of(train.clip_id.to_numpy())]
    logits_of = {id_: row for part in parts for id_, row in zip(part["clip_id"], part["logits"], strict=True)}
    logits = np.stack([logits_of[id_] for id_ in train.clip_id])
    oof = Oof(
        clip_id=train.clip_id.to_numpy(),
        fold=train.fold.to_numpy(),
        label=label,
        logits=logits,
        classes=np.array(clips.classes),
        test_clip_id=folds.clip_id[folds.fold < 0].to_numpy(),
        test_logits=np.stack([part["test_logits"] for part in parts]),
        test_has_input=parts[0]["test_has_input"],
    )
    write_oof(oof_npz(run, name), oof)
    is_test = (clips.table.split == "test").to_numpy()
    inputs = inputs_of(clips, jobs[0].needs, run, jobs[0].config)
    result = scores(logits, label)
    write_json(
        oof_json(run, name),
        {
            "config": jobs[0].fingerprint["config"],
            "folds_sha256": jobs[0].fingerprint["folds"],
            "clips_sha256": jobs[0].fingerprint["clips"],
            "pictures_sha256": jobs[0].fingerprint.get("pictures"),
            "test_clips_without": {i: clips.table.clip_id[is_test & ~has].tolist() for i, has in inputs.items()},
            "versions": library_versions(),
            **in_all(facts, ("device", "number_format")),
            "minutes": sum(fact["minutes"] for fact in facts),
            "peak_gb": max(fact["peak_gb"] for fact in facts),
            "scores": result,
            "fold_scores": [fact["scores"] for fact in facts],
        },
    )
    spread = float(np.std([fact["scores"]["top1"] for fact in facts]))
    print(
        f"{name}: out-of-fold top-1 {result['top1']:.3f} (spread over folds {spread:.3f}), "
        f"class average {result['class_average']:.3f}, macro-F1 {result['macro_f1']:.3f} -> {oof_npz(run, name)}"
    )


def _print_start(name, config, clips, folds, num_done, device) -> None:
    num_train, num_test = int((folds.fold >= 0).sum()), int((folds.fold < 0).sum())
    done = f", {num_done} folds already done" if num_done else ""
    used = describe_format(config.precision, device)
    print(f"{name}: {num_train} training clips, {num_test} test clips, {clips.num_classes} classes, {used}{done}")
    print("  " + "  ".join(f"{key}={value}" for key, value in dataclasses.asdict(config).items() if value != ""))
