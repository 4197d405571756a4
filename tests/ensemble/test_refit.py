"""An entry once more, on every training clip: python -m pytest tests/ensemble/test_refit.py"""

import json

import numpy as np
import pytest
import torch

from benchmarks import refit as benchmark
from ensemble import adapt, refit
from ensemble.refit import main
from folds.make import load_folds
from miga.clips import load_clips
from miga.errors import InputError
from miga.paths import fold_checkpoint_dir, oof_json, oof_npz, refit_json, refit_npz
from miga.training import fit as fit_module
from miga.training.verbs import predict_rows
from oof.artifacts import read_oof
from tests.ensemble.mean_joints import NAME, RUN

REFIT = ["--run", "tiny"]


def test_it_holds_test_clips_alone_by_a_network_of_the_entrys_settings(entry, capsys):
    main(REFIT)
    oof, own = read_oof(oof_npz("tiny", NAME)), read_oof(refit_npz("tiny", NAME))
    assert len(own.clip_id) == len(own.logits) == 0
    assert own.test_logits.shape == (1, *oof.test_logits.shape[1:])
    np.testing.assert_array_equal(own.test_clip_id, oof.test_clip_id)
    np.testing.assert_array_equal(own.classes, oof.classes)
    facts, of_folds = (json.loads(path("tiny", NAME).read_text()) for path in (refit_json, oof_json))
    assert facts["config"] == of_folds["config"] and facts["folds_sha256"] == of_folds["folds_sha256"]
    assert f"{NAME} all clips: trained" in capsys.readouterr().out


def test_every_training_clip_is_trained_on_and_no_test_clip(entry, monkeypatch):
    seen, log_probs = [], refit.train_and_predict

    def spy(entry_, config, clips, train_rows, rows, place):
        seen.append((train_rows, rows))
        return log_probs(entry_, config, clips, train_rows, rows, place)

    monkeypatch.setattr(refit, "train_and_predict", spy)
    monkeypatch.setattr(refit, "run_side_by_side", lambda do, arguments, *_: do(*arguments[0]))
    main(REFIT)
    ((train_rows, rows),) = seen
    clips, folds = load_clips("tiny", "track1"), load_folds("tiny")
    assert clips.table.clip_id[train_rows].tolist() == folds.clip_id[folds.fold >= 0].tolist()
    assert clips.table.clip_id[rows].tolist() == folds.clip_id[folds.fold < 0].tolist()


def test_its_rows_are_those_of_its_weights(entry):
    main(REFIT)
    clips, own = load_clips("tiny", "track1"), read_oof(refit_npz("tiny", NAME))
    state = torch.load(fold_checkpoint_dir("tiny", NAME, None) / "weights.pt", weights_only=True)
    assembly = entry.assemble(clips, entry.PROFILES["smoke"])
    assembly.network.load_state_dict(state["model"])
    rows = clips.rows_of(own.test_clip_id)
    found = predict_rows(assembly, assembly.network.eval(), clips, rows, torch.device("cpu"))
    np.testing.assert_array_equal(own.test_logits[0], found)
    of_fold = torch.load(fold_checkpoint_dir("tiny", NAME, 0) / "weights.pt", weights_only=True)
    assert not torch.equal(state["model"]["head.weight"], of_fold["model"]["head.weight"])


def test_a_finished_one_is_skipped_and_overwrite_makes_the_same_bytes(entry, capsys):
    main(REFIT)
    weights = fold_checkpoint_dir("tiny", NAME, None) / "weights.pt"
    made, of_weights = refit_npz("tiny", NAME).read_bytes(), weights.stat().st_mtime_ns
    folds = [(fold_checkpoint_dir("tiny", NAME, fold) / "weights.pt").stat().st_mtime_ns for fold in (0, 1)]
    main(REFIT)
    assert weights.stat().st_mtime_ns == of_weights and "all clips: already done" in capsys.readouterr().out
    refit_npz("tiny", NAME).unlink()
    main(REFIT)
    assert refit_npz("tiny", NAME).read_bytes() == made and weights.stat().st_mtime_ns == of_weights
    main([*REFIT, "--overwrite"])
    assert refit_npz("tiny", NAME).read_bytes() == made and weights.stat().st_mtime_ns > of_weights
    assert folds == [(fold_checkpoint_dir("tiny", NAME, fold) / "weights.pt").stat().st_mtime_ns for fold in (0, 1)]


