"""The stage that adapts entries, on an entry of the tests: python -m pytest tests/ensemble/test_adapt.py"""

import numpy as np
import pytest
import torch

from ensemble import adapt
from ensemble.adapt import main
from folds.make import load_folds
from miga.clips import load_clips
from miga.errors import InputError
from miga.paths import fold_checkpoint_dir, oof_npz
from miga.training.adapt import MIN_CLIPS, PRIOR
from oof.artifacts import read_oof
from tests.ensemble.mean_joints import NAME, RUN


def test_the_twin_has_the_rows_of_the_entry_and_other_logits(entry):
    main(RUN)
    plain, own = read_oof(oof_npz("tiny", NAME)), read_oof(oof_npz("tiny", f"{NAME}_adapted"))
    for name in ("clip_id", "fold", "label", "classes", "test_clip_id"):
        np.testing.assert_array_equal(getattr(own, name), getattr(plain, name))
    assert own.test_logits.shape == plain.test_logits.shape
    assert not np.allclose(own.logits, plain.logits)


def test_by_hand(entry):
    """The logits of one person's clips: batch norm with that person's mean and variance mixed in, nothing else."""
    main(RUN)
    clips, folds = load_clips("tiny", "track1"), load_folds("tiny")
    own = read_oof(oof_npz("tiny", f"{NAME}_adapted"))
    held = folds[folds.fold == 0]
    subject = clips.table.subject_id.to_numpy()
    rows = clips.rows_of(held.clip_id.to_numpy())
    sizes = {one: (subject[rows] == one).sum() for one in np.unique(subject[rows])}
    person = max(sizes, key=sizes.get)
    theirs = rows[subject[rows] == person]
    assert len(theirs) >= MIN_CLIPS
    state = torch.load(fold_checkpoint_dir("tiny", NAME, 0) / "weights.pt", weights_only=True)["model"]
    joints = np.stack([clips.joints_of(row).mean((0, 1)).reshape(-1) / 1000 for row in theirs]).astype(np.float32)
    hidden = torch.from_numpy(joints) @ state["backbone.0.weight"].T + state["backbone.0.bias"]
    batches = hidden.split(8)
    share = len(theirs) / (len(theirs) + PRIOR)
    mean = torch.stack([batch.mean(0) for batch in batches]).mean(0).lerp(state["backbone.1.running_mean"], 1 - share)
    var = torch.stack([batch.var(0) for batch in batches]).mean(0).lerp(state["backbone.1.running_var"], 1 - share)
    normed = (hidden - mean) / (var + 1e-5).sqrt() * state["backbone.1.weight"] + state["backbone.1.bias"]
    expected = (normed.relu() @ state["head.weight"].T + state["head.bias"]).log_softmax(1)
    id2row = {clip_id: i for i, clip_id in enumerate(own.clip_id)}
    found = own.logits[[id2row[clip_id] for clip_id in clips.table.clip_id.to_numpy()[theirs]]]
    np.testing.assert_allclose(found, expected.numpy(), atol=1e-4)


def test_nothing_is_trained_and_a_finished_fold_is_skipped(entry, capsys):
    folder = fold_checkpoint_dir("tiny", NAME, 0)
    before = (folder / "weights.pt").read_bytes()
    main(RUN)
    assert (folder / "weights.pt").read_bytes() == before
    assert not (fold_checkpoint_dir("tiny", f"{NAME}_adapted", 0) / "weights.pt").exists()
    first = oof_npz("tiny", f"{NAME}_adapted").read_bytes()
    capsys.readouterr()
    main(RUN)
    assert "2 folds already done" in capsys.readouterr().out
    main([*RUN, "--overwrite"])
    assert oof_npz("tiny", f"{NAME}_adapted").read_bytes() == first
    assert (folder / "weights.pt").read_bytes() == before


def test_an_entry_trained_again_is_noticed(entry):
    main(RUN)
    entry.main([*RUN, "--profile", "smoke", "--lr", "0.02", "--overwrite"])
    with pytest.raises(InputError, match=r"made with .*; add --overwrite"):
        main(RUN)


def test_missing_weights_are_named(entry):
    (fold_checkpoint_dir("tiny", NAME, 0) / "weights.pt").unlink()
    with pytest.raises(InputError, match=r"fold0/weights\.pt: not there; train mean_joints_a first"):
        main(RUN)


def test_without_batch_norms_there_is_no_twin(entry, capsys):
    path = fold_checkpoint_dir("tiny", NAME, 0) / "weights.pt"
    state = torch.load(path, weights_only=True)
    kept = {key: value for key, value in state["model"].items() if not key.startswith("backbone.1.")}
    torch.save({**state, "model": kept}, path)
    main(RUN)
    assert f"{NAME}: no batch norms" in capsys.readouterr().out and not oof_npz("tiny", f"{NAME}_adapted").exists()


def test_without_people_of_enough_clips_there_is_nothing_to_do(entry, capsys, monkeypatch):
    monkeypatch.setattr(adapt, "MIN_CLIPS", 91)
    main(RUN)
    assert "no person has 91 clips (the most is" in capsys.readouterr().out
    assert not oof_npz("tiny", f"{NAME}_adapted").exists()
