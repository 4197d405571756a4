"""Mirrored gestures have the class of their mirror image. Alone: python -m pytest -n 0 tests/spotting/test_mirror.py"""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from folds.make import main as make_folds
from spotting.decode import of_plain_view
from spotting.job import make_jobs
from spotting.pose_stream import PoseStream
from spotting.profiles import PROFILES
from spotting.samples import TokenVideo
from spotting.segments import make_segments
from spotting.trimmed import TrimmedClips
from spotting.views import View, random_view, video_view
from tests.spotting.tiny_videos import tiny_videos, write_tiny_videos

SIDED = np.array([1, 0, 2])


def test_outputs_of_a_mirrored_view_are_taken_back():
    rng = torch.Generator().manual_seed(0)
    output = {
        "class_logits": torch.randn(1, 5, 3, generator=rng),
        "distances": torch.randn(1, 5, 3, 2, generator=rng),
        "frame_logits": torch.randn(1, 8, 4, generator=rng),
    }
    changed = of_plain_view(output, SIDED)
    assert torch.equal(changed["class_logits"][..., 0], output["class_logits"][..., 1])
    assert torch.equal(changed["distances"][:, :, 1], output["distances"][:, :, 0])
    assert torch.equal(changed["frame_logits"][..., 2:], output["frame_logits"][..., 2:])
    again = of_plain_view(changed, SIDED)
    assert all(torch.equal(again[name], output[name]) for name in output)
    assert of_plain_view(output, None) is output and of_plain_view(output, np.arange(3)) is output


def test_gestures_of_a_mirrored_view_are_relabelled(tmp_path):
    for view in range(2):
        np.save(tmp_path / f"{view}.npy", np.zeros((100, 1), np.float32))
    gestures = make_segments([0, 20, 40], [10, 30, 50], [0, 1, 2])
    files = {"joint": [tmp_path / "0.npy", tmp_path / "1.npy"]}
    video = TokenVideo("v", files, [View(), View(mirror=True)], gestures, SIDED)
    assert [found.label.tolist() for found in video.gestures] == [[0, 1, 2], [1, 0, 2]]


def test_a_training_clip_says_that_it_is_mirrored():
    clips, config = tiny_videos(), PROFILES["smoke"]
    stream, trimmed = PoseStream(clips, config), TrimmedClips(clips, ["0001"], config.extractor)
    said = {bool(stream.draw(trimmed, 0, np.random.default_rng(seed))["mirrored"]) for seed in range(12)}
    assert said == {False, True}


def test_nothing_is_mirrored_where_the_classes_are_unknown():
    assert not any(video_view(number, 0, may_mirror=False).mirror for number in range(20))
    assert video_view(1, 0).mirror and video_view(0, 0, may_mirror=False) == View()
    for seed in range(9):  # the other numbers are those of the view that may be mirrored
        one, two = (random_view(np.random.default_rng(seed), may_mirror=may) for may in (False, True))
        assert replace(two, mirror=False) == one


@pytest.mark.parametrize(
    ("mirror", "said", "views"), [([0, 1, 2], None, 2), ([1, 0, 2], [1, 0, 2], 2), (None, "never", 1)]
)
def test_the_classes_are_part_of_what_a_training_depends_on(workdir, mirror, said, views):
    write_tiny_videos()
    path = workdir / "clips/tiny/track2/meta.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "mirror": mirror}))
    make_folds(["--run", "tiny", "--track", "track2", "--num-folds", "2"])
    job = make_jobs("tiny", "joint", ("joint",), PROFILES["smoke"], torch.device("cpu"))[0]
    assert job.fingerprint.get("mirror") == said and job.num_test_views == views
