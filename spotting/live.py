"""Spot gestures while they happen: joints in, segments out as they end.

reads:  clips/<run>/track2/meta.json and the recording, spotting/<run>/ (settings, thresholds, width of the tokens),
        checkpoints/<run>/spotting_joint_<hash>/, checkpoints/<run>/spotting_<member>/
writes: nothing

    python -m spotting.live --run mine --video 0101 --fast
    pose-estimator | python -m spotting.live --run mine --joints - --size 640x480 --look-ahead 32 --fold 0

A segment is a line of JSON on standard output, when it is certain; latency and speed come last, on standard error.
"""

import argparse
import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from miga.clips import Clips, load_clips
from miga.errors import InputError, run_command
from miga.files import read_json
from miga.paths import check_run_name, spotting_json
from miga.training.checkpoint import load_checkpoint
from miga.training.seeding import make_deterministic
from spotting.config import SpottingConfig
from spotting.detection import token_files
from spotting.extractor import FrameExtractor
from spotting.job import SpottingJob, make_jobs
from spotting.live_input import frames_of_camera, frames_of_file, frames_of_lines, frames_of_video, is_pace
from spotting.live_segments import SegmentStream
from spotting.live_tokens import TokenStream, token_look_ahead
from spotting.pose_stream import PoseStream
from spotting.propose import load_detector, read_settings
from spotting.segments import Segments, concatenate
from spotting.train import is_done


class Spotter:
    """Frames to segments, by the trained folds of a run, averaged.

    Args:
        jobs: the folds that look. threshold, nms_iou: of the segments.
        look_ahead: frames of tokens after the end of a segment; at least a window = as in a recording.
    """

    def __init__(
        self, clips: Clips, jobs: list[SpottingJob], image_size: tuple[int, int], threshold: float, nms_iou: float,
        look_ahead: int,
    ) -> None:  # fmt: skip
        config = jobs[0].config
        ahead = min(token_look_ahead(config.extractor), max(look_ahead, config.extractor.clip_len))
        self.tokens = TokenStream(
            [load_extractor(job, clips) for job in jobs], config.extractor, clips.skeleton, image_size,
            jobs[0].num_test_views, ahead,
        )  # fmt: skip
        any_video = clips.videos.video_id[clips.videos.split == "train"].tolist()
        detectors = [load_detector(job, clips.num_classes, _described(job, any_video)).detector for job in jobs]
        self.segments = SegmentStream(
            detectors, config.detector, clips.num_classes, threshold, nms_iou, look_ahead, clips.mirror
        )
        self.is_seen = False

    @property
    def delay(self) -> int:
        """Frames after the end of a segment at which it is said at the latest, if nothing is undecided before it."""
        stream = self.segments
        window = stream.config.window + stream.hop if stream.is_exact else stream.look_ahead + stream.hop
        return window + self.tokens.look_ahead + self.tokens.stride

    def push(self, joints: NDArray) -> Segments:
        """Take in a frame (M, V, 3); the segments that are certain now. While nobody was ever in view there is none."""
        self.is_seen |= bool((joints[..., 2] > 0).any())
        tokens = self.tokens.push(joints)
        return self._seen(self.segments.push(tokens) if tokens is not None else concatenate([]))

    def finish(self) -> Segments:
        """The segments that are left when no frame comes any more."""
        tokens = self.tokens.finish()
        parts = [self.segments.push(tokens)] if tokens is not None else []
        return self._seen(concatenate([*parts, self.segments.finish()]))

    def _seen(self, found: Segments) -> Segments:
        return found if self.is_seen else found[:0]


def load_extractor(job: SpottingJob, clips: Clips) -> FrameExtractor:
    """The trained extractor of a fold."""
    model = PoseStream(clips, job.config).network()
    model.load_state_dict(load_checkpoint(job.extractor_folder("joint") / "weights.pt", job.device)["model"])
    return model.eval()


def _described(job: SpottingJob, video_ids: list[str]) -> str:
    """A video whose tokens this fold made: they say how wide a token is."""
    found = [v for v in video_ids if token_files(job, job.fold, v, 1)["joint"][0].exists()]
    return found[0] if found else video_ids[0]


def thresholds_of_run(run: str, member: str, is_average: bool, args: argparse.Namespace) -> tuple[float, float]:
    """Score threshold and overlap of suppression, as the run chose them for this member, or as given.

    Raises:
        InputError: the run chose them for something else, and none are given.
    """
    if args.threshold is not None and args.nms_iou is not None:
        return args.threshold, args.nms_iou
    facts = read_json(spotting_json(run), f"run `python -m spotting.blend --run {run}`, or give --threshold, --nms-iou")
    used = [name for name, weight in facts.get("weights", {}).items() if weight]
    if used != [member] or facts["recipe"] != "single":
        raise InputError(
            f"{spotting_json(run)}: its thresholds are for {', '.join(used) or 'another version'}, not for {member} "
            "alone; give --threshold and --nms-iou"
        )
    threshold = facts["test_threshold" if is_average else "threshold"]
    return (
        threshold if args.threshold is None else args.threshold,
        facts["nms_iou"] if args.nms_iou is None else args.nms_iou,
    )


