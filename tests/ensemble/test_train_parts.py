"""Training tail models and cRT, with an entry of this file: python -m pytest tests/ensemble/test_train_parts.py"""

import json
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from ensemble import train_parts
from ensemble.entries import entries_named
from ensemble.parts import OTHERS, tail_trainsets
from ensemble.train_parts import crt_config, default_entries, folds_without, main, part_config, shortened
from folds.make import load_folds
from miga.errors import InputError
from miga.paths import fold_checkpoint_dir, oof_json, oof_npz
from miga.training.config import FitConfig
from oof.artifacts import read_oof
from tests.ensemble.mean_joints import NAME, RUN

PARTS = [*RUN, "--entries", NAME]


def counts_of_run() -> np.ndarray:
    folds = load_folds("tiny")
    return np.bincount(folds.label[folds.fold >= 0], minlength=4)


def test_a_part_knows_every_clip_over_its_tail_and_others(entry):
    main(PARTS)
    (trainset,) = tail_trainsets(counts_of_run())
    primary, part = read_oof(oof_npz("tiny", NAME)), read_oof(oof_npz("tiny", f"{NAME}_part1"))
    assert trainset.tail.tolist() == [2, 3]
    assert part.classes.tolist() == [*(primary.classes[c] for c in trainset.tail), OTHERS]
    for name in ("clip_id", "fold", "test_clip_id"):
        np.testing.assert_array_equal(getattr(part, name), getattr(primary, name))
    np.testing.assert_array_equal(part.label, trainset.output_of(primary.label))
    assert part.logits.shape == (90, 3) and part.test_logits.shape == (2, 6, 3)
    crt = read_oof(oof_npz("tiny", f"{NAME}_crt"))
    np.testing.assert_array_equal(crt.classes, primary.classes)
    np.testing.assert_array_equal(crt.label, primary.label)
    assert not np.array_equal(crt.logits, primary.logits)


def weights_of(name: str) -> dict[str, torch.Tensor]:
    return torch.load(fold_checkpoint_dir("tiny", name, 0) / "weights.pt", weights_only=True)["model"]


def test_a_degenerate_set_and_crt_keep_the_features(entry, monkeypatch):
    (trainset,) = tail_trainsets(counts_of_run())
    assert trainset.is_degenerate
    main(PARTS)
    before = weights_of(NAME)
    features = {key for key in before if key.startswith("backbone.")}
    for name in (f"{NAME}_part1", f"{NAME}_crt"):
        after = weights_of(name)
        assert {key for key in features if torch.equal(before[key], after[key])} == features
    enough = replace(trainset, is_degenerate=False)
    monkeypatch.setattr(train_parts, "tail_trainsets", lambda counts: [enough])
    main([*PARTS, "--overwrite"])
    assert not torch.equal(before["backbone.0.weight"], weights_of(f"{NAME}_part1")["backbone.0.weight"])
    assert json.loads(oof_json("tiny", f"{NAME}_crt").read_text())["config"]["heads_only"]


def test_a_tail_model_starts_from_the_entry_with_a_new_classifier(entry):
    """Steps of no length: what comes out is what it started from."""
    main([*PARTS, "--lr", "0"])
    before, after = weights_of(NAME), weights_of(f"{NAME}_part1")
    assert torch.equal(before["backbone.0.weight"], after["backbone.0.weight"])
    again = weights_of(f"{NAME}_crt")
    assert again["head.weight"].shape == before["head.weight"].shape
    assert not torch.equal(again["head.weight"], before["head.weight"])


