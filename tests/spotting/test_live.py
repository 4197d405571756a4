"""Live spotting against the same recording as a whole. Alone: python -m pytest tests/spotting/test_live.py"""

import io
import json
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from folds.make import main as make_folds
from miga.clips import load_clips
from miga.errors import InputError
from miga.training.config import parse_overrides
from spotting.blend import main as blend
from spotting.config import DetectorConfig, override_parts
from spotting.decode import FrameScores, average_models, decode_window
from spotting.detectors import points_of
from spotting.live import main as live
from spotting.live_input import frames_of_lines
from spotting.live_segments import SegmentStream
from spotting.live_tokens import TokenStream, token_look_ahead
from spotting.pose_stream import PoseStream
from spotting.profiles import PROFILES
from spotting.propose import main as propose_command
from spotting.samples import padded_window
from spotting.segments import concatenate
from spotting.thresholds import apply
from spotting.train import main as train
from spotting.views import video_view
from spotting.windows import window_starts
from tests.spotting.test_train import TINY
from tests.spotting.tiny_videos import tiny_videos, write_tiny_videos

SETTINGS = ["--extractor.tokens=scores+pose", "--extractor.box_frames=24", "--detector.context_layers=2"]


class Waves(torch.nn.Module):
    """A detector that finds something everywhere: what it says depends on the tokens of the window alone."""

    def __init__(self, config):
        super().__init__()
        self.points = points_of(config)

    def forward(self, tokens, is_frame):
        at = (self.points.center.long()).clamp(max=tokens.shape[1] - 1)
        x = tokens[:, at] + tokens.mean(1, keepdim=True)  # (B, P, 3)
        mask = is_frame[:, at]
        return {
            "class_logits": 3 * torch.sin(5 * x), "distances": 4 + 3 * torch.cos(7 * x[..., :2]), "is_point": mask,
            "frame_logits": torch.sin(3 * tokens.repeat(1, 1, 2)[..., :4]),
        }  # fmt: skip


