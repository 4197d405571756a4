"""What the trained detectors propose: a member of track 2's blend.

reads:  clips/<run>/track2/, folds/track2/<run>.csv, spotting/<run>/tokens/, spotting/<run>/settings/,
        checkpoints/<run>/spotting_<member>/, checkpoints/<run>/spotting_<stream>_<hash>/
writes: spotting/<run>/members/<member>.npz, spotting/<run>/members/<member>.json

    python -m spotting.propose --run mine [--member late]
    python -m spotting.propose --run mine --member late --streams rgb      # late_rgb: one of its streams alone

A training video is seen by the detector that never saw its person. A test video is seen by the detectors of all folds,
by each alone and by their average: probabilities and distances at the same points. So are its streams (late fusion); a
stream that a test video lacks is left out.
"""

import argparse
import time

import numpy as np
import torch

from folds.make import load_folds
from miga.clips import Clips, load_clips
from miga.errors import InputError, run_command
from miga.files import read_json
from miga.paths import check_run_name, spotting_settings_json
from miga.training.checkpoint import load_checkpoint
from miga.training.config import parse_overrides
from miga.training.resources import choose_device
from miga.training.seeding import make_deterministic
from miga.training.versions import device_name, in_all
from spotting.candidates import AVERAGE, Member, folds_of_run, write_member
from spotting.config import SpottingConfig, config_from_dict, override_parts
from spotting.decode import FrameScores, average_models, decode_window, of_plain_view, pool_windows
from spotting.detection import channels_of, token_files
from spotting.detectors import points_of
from spotting.job import SpottingJob, gestures_of, make_jobs, videos_of_fold
from spotting.samples import padded_window
from spotting.segments import Segments, empty_segments
from spotting.stream_detector import StreamDetector
from spotting.thresholds import describe_scores, out_of_fold
from spotting.train import is_done
from spotting.windows import window_starts


