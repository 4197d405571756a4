"""EHCT from the command line to its artifact, and one fold as part training asks for it.

Run alone: python -m pytest tests/models/test_ehct_train.py
"""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from folds.make import main as make_folds_main
from miga.errors import InputError
from miga.paths import oof_npz
from models.ehct.config import PROFILES
from models.ehct.entry import ENTRY, STREAMS, build_network, build_transform
from models.ehct.train import main
from oof.artifacts import read_oof
from tests.assembled import fold_of
from tests.tiny import tiny_clips, write_clips

ROOT = Path(__file__).parents[2]
FAST = ["--run", "tiny", "--profile", "smoke", "--jobs", "1", "--epochs", "1"]


def fold(clips, rows, wanted, folder, **changes) -> np.ndarray:
    return fold_of(ENTRY, dataclasses.replace(PROFILES["smoke"], **changes), clips, rows, wanted, folder)


@pytest.mark.parametrize("stream", [("bone",), ("motion",), ("bonemotion",), ("joint", "bone", "motion")])
def test_a_stream_becomes_an_entry_of_its_name(stream, workdir):
    write_clips(tiny_clips(), "tiny")
    make_folds_main(["--run", "tiny", "--num-folds", "2"])
    main([*FAST, "--stream", ",".join(stream)])
    oof = read_oof(oof_npz("tiny", f"ehct_{'_'.join(stream)}"))
    assert oof.logits.shape == (24, 4) and oof.test_logits.shape == (2, 6, 4)
    assert np.isfinite(oof.logits).all() and np.isfinite(oof.test_logits).all()  # clips 1 and 2: one frame, nobody


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--stream", "limb"], "--stream limb: expected some of joint,bone,motion,bonemotion"),
        (["--stream", "bone,joint"], "in this order"),
        (["--stream", ""], "expected some of"),
        (["--unit", "metre"], "--unit metre: expected picture or body"),
    ],
)
def test_wrong_settings_are_named(arguments, message):
    with pytest.raises(InputError, match=message):
        main([*FAST, *arguments])


@pytest.mark.parametrize("stream", STREAMS)
def test_each_stream_alone_has_the_published_three_channels(stream):
    clips, config = tiny_clips(), dataclasses.replace(PROFILES["paper"], stream=(stream,))
    transform = build_transform(clips, config)
    made = transform.test_views(clips.joints_of(0), 1280, 720)["joints"][0]
    assert made.shape == (3, 64, 22, 1)
    with torch.device("meta"):
        model = build_network(clips, config, transform.num_channels)
    assert sum(p.numel() for p in model.parameters()) == 2_703_780 - 28 * 217  # 4 classes in place of 32
    published = build_transform(clips, PROFILES["paper"]).test_views(clips.joints_of(0), 1280, 720)["joints"][0]
    np.testing.assert_array_equal(made[2], published[2])


def test_a_fold_serves_part_training(tmp_path):
    """Rows drawn each epoch, fewer classes, and the start from a checkpoint with another classifier."""
    clips = tiny_clips()
    train = np.flatnonzero(clips.table.split == "train")
    fold(clips, train, train[:2], tmp_path / "main")
    relabelled = clips.table.assign(label=np.minimum(clips.table.label, 1))
    part = dataclasses.replace(clips, table=relabelled, classes=("circle slow", "OTHERS"), mirror=np.arange(2))
    seen = []

    def draw(epoch: int) -> np.ndarray:
        seen.append(epoch)
        return np.random.default_rng(epoch).permutation(train)[:16]

    logits = fold(part, draw, train[:5], tmp_path / "part", weights=str(tmp_path / "main" / "weights.pt"))
    assert logits.shape == (5, 2) and np.isfinite(logits).all()
    assert set(seen) == {0, 1}


def test_weights_of_another_network_are_refused(tmp_path):
    torch.save({"state_dict": {"somewhere.weight": torch.zeros(3)}}, tmp_path / "other.pt")
    with pytest.raises(InputError, match=r"only 0\.0% of the model's parameters"):
        fold(tiny_clips(), np.arange(8), np.arange(2), tmp_path, weights=str(tmp_path / "other.pt"))


STEPS = """
import torch
from miga.skeletons import IMIGUE_22
from models.ehct.config import PROFILES
from models.ehct.model import EHCT

config = PROFILES["demo"]
model = EHCT(IMIGUE_22, 32, in_channels=7, num_heads=config.num_heads, head_dim=config.head_dim, strides=config.strides)
for _ in range(4):
    model(torch.randn(16, 7, config.num_frames, 22, 1)).sum().backward()
"""


def test_the_demo_trains_on_a_processor_without_avx512():
    """oneDNN has other kernels there; one of them writes past its memory where 7 channels are strided by a 1x1 one."""
    environment = os.environ | {"ONEDNN_MAX_CPU_ISA": "AVX2", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    process = subprocess.run([sys.executable, "-c", STEPS], env=environment, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
