"""What an entry looks at, and what becomes of a test clip without it.

Run alone: python -m pytest -n 0 tests/miga/training/test_inputs.py
"""

import argparse
import dataclasses
import json

import numpy as np
import pytest
import torch

from folds.make import load_folds
from folds.make import main as make_folds
from miga.clips import load_clips
from miga.paths import oof_json, oof_npz, rgb_store_dir
from miga.training.assembly import Assembly
from miga.training.config import FitConfig
from miga.training.inputs import JOINTS, RGB, inputs_of, made_of
from miga.training.losses import cross_entropy
from miga.training.verbs import predict_by_person
from models.command.folds import FoldWork, run_folds
from oof.artifacts import read_oof
from oof.prior import class_prior
from recordings import rgb_build
from recordings.rgb_store import build_rgb_store
from tests.tiny import tiny_clips, write_clips
from tests.tiny_rgb import filmed

ARGS = argparse.Namespace(run="tiny", fold="all", jobs=1, device="cpu", overwrite=False)


@dataclasses.dataclass(frozen=True)
class Config(FitConfig):
    picture_size: int = 8
    test_batch_size: int = 32


@pytest.fixture
def run(workdir, monkeypatch):
    """The first test clip has no joints, the last no pictures."""
    monkeypatch.setattr(rgb_build, "NUM_PROCESSES", 1)
    clips = filmed(tiny_clips(), workdir / "videos")
    table, test = clips.table.copy(), np.flatnonzero(clips.table.split == "test")
    table.loc[test[0], "has_joints"], table.loc[test[-1], "frames_path"] = False, ""
    write_clips(dataclasses.replace(clips, table=table), "tiny")
    make_folds(["--run", "tiny", "--num-folds", "2"])
    build_rgb_store("tiny", 8)
    return test


@pytest.mark.parametrize("needs", [(JOINTS,), (RGB,), (JOINTS, RGB)])
def test_a_test_clip_that_lacks_an_input_is_not_shown_and_gets_the_class_shares(run, needs):
    lacking = {JOINTS: run[0], RGB: run[-1]}
    asked = []

    def log_probs(clips, train_rows, rows, place):
        asked.extend(rows.tolist())
        return np.tile(np.arange(4.0), (len(rows), 1))

    run_folds(ARGS, FoldWork("entry", needs, Config(), log_probs))
    clips, folds, oof = load_clips("tiny", "track1"), load_folds("tiny"), read_oof(oof_npz("tiny", "entry"))
    blind = [lacking[need] for need in needs]
    assert set(asked) == set(range(len(clips))) - set(blind)
    blind_ids = clips.table.clip_id[blind].tolist()
    assert oof.test_clip_id[~oof.test_has_input].tolist() == blind_ids
    for fold in (0, 1):
        prior = class_prior(folds.label[(folds.fold >= 0) & (folds.fold != fold)].to_numpy(), 4)
        for id_, logits in zip(oof.test_clip_id, oof.test_logits[fold], strict=True):
            np.testing.assert_allclose(logits, np.log(prior) if id_ in blind_ids else np.arange(4.0), rtol=1e-6)
    without = json.loads(oof_json("tiny", "entry").read_text())["test_clips_without"]
    assert without == {need: [clips.table.clip_id[lacking[need]]] for need in needs}


def test_other_pictures_void_only_what_was_trained_on_pictures(run):
    clips, config = load_clips("tiny", "track1"), Config()
    before = {needs: made_of(clips, needs, "tiny", config) for needs in ((JOINTS,), (RGB,), (JOINTS, RGB))}
    meta = rgb_store_dir("tiny", 8) / "meta.json"
    meta.write_text(json.dumps(json.loads(meta.read_text()) | {"pictures_sha256": "others"}))
    changed = {needs for needs in before if made_of(clips, needs, "tiny", config) != before[needs]}
    assert changed == {(RGB,), (JOINTS, RGB)}


def test_an_entry_on_joints_needs_no_store(workdir):
    write_clips(tiny_clips(), "tiny")
    clips = load_clips("tiny", "track1")
    assert inputs_of(clips, (JOINTS,), "tiny", FitConfig())[JOINTS].tolist() == clips.has_joints.tolist()
    assert made_of(clips, (JOINTS,), "tiny", FitConfig()) == {"clips": clips.meta["content_sha256"]}


class Seen(torch.nn.Module):
    """A batch norm that refuses to learn from zeros."""

    def __init__(self):
        super().__init__()
        self.norm = torch.nn.BatchNorm1d(1)

    def forward(self, x):
        if self.norm.training:
            assert (x != 0).all(), "a clip with nobody in view was learnt from"
        return torch.cat([self.norm(x), x], dim=1)


def test_nobody_in_view_is_not_adapted_to(workdir):
    clips = tiny_clips(num_train=40, num_subjects=1)
    assert not clips.has_joints.all()
    rows = np.flatnonzero(clips.table.split == "train")
    clips = dataclasses.replace(clips, classes=clips.classes[:2])

    def views(row):
        return {"x": np.full((1, 1), float(clips.has_joints[row]) * (1 + row), np.float32)}

    def to_input(batch, is_train):
        return batch

    network = Seen().eval()
    assembly = Assembly(network, Config(), views, views, to_input, cross_entropy)
    tells = clips.has_joints[rows]
    logits = predict_by_person(assembly, network, clips, rows, tells, torch.device("cpu"))
    assert logits.shape == (40, 2) and np.isfinite(logits).all()
