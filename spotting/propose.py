"""What the trained detectors propose: a member of track 2's blend.

reads:  clips/<run>/track2/, folds/track2/<run>.csv, spotting/<run>/,
        checkpoints/<run>/spotting_extractor/, checkpoints/<run>/spotting_detector/ or spotting_tridet/
writes: spotting/<run>/members/<member>.npz, spotting/<run>/members/<member>.json

    python -m spotting.propose --run mine [--member tridet]

A training video is seen by the detector that never saw its person. A test video is seen by the detectors of all folds,
by each alone and by their average: probabilities and distances at the same points.
"""

import argparse
import time

import numpy as np
import torch

from folds.make import load_folds
from miga.clips import Clips, load_clips
from miga.errors import InputError, run_command
from miga.files import read_json
from miga.paths import check_run_name, spotting_settings_json, spotting_tokens_npy
from miga.training.checkpoint import load_checkpoint
from miga.training.config import parse_overrides
from miga.training.resources import choose_device
from miga.training.seeding import make_deterministic
from miga.training.versions import device_name, in_all
from spotting.candidates import AVERAGE, Member, folds_of_run, write_member
from spotting.config import SpottingConfig, config_from_dict, override_parts
from spotting.decode import FrameScores, average_models, decode_window, pool_windows
from spotting.detectors import build_detector, points_of
from spotting.samples import padded_window
from spotting.segments import Segments, empty_segments
from spotting.stages import NUM_TEST_VIEWS, SpottingJob, gestures_of, videos_of_fold
from spotting.thresholds import describe_scores, out_of_fold
from spotting.train import is_done, make_jobs
from spotting.windows import window_starts

KINDS = {"joint": "mslt", "tridet": "tridet"}  # member -> detector.kind, both on the skeleton