def test_a_finished_part_is_skipped_and_a_new_primary_is_noticed(entry, capsys):
    main(PARTS)
    first = oof_npz("tiny", f"{NAME}_part1").read_bytes()
    weights = fold_checkpoint_dir("tiny", f"{NAME}_part1", 0) / "weights.pt"
    time = weights.stat().st_mtime_ns
    main(PARTS)
    assert weights.stat().st_mtime_ns == time and "2 folds already done" in capsys.readouterr().out
    main([*PARTS, "--overwrite"])
    assert oof_npz("tiny", f"{NAME}_part1").read_bytes() == first
    entry.main([*RUN, "--profile", "smoke", "--lr", "0.02", "--overwrite"])
    with pytest.raises(InputError, match=r"made with .*; add --overwrite"):
        main(PARTS)


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ("nothing", r"--entries nothing: no folder of models/ has this name; there are .*mean_joints"),
        (
            "mean_joints_b",
            r"mean_joints_b\.json: not there; train it first \(python -m models\.mean_joints\.train --run tiny\)",
        ),
    ],
)
def test_an_entry_that_is_not_there_is_named(entry, entries, message):
    with pytest.raises(InputError, match=message):
        main([*RUN, "--entries", entries])


def test_an_entry_that_the_run_lacks_is_left_out(entry, capsys):
    assert default_entries("tiny") == []
    oof_json("tiny", "ehct_joint").touch()
    for name in ("m3cn_crt", "a_friends"):  # made from an entry, none itself; trained by no folder of models/
        oof_json("tiny", name).touch()
    capsys.readouterr()
    assert default_entries("tiny") == ["ehct"]
    assert capsys.readouterr().out == "m3cn: left out, the run has no such entry\n"


def test_a_folder_stands_for_its_entries(entry):
    assert entries_named("tiny", "mean_joints") == [NAME] == entries_named("tiny", NAME)
    for name in (f"{NAME}_part1", f"{NAME}_crt", "mean_joints_c"):
        oof_json("tiny", name).touch()
    assert entries_named("tiny", "mean_joints") == [NAME, "mean_joints_c"]


def test_missing_weights_are_named(entry):
    (fold_checkpoint_dir("tiny", NAME, 1) / "weights.pt").unlink()
    with pytest.raises(InputError, match=r"fold1/weights\.pt: not there; train mean_joints_a first"):
        main(PARTS)


def test_settings_of_another_version_are_refused(entry):
    facts = json.loads(oof_json("tiny", NAME).read_text())
    facts["config"]["gone"] = 1
    oof_json("tiny", NAME).write_text(json.dumps(facts))
    with pytest.raises(InputError, match=r"now has other settings \(gone\); train mean_joints_a again"):
        main(PARTS)


def test_a_tail_within_one_fold_is_dropped(entry, monkeypatch, capsys):
    monkeypatch.setattr(train_parts, "folds_without", lambda trainset, label, fold: [1])
    main(PARTS)
    assert f"{NAME}_part1: dropped, the model of fold 1 would see no clip of its tail" in capsys.readouterr().out
    assert not oof_npz("tiny", f"{NAME}_part1").exists() and oof_npz("tiny", f"{NAME}_crt").exists()


def test_folds_that_would_see_no_tail():
    (trainset,) = tail_trainsets([50, 2])
    assert folds_without(trainset, np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1])) == [1]
    assert folds_without(trainset, np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])) == []


@dataclass(frozen=True)
class OwnConfig(FitConfig):
    weights: str = "public.pth"


def test_settings_of_tail_models():
    config = OwnConfig(epochs=100, batch_size=32, lr=0.1, warmup_epochs=5, milestones=(60, 80), weight_decay=0.1)
    *_, degenerate = tail_trainsets([1000, 190, 30, 5])
    other = tail_trainsets([1000, 190, 30, 5])[0]
    part = part_config(config, other, num_clips=1000, num_part_clips=400)
    assert (part.epochs, part.lr, part.warmup_epochs, part.milestones) == (20, pytest.approx(0.01), 1, ())
    assert part.min_steps == 100 and not part.heads_only and part.weight_decay == 0.1
    few = part_config(config, other, 1000, num_part_clips=60)
    assert few.lr == 0.1 and few.min_steps == 100 and not few.heads_only
    alone = part_config(config, degenerate, 1000, 400)
    assert alone.lr == 0.1 and alone.heads_only
    assert crt_config(config, 1000).heads_only and crt_config(config, 1000).weights == ""
    assert shortened(OwnConfig(epochs=2, batch_size=8), num_clips=24).min_steps == 6, "as many as the entry had"
