"""The second detector through the whole of spotting. Alone: python -m pytest tests/spotting/actionformer/test_run.py"""

from pathlib import Path

import pytest

from folds.make import main as make_folds
from miga.errors import InputError
from spotting.candidates import read_member
from spotting.config import check_detector, config_from_dict, override_parts
from spotting.profiles import PROFILES, TRIDET, profile_config
from spotting.propose import main as propose
from spotting.train import main as train
from tests.spotting.test_train import TINY
from tests.spotting.tiny_videos import write_tiny_videos


def run_tridet(*more: str) -> bytes:
    common = ["--run", "tiny", "--profile", "smoke", "--jobs", "1", "--device", "cpu", "--member", "tridet"]
    train([*common, *TINY, "--detector.epochs=2", *more])
    propose(["--run", "tiny", "--member", "tridet", "--device", "cpu"])
    return Path("spotting/tiny/members/tridet.npz").read_bytes()


def test_a_second_detector_is_a_member_of_the_same_run(workdir, capsys):
    write_tiny_videos()
    make_folds(["--run", "tiny", "--track", "track2", "--num-folds", "2"])
    with pytest.raises(InputError, match=r"--member tridet"):
        propose(["--run", "tiny", "--member", "tridet"])
    train(["--run", "tiny", "--profile", "smoke", "--jobs", "1", "--device", "cpu", *TINY])
    propose(["--run", "tiny", "--device", "cpu"])
    (weights,) = Path("checkpoints/tiny").glob("spotting_joint_*/fold0/weights.pt")
    before = weights.stat().st_mtime_ns
    content = run_tridet()
    assert weights.stat().st_mtime_ns == before  # the extractor and its tokens are shared
    member = read_member("tiny", "tridet")
    assert member.facts["settings"]["detector"]["kind"] == "tridet"
    assert member.held_out().keys() == {"0001", "0002", "0003", "0004"} and len(member.test()["0102"]) == 0
    assert read_member("tiny", "joint").facts["settings"]["detector"]["kind"] == "mslt"
    assert run_tridet("--overwrite", "--stage", "detector") == content
    assert weights.stat().st_mtime_ns == before


def test_sizes_as_published_and_refused():
    paper = TRIDET["paper"]
    assert (paper.width, paper.num_levels, paper.max_distance, paper.encoder) == (512, 6, 16, "sgp")
    assert (paper.optimizer, paper.lr, paper.weight_decay, paper.clip_norm) == ("adamw", 1e-4, 0.025, 1.0)
    for profile in PROFILES:
        config = profile_config(profile, "tridet")
        check_detector(config.detector)
        assert config_from_dict(config.to_dict()) == config and profile_config(profile, "joint") is PROFILES[profile]
    wrong = {"window": "48", "width": "40", "kind": "yolo", "encoder": "lstm", "num_levels": "0"}
    for name, text in wrong.items():
        with pytest.raises(InputError, match=name):
            override_parts(profile_config("demo", "tridet"), {f"detector.{name}": text})
