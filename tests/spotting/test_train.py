"""The whole of spotting on tiny videos. Alone: python -m pytest tests/spotting/test_train.py"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings

from folds.make import main as make_folds
from miga.errors import InputError
from spotting.blend import main as blend
from spotting.candidates import read_member
from spotting.config import SearchConfig, config_from_dict, override_parts
from spotting.job import gestures_of, videos_of_fold
from spotting.profiles import PROFILES
from spotting.propose import main as propose
from spotting.samples import WindowSamples, padded_window
from spotting.score import score_videos
from spotting.segments import make_segments
from spotting.thresholds import apply, choose, count, cross_fitted, thresholds_of
from spotting.train import main as train
from spotting.views import View
from tests.spotting.strategies import segment_lists
from tests.spotting.tiny_videos import tiny_videos, write_tiny_videos

# Half a second a fold: enough to learn nothing, and to pass through every step.
TINY = ["--extractor.epochs=1", "--extractor.repeats=2", "--detector.epochs=2", "--detector.atss_epochs=1"]
TINY += ["--detector.window=64", "--detector.train_stride=32", "--detector.width=16", "--detector.stem_channels=16"]


def run_tiny(run: str = "tiny", *more: str) -> bytes:
    train(["--run", run, "--profile", "smoke", "--jobs", "1", "--device", "cpu", *TINY, *more])
    search = ["--search.min_threshold=0.01", "--search.max_threshold=0.05"]
    propose(["--run", run, "--device", "cpu", *search])
    blend(["--run", run, *search])
    return Path(f"submissions/{run}/track2.csv").read_bytes()


@pytest.fixture
def prepared(workdir):
    write_tiny_videos()
    make_folds(["--run", "tiny", "--track", "track2", "--num-folds", "2"])
    return workdir


def test_both_stages_run_and_write_what_they_say(prepared, capsys):
    content = run_tiny()
    assert content.startswith(b"video,class,start,end,score\n")
    table = pd.read_csv("submissions/tiny/track2.csv", dtype={"video": str})
    assert set(table.video) <= {"0101", "0103"}  # nobody is in 0102
    assert set(table["class"]) <= {3, 5, 99}
    assert (table.start >= 1).all() and (table.end >= table.start).all()
    assert (table.end <= table.video.map({"0101": 150, "0103": 5})).all()
    facts = json.loads(Path("spotting/tiny/thresholds.json").read_text())
    assert {"strict", "organiser"} == facts["out_of_fold"].keys()
    assert facts["weights"] == {"joint": 1.0} and facts["recipe"] == "single"
    member = read_member("tiny", "joint")
    assert [made["number_format"] for made in member.facts["trained"].values()] == ["fp32", "fp32"]
    assert facts["out_of_fold"] == member.facts["out_of_fold"]
    assert member.held_out().keys() == {"0001", "0002", "0003", "0004"}
    assert len(member.test()["0102"]) == 0 and {"0101", "0102", "0103"} == member.test(1).keys()
    assert "strict F1" in capsys.readouterr().out

    train(["--run", "tiny", "--profile", "smoke", "--jobs", "1", "--device", "cpu", *TINY])
    assert "2 of 2 folds already done" in capsys.readouterr().out
    with pytest.raises(InputError, match="--overwrite"):
        train(["--run", "tiny", "--profile", "smoke", "--jobs", "1", "--device", "cpu", *TINY, "--detector.seed=1"])


def test_killed_and_resumed_gives_the_same_bytes(prepared, monkeypatch):
    straight = run_tiny()
    from spotting.pose_stream import PoseStream

    class Killed(Exception):
        pass

    real, calls = PoseStream.describe, []

    def killed_in_the_third_video(*args):
        calls.append(1)
        if len(calls) == 3:
            raise Killed
        return real(*args)

    monkeypatch.setattr(PoseStream, "describe", killed_in_the_third_video)
    with pytest.raises(Killed):
        run_tiny("tiny", "--overwrite")
    monkeypatch.setattr(PoseStream, "describe", real)
    assert run_tiny() == straight


def test_scores_describe_a_training_video_by_the_fold_that_never_saw_it(prepared, capsys):
    scores = ["--extractor.tokens=scores"]
    train(["--run", "tiny", "--profile", "smoke", "--jobs", "1", "--device", "cpu", *TINY, *scores, "--fold", "1"])
    assert "fold 1: its detector needs folds [0]" in capsys.readouterr().out
    content = run_tiny("tiny", *scores)
    folds = pd.read_csv("folds/track2/tiny.csv", dtype={"video_id": str})
    (tokens_dir,) = Path("spotting/tiny/tokens").glob("joint_*")
    for fold in (0, 1):
        described = {path.stem for path in (tokens_dir / f"fold{fold}" / "view0").glob("*.npy")}
        assert described == set(folds.video_id[folds.fold == fold]) | {"0101", "0103"}  # nobody is seen in 0102
        tokens = np.load(tokens_dir / f"fold{fold}" / "view0" / "0101.npy")
        num_scores = tokens.shape[1] // 2
        np.testing.assert_allclose(tokens[:, num_scores:].sum(1), 2, atol=1e-5)
        assert tokens[:, :num_scores].min() >= -1 and tokens[:, :num_scores].max() <= 1
    assert run_tiny("tiny", *scores, "--overwrite") == content


def test_out_of_order_says_what_to_do(prepared):
    with pytest.raises(InputError, match=r"python -m spotting\.train --run tiny"):
        propose(["--run", "tiny"])
    with pytest.raises(InputError, match=r"no member yet; run `python -m spotting\.propose --run tiny`"):
        blend(["--run", "tiny"])


def test_people_of_a_fold_are_not_trained_on():
    clips = tiny_videos()
    folds = clips.table[["clip_id", "video_id", "subject_id", "label"]].copy()
    folds["fold"] = folds.video_id.map({"0001": 0, "0002": 1, "0003": 1, "0004": 0, "0101": -1, "0102": -1})
    parts = videos_of_fold(clips.videos, folds, 1)
    assert parts == {"train": ["0001", "0004"], "held_out": ["0002", "0003"], "test": ["0101", "0102", "0103"]}


def test_windows_hold_the_gestures_of_their_view(tmp_path):
    from spotting.samples import TokenVideo

    config = PROFILES["smoke"].detector
    for view, frames in enumerate((300, 150)):
        np.save(tmp_path / f"{view}.npy", np.arange(frames, dtype=np.float32)[:, None])
    gestures = make_segments([20, 200], [60, 240], [1, 2])
    video = TokenVideo("v", {"joint": [tmp_path / "0.npy", tmp_path / "1.npy"]}, [View(), View(speed=2.0)], gestures)
    samples = WindowSamples([video], config, seed=0)
    assert len(samples.names) == len(samples)
    seen = set()
    for epoch in range(10):
        for index in range(len(samples)):
            sample = samples[epoch, index]
            tokens, labels = sample["joint"][:, 0], sample["gesture_labels"]
            assert sample["joint"].shape == (config.window, 1)
            start, count = float(tokens[0]), int((labels >= 0).sum())
            for g in range(count):
                low, high = (sample["gestures"][g] + start).tolist()
                seen.add((low, high, int(labels[g])))
            assert int(sample["label"]) in {-1, 1, 2}
    whole = {(20, 60, 1), (200, 240, 2), (10, 30, 1), (100, 120, 2)}
    assert whole <= seen
    again = WindowSamples([video], config, seed=0)
    assert torch.equal(again[9, 0]["joint"], samples[9, 0]["joint"])


def test_a_short_video_is_padded():
    tokens, is_frame = padded_window(np.ones((5, 2), np.float32), 0, 8)
    assert tokens.sum() == 10 and is_frame.tolist() == [True] * 5 + [False] * 3


def test_thresholds_are_those_that_score_best():
    truth = {"a": make_segments([0, 50], [20, 70], [0, 1])}
    found = {"a": make_segments([0, 50, 100, 130], [20, 70, 110, 140], [0, 1, 0, 0], [0.62, 0.55, 0.31, 0.3])}
    search = PROFILES["smoke"].search
    choice = choose(count(found, truth, search), search)
    assert 0.31 <= choice.threshold < 0.55
    assert score_videos(truth, {"a": apply(found["a"], choice.threshold, choice.nms_iou, 200)})["strict"]["f1"] == 1.0


@given(segment_lists(), segment_lists(), segment_lists(), segment_lists())
@settings(max_examples=50, deadline=None)
def test_one_pass_counts_what_scoring_at_every_threshold_counts(a, b, c, d):
    truth, found = {"a": a, "b": b}, {"a": c, "b": d}
    search = SearchConfig(nms_iou=(0.2, 0.6))
    f1 = choose(count(found, truth, search), search).strict_f1
    for i, nms_iou in enumerate(search.nms_iou):
        for j, threshold in enumerate(thresholds_of(search)):
            applied = {v: apply(found[v], threshold, nms_iou, search.max_segments) for v in found}
            assert f1[i, j] == score_videos(truth, applied)["strict"]["f1"]


def test_a_fold_has_no_say_in_its_own_thresholds():
    truth = {"a": make_segments([0], [20], [0]), "b": make_segments([0], [20], [0])}
    found = {  # on a alone a low threshold is best, on b alone a high one
        "a": make_segments([0], [20], [0], [0.2]),
        "b": make_segments([0, 30, 60], [20, 50, 80], [0, 0, 0], [0.6, 0.4, 0.3]),
    }
    search = SearchConfig()
    kept = cross_fitted(found, count(found, truth, search), {"a": 0, "b": 1}, search)
    assert len(kept["a"]) == 0 and len(kept["b"]) == 3


def test_config_survives_json_and_refuses_unknown_names():
    for config in PROFILES.values():
        assert config_from_dict(json.loads(json.dumps(config.to_dict()))) == config
    paper = PROFILES["paper"]
    assert (paper.detector.epochs, paper.detector.lr, paper.detector.weight_decay) == (128, 1e-4, 5e-4)
    assert (paper.extractor.epochs, paper.extractor.clip_len, paper.extractor.overlap) == (100, 8, 0.25)
    changed = override_parts(paper, {"detector.window": "512", "search.nms_iou": "0.2"})
    assert changed.detector.window == 512 and changed.search.nms_iou == (0.2,)
    wrong = {"window": "512", "extractor.tokens": "guesses", "detector.windo": "512", "detector.window": "100"}
    for name, text in wrong.items():
        with pytest.raises(InputError, match=name):
            override_parts(paper, {name: text})


def test_gestures_are_those_of_the_video():
    clips = tiny_videos()
    found = gestures_of(clips, "0002")
    assert found.start.tolist() == [10, 45, 85, 115] and found.end.tolist() == [30, 70, 100, 140]
    assert len(gestures_of(clips, "0101")) == 0
