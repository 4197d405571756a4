"""The gestures of a long recording, from its joints, by the detectors of a run."""

import argparse
from pathlib import Path

import torch

from miga.clips import Clips, load_clips
from miga.errors import InputError
from miga.training.seeding import make_deterministic
from predict.clip import Given, persons, read_given
from spotting.live import Spotter, jobs_of, thresholds_of_run
from spotting.propose import read_settings
from spotting.segments import Segments, concatenate

MEMBER = "joint"  # the one on the skeleton alone


def load_spotter(run: str, size: tuple[int, int]) -> tuple[Clips, Spotter]:
    """The detectors of all folds, averaged, with the thresholds that the run chose.

    Raises:
        InputError: the run has no trained detector on the skeleton, or no thresholds for it.
    """
    clips = load_clips(run, "track2")
    _, config = read_settings(run, MEMBER, {})
    jobs = jobs_of(run, MEMBER, config, None)
    chosen = argparse.Namespace(threshold=None, nms_iou=None)
    threshold, nms_iou = thresholds_of_run(run, MEMBER, len(jobs) > 1, chosen)
    make_deterministic(torch.device("cpu"))
    return clips, Spotter(clips, jobs, size, threshold, nms_iou, config.detector.window)


def read_recording(run: str, video: Path | None, joints: Path | None, size: tuple[int, int] | None) -> Given:
    """The long recording; raises as `read_given`, and where there are no joints."""
    if joints is None:
        raise InputError("--spot looks at joints, and no pose estimator is here; give the joints of every frame")
    clips = load_clips(run, "track2")
    first = clips.videos.iloc[0]
    run_size = (int(first.height), int(first.width))
    return read_given(video, joints, clips.skeleton, size, run_size, float(first.fps))


def spot(run: str, given: Given) -> tuple[Segments, Clips]:
    """Segments in the order of time, in frames from 0, end exclusive; the second says their classes."""
    clips, spotter = load_spotter(run, given.size)
    joints = persons(given.joints, clips.joints.shape[1])
    found = concatenate([*(spotter.push(frame) for frame in joints), spotter.finish()])
    return found[found.start.argsort(kind="stable")], clips
