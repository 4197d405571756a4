"""The whole of spotting on tiny videos. Alone: python -m pytest tests/spotting/test_train.py"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from folds.make import main as make_folds
from miga.errors import InputError
from spotting.config import PROFILES, config_from_dict, override_parts
from spotting.predict import main as predict
from spotting.samples import WindowSamples, padded_window
from spotting.score import score_videos
from spotting.segments import make_segments
from spotting.stages import gestures_of, videos_of_fold
from spotting.thresholds import apply, choose
from spotting.train import main as train
from tests.spotting.tiny_videos import tiny_videos, write_tiny_videos

# Half a second a fold: enough to learn nothing, and to pass through every step.
TINY = ["--extractor.epochs=1", "--extractor.repeats=2", "--detector.epochs=2", "--detector.atss_epochs=1"]
TINY += ["--detector.window=64", "--detector.train_stride=32", "--detector.width=16", "--detector.stem_channels=16"]


def run_tiny(run: str = "tiny", *more: str) -> bytes:
    train(["--run", run, "--profile", "smoke", "--jobs", "1", "--device", "cpu", *TINY, *more])
    predict(["--run", run, "--device", "cpu", "--search.min_threshold=0.01", "--search.max_threshold=0.05"])
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
    assert [made["number_format"] for made in facts["trained"].values()] == ["fp32", "fp32"]
    candidates = np.load("spotting/tiny/candidates.npz", allow_pickle=False)
    assert set(candidates["video"]) <= {"0001", "0002", "0003", "0004"}
    assert "strict F1" in capsys.readouterr().out

    train(["--run", "tiny", "--profile", "smoke", "--jobs", "1", "--device", "cpu", *TINY])
    assert "2 of 2 folds already done" in capsys.readouterr().out
    with pytest.raises(InputError, match="--overwrite"):
        train(["--run", "tiny", "--profile", "smoke", "--jobs", "1", "--device", "cpu", *TINY, "--detector.seed=1"])


def test_killed_and_resumed_gives_the_same_bytes(prepared, monkeypatch):
    straight = run_tiny()
    import spotting.stages

    class Killed(Exception):
        pass

    real, calls = spotting.stages.extract_tokens, []

    def killed_in_the_third_video(*args):
        calls.append(1)
        if len(calls) == 3:
            raise Killed
        return real(*args)

    monkeypatch.setattr(spotting.stages, "extract_tokens", killed_in_the_third_video)
    with pytest.raises(Killed):
        run_tiny("tiny", "--overwrite")
    monkeypatch.setattr(spotting.stages, "extract_tokens", real)
    assert run_tiny() == straight


def test_scores_describe_a_training_video_by_the_fold_that_never_saw_it(prepared, capsys):
    scores = ["--extractor.tokens=scores"]
    train(["--run", "tiny", "--profile", "smoke", "--jobs", "1", "--device", "cpu", *TINY, *scores, "--fold", "1"])
    assert "fold 1: its detector needs folds [0]" in capsys.readouterr().out
    content = run_tiny("tiny", *scores)
    folds = pd.read_csv("folds/track2/tiny.csv", dtype={"video_id": str})
    for fold in (0, 1):
        described = {path.stem for path in Path(f"spotting/tiny/tokens_fold{fold}/view0").glob("*.npy")}
        assert described == set(folds.video_id[folds.fold == fold]) | {"0101", "0103"}  # nobody is seen in 0102
        tokens = np.load(f"spotting/tiny/tokens_fold{fold}/view0/0101.npy")
        num_scores = tokens.shape[1] // 2
        np.testing.assert_allclose(tokens[:, num_scores:].sum(1), 2, atol=1e-5)
        assert tokens[:, :num_scores].min() >= -1 and tokens[:, :num_scores].max() <= 1
    assert run_tiny("tiny", *scores, "--overwrite") == content


def test_predict_before_train_says_what_to_do(prepared):
    with pytest.raises(InputError, match=r"python -m spotting\.train --run tiny"):
        predict(["--run", "tiny"])


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
    video = TokenVideo("v", [tmp_path / "0.npy", tmp_path / "1.npy"], [1.0, 2.0], gestures)
    samples = WindowSamples([video], config, seed=0)
    assert len(samples.names) == len(samples)
    seen = set()
    for epoch in range(10):
        for index in range(len(samples)):
            sample = samples[epoch, index]
            tokens, labels = sample["tokens"][:, 0], sample["gesture_labels"]
            assert sample["tokens"].shape == (config.window, 1)
            start, count = float(tokens[0]), int((labels >= 0).sum())
            for g in range(count):
                low, high = (sample["gestures"][g] + start).tolist()
                seen.add((low, high, int(labels[g])))
            assert int(sample["label"]) in {-1, 1, 2}
    whole = {(20, 60, 1), (200, 240, 2), (10, 30, 1), (100, 120, 2)}
    assert whole <= seen
    again = WindowSamples([video], config, seed=0)
    assert torch.equal(again[9, 0]["tokens"], samples[9, 0]["tokens"])


def test_a_short_video_is_padded():
    tokens, is_frame = padded_window(np.ones((5, 2), np.float32), 0, 8)
    assert tokens.sum() == 10 and is_frame.tolist() == [True] * 5 + [False] * 3


def test_thresholds_are_those_that_score_best():
    truth = {"a": make_segments([0, 50], [20, 70], [0, 1])}
    found = {"a": make_segments([0, 50, 100, 130], [20, 70, 110, 140], [0, 1, 0, 0], [0.62, 0.55, 0.31, 0.3])}
    choice = choose(found, truth, PROFILES["smoke"].search)
    assert 0.31 <= choice.threshold < 0.55
    assert score_videos(truth, {"a": apply(found["a"], choice.threshold, choice.nms_iou, 200)})["strict"]["f1"] == 1.0


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
