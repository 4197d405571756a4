"""Train a member of track 2: per fold an extractor for each of its streams, and a detector on their tokens.

reads:  clips/<run>/track2/ with its store of pictures where the member looks at them, folds/track2/<run>.csv
writes: checkpoints/<run>/spotting_<stream>_<hash>/fold<k>/, spotting/<run>/tokens/<stream>_<hash>/fold<k>/,
        checkpoints/<run>/spotting_<member>/fold<k>/, spotting/<run>/settings/<member>.json,
        clips/<run>/track2/rgb_<size>/ where it is not there yet

    python -m spotting.train --run mine [--member late] [--profile bench] [--fold 0] [--stage tokens]
    python -m spotting.train --run mine --member late --name late_512 --detector.window 512    # beside the other

Members that look at the same stream with the same settings share its extractors and tokens. A detector is trained on
tokens of every fold: on several machines, `--stage tokens` of all folds comes first.
"""

import re
import shutil
import time

from folds.make import load_folds
from miga.clips import load_clips
from miga.errors import InputError, naming, run_command
from miga.files import write_json_once
from miga.paths import check_run_name, spotting_settings_json, spotting_tokens_json
from miga.training.checkpoint import check_fingerprint, load_checkpoint
from miga.training.config import add_run_arguments, parse_overrides, wanted_folds
from miga.training.precision import describe_format
from miga.training.progress import format_seconds
from miga.training.resources import choose_device, parallel_folds, run_side_by_side
from miga.training.settings_help import SettingsParser
from recordings.rgb_store import build_rgb_store
from spotting.config import MEMBERS, override_parts
from spotting.detection import folds_waited_for, train_detector
from spotting.extraction import has_tokens, make_tokens, train_extractor
from spotting.job import SpottingJob, folds_of_videos, make_jobs, videos_of_fold
from spotting.profiles import PROFILES, profile_config
from spotting.streams import open_stream, stream_key


def describe_fold(job: SpottingJob) -> None:
    """Stage 1 of one fold: the extractors and their tokens. Continues what an earlier, killed call left."""
    clips, folds = load_clips(job.run, "track2"), load_folds(job.run, "track2")
    parts = videos_of_fold(clips.videos, folds, job.fold)
    for name in streams_trained(job.streams):
        started = time.monotonic()
        stream = open_stream(clips, job.config, name)
        if has_tokens(name, stream.made_of(), job):
            continue
        with naming(f"spotting {name} extractor fold {job.fold}"):
            make_tokens(stream, parts, train_extractor(clips, stream, parts["train"], job), job)
        taken = format_seconds(time.monotonic() - started)
        print(f"  spotting {name} fold {job.fold}: tokens made, {taken}", flush=True)


def streams_trained(streams: tuple[str, ...]) -> tuple[str, ...]:
    """Those whose extractors a member needs: early fusion begins with both pathways, trained alone."""
    return ("joint", "rgb", "early") if streams == ("early",) else streams


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
    with naming(f"spotting {job.member} detector fold {job.fold}"):
        train_detector(clips, video2fold, video_ids, job)
    taken = format_seconds(time.monotonic() - started)
    print(f"  spotting {job.member} fold {job.fold}: detector trained, {taken}", flush=True)


def is_done(job: SpottingJob) -> bool:
    """Whether the fold's last file is there; refuses one made with other settings."""
    path = job.detector_folder / "weights.pt"
    if not path.exists():
        return False
    check_fingerprint(path, load_checkpoint(path)["fingerprint"], job.detector_fingerprint)
    return True


STAGES = {"tokens": describe_fold, "detector": detect_fold}


def remove_results(job: SpottingJob, stages: list[str]) -> None:
    """Forget what these stages of a fold made."""
    if "detector" in stages:
        shutil.rmtree(job.detector_folder, ignore_errors=True)
    for stream in job.streams if "tokens" in stages else ():
        shutil.rmtree(job.extractor_folder(stream), ignore_errors=True)
        tokens = spotting_tokens_json(job.run, stream_key(job.config, stream), job.fold).parent
        shutil.rmtree(tokens, ignore_errors=True)


def main(argv: list[str] | None = None) -> None:
    parser = SettingsParser("Train a member of track 2.", argv, PROFILES)
    add_run_arguments(parser)
    parser.add_argument("--member", choices=MEMBERS, default="joint", help="which streams it looks at (default: joint)")
    parser.add_argument("--name", default=None, help="of its files, for other settings of a member (default: --member)")
    parser.add_argument("--stage", choices=STAGES, help="only this stage (default: both in turn)")
    args, unknown = parser.parse_known_args(argv)
    check_run_name(args.run)
    name = check_member_name(args.name or args.member)
    config = override_parts(profile_config(args.profile, args.member), parse_overrides(unknown))
    device = choose_device(args.device)
    if MEMBERS[args.member] != ("joint",):
        build_rgb_store(args.run, config.rgb.picture_size, "track2")
    jobs = make_jobs(args.run, name, MEMBERS[args.member], config, device)
    jobs = [jobs[fold] for fold in wanted_folds(args.fold, len(jobs))]
    stages = [args.stage] if args.stage else list(STAGES)
    if args.overwrite:
        for job in jobs:
            remove_results(job, stages)
    waiting = [job for job in jobs if not is_done(job)]
    clips = load_clips(args.run, "track2")
    num_gestures = int(((clips.table.split == "train") & (clips.table.label >= 0)).sum())
    used = describe_format(config.extractor.precision, device)
    print(
        f"spotting {name}: {num_gestures} gestures in {int((clips.videos.split == 'train').sum())} training videos, "
        f"{int((clips.videos.split == 'test').sum())} test videos, {used}, {len(jobs) - len(waiting)} of {len(jobs)} "
        "folds already done"
    )
    if not waiting:
        return
    for part, fields in config.to_dict().items():
        print(f"  {part}: " + "  ".join(f"{key}={value}" for key, value in fields.items()))
    settings = {"streams": list(MEMBERS[args.member]), **config.to_dict()}
    if "detector" in stages:
        write_json_once(spotting_settings_json(args.run, name), settings)  # later steps read it
    parallel = parallel_folds(args.jobs, len(waiting), device)
    for stage in stages:
        num_workers = max(config.extractor.num_workers, config.rgb.num_workers, config.detector.num_workers)
        run_side_by_side(STAGES[stage], [(job,) for job in waiting], parallel, device, num_workers)


def check_member_name(name: str) -> str:
    """Raises InputError unless `name` can be that of files."""
    if not re.fullmatch(r"(papers/)?[a-z][a-z0-9_]*", name):  # papers/: where no blend looks
        raise InputError(f"--name {name}: expected small letters, digits and '_', for example late_512")
    return name


if __name__ == "__main__":
    run_command(main)
