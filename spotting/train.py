"""Train spotting: per fold a PoseC3D that turns frames into tokens, and a detector on these tokens.

reads:  clips/<run>/track2/, folds/track2/<run>.csv
writes: checkpoints/<run>/spotting_extractor/fold<k>/, spotting/<run>/tokens_fold<k>/,
        checkpoints/<run>/spotting_detector/fold<k>/, spotting/<run>/settings.json;
        with --detector.kind tridet: checkpoints/<run>/spotting_tridet/fold<k>/, spotting/<run>/settings_tridet.json

    python -m spotting.train --run mine [--profile bench] [--fold 0] [--stage tokens] [--detector.window 512 ...]

A detector is trained on tokens of every fold: on several machines, `--stage tokens` of all folds comes first.
"""

import shutil
import time

import torch

from folds.make import load_folds
from miga.clips import load_clips
from miga.errors import naming, run_command
from miga.files import write_json_once
from miga.paths import check_run_name, folds_csv, spotting_settings_json, spotting_tokens_json
from miga.training.checkpoint import check_fingerprint, load_checkpoint
from miga.training.config import add_run_arguments, parse_overrides, wanted_folds
from miga.training.precision import describe_format
from miga.training.progress import format_seconds
from miga.training.resources import choose_device, parallel_folds, run_side_by_side
from miga.training.settings_help import SettingsParser
from oof.artifacts import file_sha256
from spotting.config import PROFILES, SpottingConfig, override_parts, profile_config
from spotting.stages import (
    SpottingJob,
    folds_of_videos,
    folds_waited_for,
    make_tokens,
    train_detector,
    train_extractor,
    videos_of_fold,
)


def make_jobs(run: str, config: SpottingConfig, device: torch.device) -> list[SpottingJob]:
    """One job a fold; the fingerprint ties every file they write to this data and these folds."""
    clips, folds = load_clips(run, "track2"), load_folds(run, "track2")
    fingerprint = {"folds": file_sha256(folds_csv(run, "track2")), "clips": clips.meta["content_sha256"]}
    num_folds = int(folds.fold.max()) + 1
    return [SpottingJob(run, fold, config, fingerprint, device) for fold in range(num_folds)]


def describe_fold(job: SpottingJob) -> None:
    """Stage 1 of one fold: the extractor and its tokens. Continues what an earlier, killed call left."""
    started = time.monotonic()
    clips, folds = load_clips(job.run, "track2"), load_folds(job.run, "track2")
    parts = videos_of_fold(clips.videos, folds, job.fold)
    with naming(f"spotting extractor fold {job.fold}"):
        make_tokens(clips, parts, train_extractor(clips, parts["train"], job), job)
    print(f"  spotting fold {job.fold}: tokens made, {format_seconds(time.monotonic() - started)}", flush=True)


def detect_fold(job: SpottingJob) -> None:
    """Stage 2 of one fold: the detector, once the tokens it is trained on are there."""
    started = time.monotonic()
    clips, folds = load_clips(job.run, "track2"), load_folds(job.run, "track2")
    video_ids = videos_of_fold(clips.videos, folds, job.fold)["train"]
    video2fold = folds_of_videos(folds)
    waited_for = folds_waited_for(job, video2fold, video_ids)
    if waited_for:
        print(f"  spotting fold {job.fold}: its detector needs folds {waited_for}; run them, then this again")
        return
    with naming(f"spotting detector fold {job.fold}"):
        train_detector(clips, video2fold, video_ids, job)
    print(f"  spotting fold {job.fold}: detector trained, {format_seconds(time.monotonic() - started)}", flush=True)


def is_done(job: SpottingJob) -> bool:
    """Whether the fold's last file is there; refuses one made with other settings."""
    path = job.folder("detector") / "weights.pt"
    if not path.exists():
        return False
    check_fingerprint(path, load_checkpoint(path)["fingerprint"], job.stage_fingerprint("detector"))
    return True


STAGES = {"tokens": describe_fold, "detector": detect_fold}


def remove_results(job: SpottingJob) -> None:
    """Forget everything a fold made; of a second detector only itself, the tokens are also the first one's."""
    if job.config.detector.kind != "mslt":
        shutil.rmtree(job.folder("detector"), ignore_errors=True)
        return
    for stage in ("extractor", "detector"):
        shutil.rmtree(job.folder(stage), ignore_errors=True)
    shutil.rmtree(spotting_tokens_json(job.run, job.fold).parent, ignore_errors=True)


def main(argv: list[str] | None = None) -> None:
    parser = SettingsParser("Train both stages of spotting.", argv, PROFILES)
    add_run_arguments(parser)
    parser.add_argument("--stage", choices=STAGES, help="only this stage (default: both in turn)")
    args, unknown = parser.parse_known_args(argv)
    check_run_name(args.run)
    changes = parse_overrides(unknown)
    config = override_parts(profile_config(args.profile, changes.get("detector.kind", "mslt")), changes)
    device = choose_device(args.device)
    jobs = make_jobs(args.run, config, device)
    jobs = [jobs[fold] for fold in wanted_folds(args.fold, len(jobs))]
    if args.overwrite:
        for job in jobs:
            remove_results(job)
    waiting = [job for job in jobs if not is_done(job)]
    clips = load_clips(args.run, "track2")
    num_gestures = int(((clips.table.split == "train") & (clips.table.label >= 0)).sum())
    used = describe_format(config.extractor.precision, device)
    print(
        f"spotting: {num_gestures} gestures in {int((clips.videos.split == 'train').sum())} training videos, "
        f"{int((clips.videos.split == 'test').sum())} test videos, {used}, {len(jobs) - len(waiting)} of {len(jobs)} "
        "folds already done"
    )
    if not waiting:
        return
    for part, fields in config.to_dict().items():
        print(f"  {part}: " + "  ".join(f"{key}={value}" for key, value in fields.items()))
    write_json_once(spotting_settings_json(args.run, config.detector.kind), config.to_dict())  # later steps read it
    parallel = parallel_folds(args.jobs, len(waiting), device)
    for stage in [args.stage] if args.stage else STAGES:
        num_workers = max(config.extractor.num_workers, config.detector.num_workers)
        run_side_by_side(STAGES[stage], [(job,) for job in waiting], parallel, device, num_workers)


if __name__ == "__main__":
    run_command(main)