@torch.no_grad()
def find_candidates(
    clips: Clips, video_id: str, jobs: list[SpottingJob], detectors: list[StreamDetector], streams: tuple[str, ...]
) -> list[Segments]:
    """Candidates of a video by the average of the detectors and, where they are several, then by each alone.

    There are none where none of the streams has anything to look at.
    """
    config, device = jobs[0].config, jobs[0].device
    tokens = [read_tokens(job, streams, video_id) for job in jobs]
    groups: list[list[int]] = [[] for _ in range(1 + len(jobs) if len(jobs) > 1 else 1)]
    if not tokens[0]:
        return [empty_segments() for _ in groups]
    num_frames, window = len(tokens[0][0][2]), config.detector.window
    points = points_of(config.detector, device)
    parts: list[list[Segments]] = [[] for _ in groups]
    frames = [FrameScores(num_frames, clips.num_classes) for _ in groups]
    for start in window_starts(num_frames, window, window // 2).tolist():
        outputs: list[dict[str, torch.Tensor]] = []
        groups = [[] for _ in groups]
        for number, (detector, of_fold) in enumerate(zip(detectors, tokens, strict=True)):
            for stream, is_mirrored, of_view in of_fold:
                padded, is_frame = padded_window(of_view, start, window)
                looked_at = {stream: torch.from_numpy(padded)[None].to(device)}
                for place in (0, number + 1)[: len(groups)]:
                    groups[place].append(len(outputs))
                seen = detector(torch.from_numpy(is_frame)[None].to(device), **looked_at)
                output = seen["streams"][stream]
                outputs.append(of_plain_view(output, clips.mirror) if is_mirrored else output)
        is_point = outputs[0]["is_point"][0]
        for group, part, frame in zip(groups, parts, frames, strict=True):
            of_group = [outputs[number] for number in group]
            probabilities, distances = average_models(of_group)
            frame.add(start, of_group)
            part.append(decode_window(points, probabilities[0], distances[0], is_point, start, num_frames))
    return [frame.rescore(pool_windows(part)) for part, frame in zip(parts, frames, strict=True)]


def read_tokens(job: SpottingJob, streams: tuple[str, ...], video_id: str) -> list[tuple[str, bool, np.ndarray]]:
    """(stream, whether mirrored, tokens) of every view by the job's extractors; no stream that lacks the video.

    Raises:
        InputError: some of its views are there and others are not.
    """
    found: list[tuple[str, bool, np.ndarray]] = []
    for stream, files in token_files(job, job.fold, video_id, job.num_test_views).items():
        there = [file.exists() for file in files]
        if stream not in streams or not any(there):
            continue
        if not all(there):
            raise InputError(
                f"{files[there.index(False)]}: no frame tokens; run `python -m spotting.train --run {job.run} "
                f"--member {job.member} --overwrite`"
            )
        found += [
            (stream, view == 1, np.load(file, mmap_mode="r", allow_pickle=False)) for view, file in enumerate(files)
        ]
    return found


def how_trained(jobs: list[SpottingJob]) -> dict[str, dict[str, str]]:
    """Device and number format of each stage's trainings."""
    folders = {"detector": [job.detector_folder for job in jobs]}
    folders |= {stream: [job.extractor_folder(stream) for job in jobs] for stream in jobs[0].streams}
    made = {
        stage: [load_checkpoint(folder / "weights.pt").get("made", {}) for folder in of_stage]
        for stage, of_stage in folders.items()
    }
    return {stage: in_all(facts, ("device", "number_format")) for stage, facts in made.items()}


def load_detector(job: SpottingJob, num_classes: int, video_id: str) -> StreamDetector:
    """The trained detector of a fold."""
    detector = StreamDetector(channels_of(job, video_id), num_classes, job.config.detector)
    detector.load_state_dict(load_checkpoint(job.detector_folder / "weights.pt", job.device)["model"])
    return detector.to(job.device).eval()


def propose(
    run: str, member: str, streams: tuple[str, ...], config: SpottingConfig, device: torch.device, alone: str = ""
) -> Member:
    """Everything that the trained detectors of a member find.

    Args:
        alone: the only one of its streams to look at; '' = all of them, averaged.
    Raises:
        InputError: a fold is not trained.
    """
    started = time.monotonic()
    make_deterministic(device)
    clips, folds = load_clips(run, "track2"), load_folds(run, "track2")
    jobs = make_jobs(run, member, streams, config, device)
    missing = [job.fold for job in jobs if not is_done(job)]
    if missing:
        command = f"python -m spotting.train --run {run} --member {member}"
        raise InputError(f"spotting {member} fold {missing[0]} is not trained; run `{command}` first")
    first = [videos_of_fold(clips.videos, folds, job.fold)["held_out"][0] for job in jobs]
    detectors = [load_detector(job, clips.num_classes, video) for job, video in zip(jobs, first, strict=True)]
    used = (alone,) if alone else streams
    found: dict[tuple[str, int], Segments] = {}
    fold_of = folds_of_run(run)
    for video, fold in fold_of.items():
        if fold >= 0:
            found[video, fold] = find_candidates(clips, video, [jobs[fold]], [detectors[fold]], used)[0]
        else:
            by_average, *by_each = find_candidates(clips, video, jobs, detectors, used)
            found[video, AVERAGE] = by_average
            found |= {(video, job.fold): one for job, one in zip(jobs, by_each or [by_average], strict=True)}
    name = f"{member}_{alone}" if alone else member
    held_out = Member(name, fold_of, found, {}).held_out()
    facts = {
        "settings": config.to_dict(),
        "streams": list(used),
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
    parser.add_argument("--member", default="joint", help="a trained member (default: joint)")
    parser.add_argument("--streams", default="", help="look at this one of its streams alone")
    parser.add_argument("--device", default=None, help="cpu or cuda (default: cuda when there is one)")
    args, unknown = parser.parse_known_args(argv)
    streams, config = read_settings(args.run, args.member, parse_overrides(unknown))
    if args.streams and args.streams not in streams:
        raise InputError(
            f"--streams {args.streams}: {args.member} looks at {' and '.join(streams)}; choose one of them"
        )
    member = propose(args.run, args.member, streams, config, choose_device(args.device), args.streams)
    write_member(args.run, member)
    print(f"member {member.name}: {describe_scores(member.facts['out_of_fold'])}")


def read_settings(run: str, member: str, changes: dict[str, str]) -> tuple[tuple[str, ...], SpottingConfig]:
    """The streams and the settings that a member was trained with, changed.

    Raises:
        InputError: it is not trained yet.
    """
    path, command = spotting_settings_json(run, member), f"python -m spotting.train --run {run} --member {member}"
    if not path.exists():
        raise InputError(f"{path}: nothing trained yet; run `{command}` first")
    settings = read_json(path, f"run `{command} --overwrite`")
    return tuple(settings.pop("streams")), override_parts(config_from_dict(settings), changes)


if __name__ == "__main__":
    run_command(main)
