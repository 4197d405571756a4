"""Training an entry from the command line: python -m pytest tests/models/command/test_folds.py"""

import argparse
import dataclasses
import json
from functools import partial

import numpy as np
import pytest
import torch

from folds.make import load_folds
from folds.make import main as make_folds_main
from miga.errors import InputError
from miga.paths import fold_checkpoint_dir, oof_json, oof_npz
from miga.training.assembly import Assembly, Entry
from miga.training.config import FitConfig, add_run_arguments
from miga.training.losses import cross_entropy
from miga.training.versions import in_all
from miga.training.watch import NonFiniteLossError
from models.command.entry import train_and_predict, train_entry
from models.command.folds import FoldWork, run_folds
from oof.artifacts import read_oof
from tests.tiny import tiny_clips, write_clips

NAME = "mean_joints"  # an entry of this file: a linear classifier of a clip's mean joints


@dataclasses.dataclass(frozen=True)
class Config(FitConfig):
    num_test_clips: int = 1
    test_batch_size: int = 8


PROFILES = {"smoke": Config(batch_size=8, lr=0.05)}
FAST = ["--run", "tiny", "--profile", "smoke", "--jobs", "1", "--epochs", "1"]


def to_input(batch, is_train):
    return {"input": batch["joints"]}


def assemble(clips, config) -> Assembly:
    def mean_joints(row):
        return (clips.joints_of(row).mean((0, 1)).reshape(-1) / 1000).astype(np.float32)

    def train_view(row, rng):
        return {"joints": mean_joints(row)}

    def test_views(row):
        return {"joints": np.repeat(mean_joints(row)[None], config.num_test_clips, axis=0)}

    network = torch.nn.Linear(66, clips.num_classes)
    return Assembly(network, config, train_view, test_views, to_input, cross_entropy)


def name(config, profile):
    return NAME


def check(config):
    """Every setting is right."""


ENTRY = Entry("mean_joints", ("joints",), PROFILES, name, assemble, check)


def train_main(argv):
    train_entry(ENTRY, argv)


def work(log_probs=None, **more) -> FoldWork:
    config = dataclasses.replace(PROFILES["smoke"], epochs=1)
    return FoldWork(
        more.pop("name", NAME), ("joints",), config, log_probs or partial(train_and_predict, ENTRY, config), **more
    )


def arguments(*more):
    parser = argparse.ArgumentParser()
    add_run_arguments(parser)
    return parser.parse_args(["--run", "tiny", "--jobs", "1", *more])


@pytest.fixture
def run(workdir):
    write_clips(tiny_clips(), "tiny")
    make_folds_main(["--run", "tiny", "--num-folds", "2"])
    return workdir


def test_oof_holds_every_training_clip_once_by_the_model_that_never_saw_it(run):
    train_main(FAST)
    oof, folds = read_oof(oof_npz("tiny", NAME)), load_folds("tiny")
    train = folds[folds.fold >= 0]
    assert oof.clip_id.tolist() == train.clip_id.tolist() and oof.fold.tolist() == train.fold.tolist()
    assert oof.test_clip_id.tolist() == folds.clip_id[folds.fold < 0].tolist() and oof.test_logits.shape == (2, 6, 4)
    for fold in (0, 1):
        part = np.load(fold_checkpoint_dir("tiny", NAME, fold) / "predictions.npz")
        np.testing.assert_array_equal(part["clip_id"], train.clip_id[train.fold == fold])
        np.testing.assert_array_equal(oof.logits[oof.fold == fold], part["logits"])
    facts = json.loads(oof_json("tiny", NAME).read_text())
    assert facts["config"]["epochs"] == 1 and len(facts["fold_scores"]) == 2
    assert {"folds_sha256", "versions", "minutes", "peak_gb"} <= facts.keys()
    assert facts["device"].startswith("cpu") and facts["number_format"] == "fp32"
    of_fold = json.loads((fold_checkpoint_dir("tiny", NAME, 1) / "fold.json").read_text())
    assert of_fold["device"] == facts["device"] and of_fold["number_format"] == "fp32"


def test_folds_of_several_machines_are_all_named():
    folds = [{"device": "H100", "number_format": "bf16"}, {"device": "cpu", "number_format": "fp32"}, {"device": "cpu"}]
    assert in_all(folds, ("device", "number_format")) == {
        "device": "H100, cpu",
        "number_format": "bf16, fp32, not recorded",
    }