def as_lines(clips: Clips, found: Segments, frame: int) -> list[str]:
    """JSON of segments, in the classes and frame numbers of the data's own label files; `at`: frames received."""
    codes, (first, last) = clips.meta["codes"], clips.frame_base.to_file(found.start, found.end)
    return [
        json.dumps(
            {
                **{"class": codes[label], "name": clips.classes[label], "start": int(a), "end": int(b)},
                **{"score": round(float(score), 4), "at": frame},
            }
        )
        for label, a, b, score in zip(found.label, first, last, found.score, strict=True)
    ]


def spot(spotter: Spotter, frames: Iterator[NDArray], clips: Clips, fps: float, write: Callable[[str], None]) -> str:
    """Spot a stream and say how long it took.

    Args:
        fps: frames are waited for at this rate; 0 = as fast as they come.
    Raises:
        InputError: of the frames, after the segments of those before it are written.
    """
    spent: list[float] = []
    fault, begun = None, time.perf_counter()
    while True:
        try:
            joints = next(frames, None)
        except InputError as error:
            joints, fault = None, error
        if fps and joints is not None:
            time.sleep(max(0.0, begun + len(spent) / fps - time.perf_counter()))
        started = time.perf_counter()
        found = spotter.finish() if joints is None else spotter.push(joints)
        for line in as_lines(clips, found, len(spent) + (joints is not None)):
            write(line)
        if joints is None:
            break
        spent.append(1000 * (time.perf_counter() - started))
    if fault:
        raise fault
    if not spent:
        return "no frame came"
    middle, late = np.percentile(spent, [50, 99])
    seen = "" if spotter.is_seen else "; nobody was ever in view"
    return (
        f"{len(spent)} frames, {middle:.1f} ms a frame (median), {late:.1f} ms (99th percentile), "
        f"{max(spent):.1f} ms at most; {1000 * len(spent) / sum(spent):.0f} frames a second; "
        f"a segment is said up to {spotter.delay} frames after its end{seen}"
    )


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Spot gestures while they happen.", allow_abbrev=False)
    parser.add_argument("--run", required=True, type=check_run_name)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--video", help="a prepared recording of the run, at its own pace")
    source.add_argument("--joints", help="a .csv or .npy of joints; - = standard input, a row of V * 3 numbers a frame")
    source.add_argument("--camera", action="store_true", help="needs a pose estimator")
    parser.add_argument("--fast", action="store_true", help="do not wait for the time of a frame")
    parser.add_argument("--size", help="WxH of the picture that the joints lie in (default: of the run's recordings)")
    parser.add_argument("--member", default="joint", help="a member on the skeleton alone (default: joint)")
    parser.add_argument("--fold", type=int, help="one fold only, several times faster (default: the average of all)")
    parser.add_argument("--look-ahead", type=int, help="frames after a segment's end (default: a window, as offline)")
    parser.add_argument("--threshold", type=float, help="smallest score (default: the run's)")
    parser.add_argument("--nms-iou", type=float, help="overlap of suppression (default: the run's)")
    args = parser.parse_args(argv)
    if args.camera:
        frames_of_camera()
    clips = load_clips(args.run, "track2")
    streams, config = read_settings(args.run, args.member, {})
    if streams != ("joint",):
        raise InputError(f"--member {args.member}: looks at pictures, live spotting at joints; choose joint or tridet")
    jobs = jobs_of(args.run, args.member, config, args.fold)
    row = clips.videos.set_index("video_id").loc[args.video] if args.video in set(clips.videos.video_id) else None
    size = _size(args.size, clips.videos.iloc[0] if row is None else row)
    look_ahead = config.detector.window if args.look_ahead is None else args.look_ahead
    if look_ahead < 1:
        raise InputError(f"--look-ahead {look_ahead}: expected at least 1 frame")
    threshold, nms_iou = thresholds_of_run(args.run, args.member, args.fold is None and len(jobs) > 1, args)
    make_deterministic(torch.device("cpu"))
    spotter = Spotter(clips, jobs, size, threshold, nms_iou, look_ahead)
    num_joints = clips.skeleton.num_joints
    if args.video is not None:
        frames = frames_of_video(clips, args.video)
    elif args.joints == "-":
        frames = frames_of_lines(sys.stdin, num_joints, "standard input")
    else:
        frames = frames_of_file(Path(args.joints), num_joints)
    fps = 0.0 if args.fast or row is None or not is_pace(float(row.fps)) else float(row.fps)
    print(spot(spotter, frames, clips, fps, lambda line: print(line, flush=True)), file=sys.stderr)


def jobs_of(run: str, member: str, config: SpottingConfig, fold: int | None) -> list[SpottingJob]:
    """The trained folds that look.

    Raises:
        InputError: there is no such fold, or one is not trained.
    """
    jobs = make_jobs(run, member, ("joint",), config, torch.device("cpu"))
    if fold is not None:
        if not 0 <= fold < len(jobs):
            raise InputError(f"--fold {fold}: this run has folds 0 to {len(jobs) - 1}")
        jobs = [jobs[fold]]
    for job in jobs:
        if not is_done(job):
            raise InputError(
                f"spotting fold {job.fold} is not trained; run `python -m spotting.train --run {run} "
                f"--member {member}` first"
            )
    return jobs


def _size(text: str | None, row) -> tuple[int, int]:
    """(height, width) of the picture."""
    if text is None:
        return int(row.height), int(row.width)
    match = re.fullmatch(r"([1-9]\d*)x([1-9]\d*)", text)
    if not match:
        raise InputError(f"--size {text}: expected WxH in pixels, such as 1920x1080")
    return int(match[2]), int(match[1])


if __name__ == "__main__":
    run_command(main)
