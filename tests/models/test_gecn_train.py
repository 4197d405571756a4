"""GE-CN's modes and streams from the command line to artifacts of their own.

Run alone: python -m pytest tests/models/test_gecn_train.py
"""

import dataclasses

import numpy as np
import pytest
import torch

from ensemble.entries import entry_folder, entry_of
from folds.make import main as make_folds_main
from miga.errors import InputError
from miga.paths import oof_json, oof_npz
from models.gecn.config import PROFILES
from models.gecn.entry import ENTRY, build_network, build_transform
from models.gecn.train import main
from oof.artifacts import read_oof
from tests.tiny import tiny_clips, write_clips

FAST = ["--run", "tiny", "--profile", "smoke", "--jobs", "1", "--epochs", "1"]


@pytest.mark.parametrize("profile", PROFILES)
def test_an_entry_is_called_by_what_is_not_as_in_its_profile(profile):
    config = PROFILES[profile]
    assert ENTRY.name(dataclasses.replace(config, epochs=3), config) == "gecn"
    assert ENTRY.name(dataclasses.replace(config, k=2), config) == "gecn_k2"
    assert ENTRY.name(dataclasses.replace(config, k=2, streams=("motion",)), config) == "gecn_k2_motion"
    assert ENTRY.name(dataclasses.replace(config, streams=("bone", "motion")), config) == "gecn_bone_motion"


def test_modes_are_entries_beside_each_other(workdir):
    write_clips(tiny_clips(), "tiny")
    make_folds_main(["--run", "tiny", "--num-folds", "2"])
    made = {"gecn": [], "gecn_k2": ["--k", "2"], "gecn_k8_motion": ["--k", "8", "--streams", "motion"]}
    for arguments in made.values():
        main([*FAST, *arguments])
    logits = [read_oof(oof_npz("tiny", name)).logits for name in made]
    assert all(np.isfinite(one).all() and one.shape == (24, 4) for one in logits)  # clips 1 and 2: one frame, nobody
    assert not np.allclose(logits[0], logits[1]) and not np.allclose(logits[1], logits[2])
    for name in made:
        assert entry_folder(name) == "gecn" and entry_of(name) is ENTRY
        assert oof_json("tiny", name).exists()


@pytest.mark.parametrize(
    ("streams", "channels"), [(("joint",), 3), (("motion",), 3), (("bone", "motion"), 5), (("joint", "motion"), 5)]
)
def test_the_score_tells_missing_points_whatever_the_streams(streams, channels):
    clips, config = tiny_clips(), dataclasses.replace(PROFILES["smoke"], streams=streams)
    views = build_transform(clips, config).test_views(clips.joints_of(0), 1280, 720)["joints"]
    assert views.shape[1] == channels
    with torch.no_grad():
        assert build_network(clips, config).eval()(torch.from_numpy(views))["logits"].shape == (1, 4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--streams", "limb"], "--streams limb: expected some of joint"),
        (["--streams", ""], "expected some of"),
        (["--unit", "metre"], "--unit metre: expected picture or body"),
    ],
)
def test_wrong_settings_are_named(arguments, message):
    with pytest.raises(InputError, match=message):
        main([*FAST, *arguments])
