"""The gestures of a long recording, from its joints, by the detectors of a run."""

from pathlib import Path

import torch

from miga.clips import Clips, load_clips
from miga.errors import InputError
from miga.training.seeding import make_deterministic
from predict.clip import Given, persons, read_given
from spotting.blend import read_search
from spotting.candidates import Member, read_members
from spotting.config import SearchConfig
from spotting.job import gestures_of
from spotting.live import Spotter, jobs_of
from spotting.propose import read_settings
from spotting.segments import Segments, concatenate
from spotting.thresholds import Choice, apply, choose, count, threshold_for_count

MEMBER = "joint"  # the one on the skeleton alone


def load_spotter(run: str, size: tuple[int, int]) -> tuple[Clips, Spotter]:
    """The detectors of all folds, averaged.

    Its thresholds are chosen on the held-out training people, as `spotting.blend` does, whichever member the run ships.

    Raises:
        InputError: the run has no trained detector on the skeleton, or no candidates by it.
    """
    clips = load_clips(run, "track2")
    _, config = read_settings(run, MEMBER, {})
    jobs = jobs_of(run, MEMBER, config, None)
    members = read_members(run, [MEMBER])
    choice, threshold = member_thresholds(clips, members[0], read_search(members, {}), len(jobs) > 1)
    make_deterministic(torch.device("cpu"))
    return clips, Spotter(clips, jobs, size, threshold, choice.nms_iou, config.detector.window)


def member_thresholds(
    clips: Clips, member: Member, search: SearchConfig, is_average: bool
) -> tuple[Choice, float]:  # fmt: skip
    """What is chosen on the held-out people, and the score that a segment needs.

    Args:
        is_average: whether the folds are averaged, which lowers scores: by how much, the test videos say, if any.
    """
    candidates = member.held_out()
    choice = choose(count(candidates, {video: gestures_of(clips, video) for video in candidates}, search), search)
    if not (is_average and member.test()):
        return choice, choice.threshold
    rest = (choice.nms_iou, search.max_segments)
    of_each = [one for fold in member.folds for one in member.test(fold).values()]
    mean_count = sum(len(apply(one, choice.threshold, *rest)) for one in of_each) / len(member.folds)
    return choice, threshold_for_count(member.test(), *rest, mean_count)


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