def test_killed_in_the_middle_it_ends_with_the_same_bytes(entry, monkeypatch):
    main(REFIT)
    made, folder = refit_npz("tiny", NAME).read_bytes(), fold_checkpoint_dir("tiny", NAME, None)
    for path in (*folder.iterdir(), refit_npz("tiny", NAME)):
        path.unlink()
    epoch = fit_module._run_epoch

    def killed(*arguments):
        if arguments[11] == 4:  # the epoch
            raise KeyboardInterrupt
        return epoch(*arguments)

    monkeypatch.setattr(refit, "run_side_by_side", lambda do, arguments, *_: do(*arguments[0]))
    monkeypatch.setattr(fit_module, "CHECKPOINT_EVERY_SEC", 0.0)
    monkeypatch.setattr(fit_module, "_run_epoch", killed)
    with pytest.raises(KeyboardInterrupt):
        main(REFIT)
    assert (folder / "checkpoint.pt").exists() and not refit_npz("tiny", NAME).exists()
    monkeypatch.setattr(fit_module, "_run_epoch", epoch)
    main(REFIT)
    assert refit_npz("tiny", NAME).read_bytes() == made


def test_an_adapted_entry_is_refitted_by_the_same_network(entry):
    adapt.main(RUN)
    main(REFIT)
    plain, own = (read_oof(refit_npz("tiny", name)) for name in (NAME, f"{NAME}_adapted"))
    assert own.test_logits.shape == plain.test_logits.shape
    assert not (fold_checkpoint_dir("tiny", f"{NAME}_adapted", None) / "weights.pt").exists()  # nothing was trained
    facts = json.loads((fold_checkpoint_dir("tiny", f"{NAME}_adapted", None) / "fold.json").read_text())
    assert facts["fingerprint"]["fold"] == "all" and facts["fingerprint"]["from"]


def test_other_settings_are_refused_until_it_is_made_again(entry):
    main(REFIT)
    entry.main([*RUN, "--profile", "smoke", "--lr", "0.02", "--overwrite"])
    with pytest.raises(InputError, match=r"made with lr = 0\.05, now 0\.02; add --overwrite"):
        main(REFIT)
    main([*REFIT, "--overwrite"])
    assert json.loads(refit_json("tiny", NAME).read_text())["config"]["lr"] == 0.02


def test_without_test_clips_nothing_is_trained(entry, capsys, monkeypatch):
    folds = load_folds("tiny")
    monkeypatch.setattr(refit, "load_folds", lambda run: folds[folds.fold >= 0])
    main(REFIT)
    assert "no test clips" in capsys.readouterr().out and not refit_npz("tiny", NAME).exists()


def test_an_entry_that_is_not_there_is_named(entry):
    with pytest.raises(InputError, match=r"gecn\.json: not there; train it first"):
        main([*REFIT, "--entries", "gecn"])


def test_the_benchmark_asks_training_people_by_networks_that_saw_neither_them_nor_an_inner_fold(
    entry, monkeypatch, capsys
):
    main(REFIT)
    seen, log_probs = [], refit.train_and_predict

    def spy(entry_, config, clips, train_rows, rows, place):
        seen.append((train_rows, rows))
        return log_probs(entry_, config, clips, train_rows, rows, place)

    monkeypatch.setattr(refit, "train_and_predict", spy)
    monkeypatch.setattr(benchmark, "run_side_by_side", lambda do, arguments, *_: [do(*one) for one in arguments])
    truth = {id_: 0 for id_ in read_oof(oof_npz("tiny", NAME)).test_clip_id.tolist()}
    monkeypatch.setattr(benchmark, "test_labels", lambda *_: truth)
    benchmark.main(["--run", "tiny"])
    lines = capsys.readouterr().out.splitlines()[-3:]
    assert [line.split()[1] for line in lines] == ["folds", "refit", "both"] and all(
        "test top-1" in line for line in lines
    )
    assert len(seen) == 4  # two folds, and two of the rest of each
    people = load_clips("tiny", "track1").table.subject_id.to_numpy()
    for train_rows, rows in seen:
        assert not set(people[train_rows]) & set(people[rows])
        assert len(set(people[train_rows])) == 1  # of the two that are left, one is held out
