"""Trees frame by frame. Alone: python -m pytest -n 0 tests/spotting/test_frames.py"""

import json
from pathlib import Path

import numpy as np
import pytest

from folds.make import main as make_folds
from miga.skeletons import COCO_17, IMIGUE_22, SMG_25
from spotting.blend import main as blend
from spotting.candidates import read_member
from spotting.errors import main as errors
from spotting.forecast import main as forecast
from spotting.frame_features import frame_features, shoulders_of
from spotting.frames import frame_labels, main, rates_of, runs, smoothed
from spotting.segments import make_segments
from tests.spotting.tiny_videos import tiny_videos, write_tiny_videos


@pytest.fixture
def prepared(workdir):
    write_tiny_videos()
    make_folds(["--run", "tiny", "--track", "track2", "--num-folds", "2"])
    return workdir


def test_it_finds_raised_hands_and_repeats_to_the_byte(prepared, capsys):
    main(["--run", "tiny", "--trees", "20", "--smoothing", "9"])  # the gestures here are short
    first = Path("spotting/tiny/members/frames.npz").read_bytes()
    member = read_member("tiny", "frames")
    assert member.facts["out_of_fold"]["strict"]["f1"] > 0.8
    assert len(member.test()["0102"]) == 0 and len(member.test()["0101"]) >= 3  # nobody is in 0102
    main(["--run", "tiny", "--trees", "20", "--smoothing", "9"])  # the gestures here are short
    assert Path("spotting/tiny/members/frames.npz").read_bytes() == first
    blend(["--run", "tiny"])
    facts = json.loads(Path("spotting/tiny/thresholds.json").read_text())
    assert facts["recipe"] == "single" and facts["weights"] == {"frames": 1.0}
    assert facts["out_of_fold"] == member.facts["out_of_fold"]
    errors(["--run", "tiny"])
    forecast(["--run", "tiny"])
    told = json.loads(Path("spotting/tiny/forecast.json").read_text())
    assert told["expected"] == pytest.approx(facts["out_of_fold"]["strict"]["f1"], abs=1e-5)
    assert told["interval"][0] <= told["expected"] <= told["interval"][1]
    assert json.loads(Path("spotting/tiny/errors.json").read_text())["f1"] == pytest.approx(told["expected"])
    assert "if it were repaired" in capsys.readouterr().out


def test_features_do_not_depend_on_place_and_size():
    clips = tiny_videos()
    joints = np.array(clips.joints_of_video("0001"))
    plain, there = frame_features(joints, clips.skeleton)
    moved = joints.copy()
    moved[..., :2] = moved[..., :2] * 2
    np.testing.assert_allclose(frame_features(moved, clips.skeleton)[0], plain, atol=1e-3)
    assert there.all() and np.isfinite(plain).all()
    joints[10:20] = 0
    assert (~frame_features(joints, clips.skeleton)[1]).sum() == 10


def test_movement_is_measured_over_times():
    clips = tiny_videos()
    joints = np.array(clips.joints_of_video("0001"))[:140]
    half = frame_features(joints[::2], clips.skeleton, rate=0.5)[0]
    full = frame_features(joints, clips.skeleton, rate=1.0)[0][::2]
    assert np.abs(half - full)[20:-20].mean() < 0.05  # the unit is a median over half as many frames


def test_every_skeleton_has_shoulders():
    for skeleton in (IMIGUE_22, SMG_25, COCO_17):
        assert all("houlder" in skeleton.joints[joint] for joint in shoulders_of(skeleton))


def test_runs_of_touching_gestures_and_of_background():
    probabilities = np.zeros((60, 3))
    probabilities[:20, 0] = probabilities[20:40, 1] = probabilities[40:, 2] = 1
    found = runs(probabilities, 10, 0.25)
    assert found.start.tolist() == [0, 20] and found.end.tolist() == [20, 40] and found.label.tolist() == [0, 1]
    assert len(runs(probabilities, 21, 0.25)) == 0
    doubtful = np.tile([0.3, 0.1, 0.6], (30, 1))
    assert runs(doubtful, 10, 0.25).label.tolist() == [0] and len(runs(doubtful, 10, 1.0)) == 0
    assert runs(doubtful, 10, 0.25).score.tolist() == pytest.approx([0.3])


@pytest.mark.parametrize("width", [1, 4, 5, 99])
def test_smoothing_is_a_mean_of_the_neighbours(width):
    values = np.random.default_rng(0).random((20, 2))
    before, after = (width - 1) // 2, width // 2 + 1
    slowly = [values[max(0, i - before) : i + after].mean(0) for i in range(20)]
    np.testing.assert_allclose(smoothed(values, width), slowly)


def test_labels_and_rates():
    assert frame_labels(make_segments([1], [3], [0]), 4, 2).tolist() == [2, 0, 0, 2]
    clips = tiny_videos()
    clips.videos["fps"] = [10.0, 20.0, 20.0, 0.0, *[np.nan] * (len(clips.videos) - 4)]
    fold_of = dict.fromkeys(clips.videos.video_id[:4], 0) | dict.fromkeys(clips.videos.video_id[4:], -1)
    assert list(rates_of(clips, fold_of).values())[:5] == [0.5, 1.0, 1.0, 1.0, 1.0]