@torch.no_grad()
def find_candidates(
    clips: Clips, video_id: str, jobs: list[SpottingJob], detectors: list[torch.nn.Module]
) -> list[Segments]:
    """Candidates of a video by the average of the detectors and, where they are several, then by each alone.

    There are none where nobody is ever in view.
    """
    num_views = NUM_TEST_VIEWS if jobs[0].config.search.mirror else 1
    alone = [slice(i * num_views, (i + 1) * num_views) for i in range(len(jobs))]  # of the outputs: a detector's views
    groups = [slice(None), *(alone if len(jobs) > 1 else [])]
    if not clips.is_seen(video_id):
        return [empty_segments() for _ in groups]
    config, device = jobs[0].config.detector, jobs[0].device
    tokens = [[read_tokens(job, view, video_id) for view in range(num_views)] for job in jobs]
    num_frames, window = len(tokens[0][0]), config.window
    points = points_of(config, device)
    parts = [[] for _ in groups]
    frames = [FrameScores(num_frames, clips.num_classes) for _ in groups]
    for start in window_starts(num_frames, window, window // 2).tolist():
        outputs = []
        for detector, of_fold in zip(detectors, tokens, strict=True):
            for of_view in of_fold:
                padded, is_frame = padded_window(of_view, start, window)
                tensors = (torch.from_numpy(array)[None].to(device) for array in (padded, is_frame))
                outputs.append(detector(*tensors))
        is_point = outputs[0]["is_point"][0]
        for group, part, frame in zip(groups, parts, frames, strict=True):
            probabilities, distances = average_models(outputs[group])
            frame.add(start, outputs[group])
            part.append(decode_window(points, probabilities[0], distances[0], is_point, start, num_frames))
    return [frame.rescore(pool_windows(part)) for part, frame in zip(parts, frames, strict=True)]


def read_tokens(job: SpottingJob, view: int, video_id: str) -> np.ndarray:
    path = spotting_tokens_npy(job.run, job.fold, view, video_id)
    if not path.exists():
        raise InputError(f"{path}: no frame tokens; run `python -m spotting.train --run {job.run} --overwrite`")
    return np.load(path, mmap_mode="r", allow_pickle=False)


def how_trained(jobs: list[SpottingJob]) -> dict[str, dict[str, str]]:
    """Device and number format of each stage's trainings."""
    made = {
        stage: [load_checkpoint(job.folder(stage) / "weights.pt").get("made", {}) for job in jobs]
        for stage in ("extractor", "detector")
    }
    return {stage: in_all(facts, ("device", "number_format")) for stage, facts in made.items()}


def load_detector(job: SpottingJob, num_classes: int, video_id: str) -> torch.nn.Module:
    """The trained detector of a fold."""
    detector = build_detector(read_tokens(job, 0, video_id).shape[1], num_classes, job.config.detector)
    detector.load_state_dict(load_checkpoint(job.folder("detector") / "weights.pt", job.device)["model"])
    return detector.to(job.device).eval()


def propose(run: str, name: str, config: SpottingConfig, device: torch.device) -> Member:
    """Everything that the trained detectors of a run find.

    Raises:
        InputError: a fold is not trained.
    """
    started = time.monotonic()
    make_deterministic(device)
    clips, folds = load_clips(run, "track2"), load_folds(run, "track2")
    jobs = make_jobs(run, config, device)
    missing = [job.fold for job in jobs if not is_done(job)]
    if missing:
        raise InputError(f"spotting fold {missing[0]} is not trained; run `python -m spotting.train --run {run}` first")
    first = [videos_of_fold(clips.videos, folds, job.fold)["held_out"][0] for job in jobs]
    detectors = [load_detector(job, clips.num_classes, video) for job, video in zip(jobs, first, strict=True)]
    found: dict[tuple[str, int], Segments] = {}
    fold_of = folds_of_run(run)
    for video, fold in fold_of.items():
        if fold >= 0:
            found[video, fold] = find_candidates(clips, video, [jobs[fold]], [detectors[fold]])[0]
        else:
            by_average, *by_each = find_candidates(clips, video, jobs, detectors)
            found[video, AVERAGE] = by_average
            found |= {(video, job.fold): one for job, one in zip(jobs, by_each or [by_average], strict=True)}
    held_out = Member(name, fold_of, found, {}).held_out()
    facts = {
        "settings": config.to_dict(),
        "fingerprint": jobs[0].fingerprint,
        "device": device_name(device),
        "minutes": round((time.monotonic() - started) / 60, 2),
        "trained": how_trained(jobs),
        "out_of_fold": out_of_fold(held_out, {v: gestures_of(clips, v) for v in held_out}, fold_of, config.search),
    }
    return Member(name, fold_of, found, facts)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description="What the trained detectors propose.",
        epilog="Settings of the search can be changed, `--search.setting value`; `python -m spotting.train --help` has "
        "them. Their defaults are those of the training.",
        allow_abbrev=False,
    )
    parser.add_argument("--run", required=True, type=check_run_name)
    parser.add_argument("--member", choices=KINDS, default="joint", help="whose detectors (default: joint)")
    parser.add_argument("--device", default=None, help="cpu or cuda (default: cuda when there is one)")
    args, unknown = parser.parse_known_args(argv)
    member = propose(
        args.run,
        args.member,
        read_settings(args.run, parse_overrides(unknown), KINDS[args.member]),
        choose_device(args.device),
    )
    write_member(args.run, member)
    print(f"member {args.member}: {describe_scores(member.facts['out_of_fold'])}")


def read_settings(run: str, changes: dict[str, str], kind: str = "mslt") -> SpottingConfig:
    """The settings that the detectors of a kind were trained with, changed.

    Raises:
        InputError: nothing is trained yet.
    """
    path, option = spotting_settings_json(run, kind), "" if kind == "mslt" else f" --detector.kind {kind}"
    if not path.exists():
        raise InputError(f"{path}: nothing trained yet; run `python -m spotting.train --run {run}{option}` first")
    settings = read_json(path, f"run `python -m spotting.train --run {run} --overwrite`")
    return override_parts(config_from_dict(settings), changes)


if __name__ == "__main__":
    run_command(main)