def offline(detectors, config, tokens, threshold, nms_iou):
    """The same as `propose.find_candidates`, on given tokens."""
    num_frames, parts = tokens.shape[1], []
    frames = FrameScores(num_frames, 3)
    for start in window_starts(num_frames, config.window, config.window // 2).tolist():
        outputs = []
        for detector, one in zip(detectors, tokens, strict=True):
            padded, is_frame = padded_window(one, start, config.window)
            outputs.append(detector(torch.from_numpy(padded)[None], torch.from_numpy(is_frame)[None]))
        probabilities, distances = average_models(outputs)
        frames.add(start, outputs)
        parts.append(
            decode_window(
                points_of(config), probabilities[0], distances[0], outputs[0]["is_point"][0], start, num_frames
            )
        )
    return apply(frames.rescore(concatenate(parts)), threshold, nms_iou, 10**6)


@given(
    st.integers(1, 150), st.integers(1, 40), st.sampled_from([0.2, 0.5, 0.7]), st.sampled_from([0.1, 0.3, 0.9]),
    st.integers(0, 9),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_segments_as_they_end_are_those_of_the_whole(num_frames, block, threshold, nms_iou, seed):
    config = DetectorConfig(window=32)
    tokens = np.random.default_rng(seed).normal(size=(2, num_frames, 3)).astype(np.float32)
    detectors = [Waves(config), Waves(config)]
    stream = SegmentStream(detectors, config, 3, threshold, nms_iou, config.window)
    parts, kept = [], 0
    for i in range(0, num_frames, block):
        parts.append(stream.push(tokens[:, i : i + block]))
        assert (parts[-1].end <= i + block).all()
        kept = max(kept, stream.tokens.shape[1])
    found = concatenate([*parts, stream.finish()])
    wanted = offline(detectors, config, tokens, threshold, nms_iou)
    keys = [sorted(zip(s.start, s.end, s.label, s.score.round(9), strict=True)) for s in (found, wanted)]
    assert keys[0] == keys[1]
    assert kept <= 2 * config.window + block


@pytest.mark.parametrize("look_ahead", [1, 5, 16])
def test_a_short_look_ahead_says_a_segment_soon_and_once(look_ahead):
    config = DetectorConfig(window=32)
    tokens = np.random.default_rng(0).normal(size=(1, 300, 3)).astype(np.float32)
    stream, parts = SegmentStream([Waves(config)], config, 3, 0.3, 0.1, look_ahead), []
    for i in range(300):
        found = stream.push(tokens[:, i : i + 1])
        assert ((found.end <= i + 1 - look_ahead) & (found.end > i + 1 - look_ahead - stream.hop)).all()
        assert stream.tokens.shape[1] <= config.window + stream.hop
        parts.append(found)
    found = concatenate([*parts, stream.finish()])
    assert len(found) > 10 and len(apply(found, 0, 0.1, 10**6)) == len(found)


@pytest.mark.parametrize("num_frames", [3, 8, 61, 150])
def test_tokens_as_frames_come_are_those_of_the_whole(num_frames):
    clips, config = tiny_videos(), read_config()
    joints = clips.joints_of_video("0001")[:num_frames].copy()
    joints[20:26] = 0
    joints[40:70, :, 5] = 0  # a joint is lost for long
    torch.manual_seed(0)
    shown = replace(clips, joints=joints, videos=clips.videos.iloc[:1].assign(num_frames=num_frames, row_offset=0))
    whole = PoseStream(shown, config)
    model = whole.network().eval()
    stream = TokenStream([model], config.extractor, clips.skeleton, (480, 640), 2, token_look_ahead(config.extractor))
    parts = [tokens for frame in joints for tokens in [stream.push(frame)] if tokens is not None]
    assert len(stream.joints) <= stream.reach + stream.look_ahead + stream.stride
    tokens = np.concatenate([*parts, stream.finish()], axis=1)
    for number in (0, 1):
        wanted = whole.describe(model, "0001", video_view(number, 0), torch.device("cpu"))
        np.testing.assert_allclose(tokens[number], wanted, atol=2e-5)


def read_config():
    return override_parts(PROFILES["smoke"], parse_overrides([*TINY, *SETTINGS]))


@pytest.fixture
def trained(workdir):
    write_tiny_videos()
    make_folds(["--run", "tiny", "--track", "track2", "--num-folds", "2"])
    train(["--run", "tiny", "--profile", "smoke", "--jobs", "1", "--device", "cpu", *TINY, *SETTINGS])
    search = ["--search.min_threshold=0.01", "--search.max_threshold=0.05"]
    propose_command(["--run", "tiny", "--device", "cpu", *search])
    blend(["--run", "tiny", *search])
    return workdir


def lines(capsys) -> pd.DataFrame:
    out = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return pd.DataFrame(out, columns=["class", "start", "end", "score"]).sort_values(["start", "end", "class"])


def test_a_run_spots_live_what_it_spots_of_the_whole(trained, capsys, monkeypatch):
    table = pd.read_csv("submissions/tiny/track2.csv", dtype={"video": str})
    for video in ("0101", "0103"):
        capsys.readouterr()
        live(["--run", "tiny", "--video", video, "--fast"])
        found, wanted = lines(capsys), table[table.video == video].sort_values(["start", "end", "class"])
        assert found[["class", "start", "end"]].values.tolist() == wanted[["class", "start", "end"]].values.tolist()
        np.testing.assert_allclose(found.score, wanted.score, atol=2e-4)
    assert len(table[table.video == "0101"])
    live(["--run", "tiny", "--video", "0102", "--fast"])
    captured = capsys.readouterr()
    assert captured.out == "" and "nobody was ever in view" in captured.err

    clips = load_clips("tiny", "track2")
    joints = clips.joints_of_video("0101")[:, 0]
    np.save("joints.npy", joints)
    rows = "".join(" ".join(map(repr, map(float, frame.ravel()))) + "\n" for frame in joints)
    live(["--run", "tiny", "--joints", "joints.npy", "--fold", "1"])
    by_file = capsys.readouterr().out
    monkeypatch.setattr(sys, "stdin", io.StringIO(rows))
    live(["--run", "tiny", "--joints", "-", "--fold", "1"])
    captured = capsys.readouterr()
    assert captured.out == by_file and "99th percentile" in captured.err
    monkeypatch.setattr(sys, "stdin", io.StringIO(rows + "1 2 3"))
    with pytest.raises(InputError, match="row 151: the stream stopped in the middle"):
        live(["--run", "tiny", "--joints", "-", "--fold", "1"])
    assert capsys.readouterr().out == by_file  # what came before is used

    wrong = {
        "--video=9999": "this run has 0001", "--joints=none.csv": "no such file", "--joints=joints.txt": "no such file",
        "--camera": "standard input",
    }  # fmt: skip
    for option, told in wrong.items():
        with pytest.raises(InputError, match=told):
            live(["--run", "tiny", option])
    for more, told in (
        (["--fold", "7"], "folds 0 to 1"),
        (["--size", "big"], "WxH"),
        (["--look-ahead", "0"], "1 frame"),
    ):
        with pytest.raises(InputError, match=told):
            live(["--run", "tiny", "--video", "0101", *more])


def test_rows():
    good = "1,2,0.5, nan 3 1\n"
    frames = list(frames_of_lines([good, "\n"], 2, "rows"))
    assert frames[0].tolist() == [[[1, 2, 0.5], [0, 0, 0]]] and not frames[1].any()
    for bad, told in (("1 2 3\n", "got 3"), ("1 2 x 4 5 6\n", "expected numbers"), ("1 2 inf 4 5 6\n", "infinite")):
        with pytest.raises(InputError, match=f"rows, row 2.*{told}"):
            list(frames_of_lines([good, bad], 2, "rows"))