def test_an_error_in_a_fold_names_entry_and_fold(run):
    def failing(clips, train_rows, rows, place):
        raise NonFiniteLossError("loss is nan")

    with pytest.raises(NonFiniteLossError, match=r"^mean_joints fold 0: loss is nan$"):
        run_folds(arguments(), work(failing))


def test_one_fold_a_process_gives_the_same_bytes_as_all_at_once(run):
    train_main(FAST)
    together = oof_npz("tiny", NAME).read_bytes()
    oof_npz("tiny", NAME).unlink()
    for fold in (0, 1):
        (fold_checkpoint_dir("tiny", NAME, fold) / "predictions.npz").unlink()
        (fold_checkpoint_dir("tiny", NAME, fold) / "weights.pt").unlink()
    train_main([*FAST, "--fold", "1"])
    assert not oof_npz("tiny", NAME).exists(), "one fold is missing"
    train_main([*FAST, "--fold", "0"])
    assert oof_npz("tiny", NAME).read_bytes() == together


def test_a_kill_between_predictions_and_facts_costs_a_prediction(run):
    train_main(FAST)
    before, facts = oof_npz("tiny", NAME).read_bytes(), fold_checkpoint_dir("tiny", NAME, 0) / "fold.json"
    facts.unlink()
    train_main(FAST)
    assert oof_npz("tiny", NAME).read_bytes() == before and facts.exists()


def test_a_finished_entry_is_skipped_and_other_settings_are_refused(run, capsys):
    train_main(FAST)
    weights = fold_checkpoint_dir("tiny", NAME, 0) / "weights.pt"
    before = weights.stat().st_mtime_ns
    train_main(FAST)
    assert weights.stat().st_mtime_ns == before and "already done" in capsys.readouterr().out
    with pytest.raises(InputError, match=r"made with lr = 0\.05, now 0\.01; add --overwrite"):
        train_main([*FAST, "--lr", "0.01"])
    of_a_step = weights.parent / "step" / "weights.pt"
    of_a_step.parent.mkdir()
    of_a_step.touch()
    train_main([*FAST, "--lr", "0.01", "--overwrite"])
    assert weights.stat().st_mtime_ns > before and not of_a_step.exists()


def test_another_number_of_test_clips_predicts_again_and_trains_nothing(run):
    train_main(FAST)
    weights = fold_checkpoint_dir("tiny", NAME, 0) / "weights.pt"
    before, oof = weights.stat().st_mtime_ns, read_oof(oof_npz("tiny", NAME))
    train_main([*FAST, "--num-test-clips", "3"])
    again = read_oof(oof_npz("tiny", NAME))
    assert weights.stat().st_mtime_ns == before
    assert json.loads(oof_json("tiny", NAME).read_text())["config"]["num_test_clips"] == 3
    np.testing.assert_allclose(again.logits, oof.logits, atol=1e-5)  # three times the same view
    predictions = weights.with_name("predictions.npz").stat().st_mtime_ns
    train_main([*FAST, "--num-test-clips", "3", "--num-workers", "0"])
    assert weights.with_name("predictions.npz").stat().st_mtime_ns == predictions


def two_classes(clips):
    label = clips.table.label.clip(upper=1)
    return dataclasses.replace(
        clips, table=clips.table.assign(label=label), classes=("first", "other"), mirror=np.arange(2)
    )


def test_an_entry_may_learn_other_classes(run):
    weights = {"made_from": "a"}
    two = work(name="two", relabel=two_classes, made_from=lambda fold: weights)
    run_folds(arguments(), two)
    oof, folds = read_oof(oof_npz("tiny", "two")), load_folds("tiny")
    assert oof.classes.tolist() == ["first", "other"] and oof.logits.shape[1] == 2
    np.testing.assert_array_equal(oof.label, np.minimum(folds.label[folds.fold >= 0], 1))
    weights["made_from"] = "b"
    with pytest.raises(InputError, match="made with made_from = 'a', now 'b'"):
        run_folds(arguments(), two)


@pytest.mark.parametrize(("fold", "message"), [("7", "expected all, or 0 to 1"), ("first", "expected all, or 0 to 1")])
def test_a_fold_that_is_not_there_is_refused(run, fold, message):
    with pytest.raises(InputError, match=message):
        train_main([*FAST, "--fold", fold])


def test_training_before_preparing_says_what_to_do(workdir):
    with pytest.raises(InputError, match=r"run `python -m recordings\.prepare --run tiny --track1 DIR` first"):
        train_main(FAST)
