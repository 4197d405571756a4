"""Whose test rows are blended: python -m pytest tests/ensemble/test_refit_rows.py"""

import json
from dataclasses import replace

import numpy as np
import pytest

from ensemble.blend import main
from ensemble.join import Entries, read_entries
from ensemble.mixture import Blend, blend_test_probabilities, softmax
from ensemble.refit_rows import describe_test_rows, refit_paths, with_refits
from miga.errors import InputError
from miga.files import file_sha256, write_json
from miga.paths import crossfit_npz, folds_csv, oof_json, oof_npz, refit_json, refit_npz, submission_csv, weights_json
from oof.artifacts import read_oof, write_oof
from tests.ensemble.planted import prepared_run

QUICK = ["--run", "tiny", "--trials", "12"]


def refitted(name: str, seed: int = 7, config: dict | None = None) -> np.ndarray:
    """Write a refit of an entry, with test rows of its own, and return them (1, M, K)."""
    oof = read_oof(oof_npz("tiny", name))
    logits = np.random.default_rng(seed).normal(size=(1, *oof.test_logits.shape[1:])).astype(np.float32)
    none = slice(0, 0)
    alone = replace(
        oof, clip_id=oof.clip_id[none], fold=oof.fold[none], label=oof.label[none], logits=oof.logits[none],
        test_logits=logits,
    )  # fmt: skip
    write_oof(refit_npz("tiny", name), alone)
    made = {"config": {"lr": 1.0}, "folds_sha256": file_sha256(folds_csv("tiny"))}
    write_json(oof_json("tiny", name), made)
    write_json(refit_json("tiny", name), {**made, "config": config or made["config"]})
    return logits


def entries() -> Entries:
    return read_entries([oof_npz("tiny", f"entry{i}") for i in range(2)], "tiny")


def test_refit_rows_stand_alone_or_beside_those_of_the_folds(workdir):
    prepared_run(2)
    own, plain = refitted("entry0"), entries()
    paths = refit_paths("tiny", plain)
    assert [*paths] == ["entry0"]
    alone, both = (with_refits(plain, paths, "tiny", choice) for choice in ("refit", "both"))
    np.testing.assert_array_equal(alone.test_logits[0], own)
    np.testing.assert_array_equal(both.test_logits[0], np.concatenate([plain.test_logits[0], own]))
    for changed in (alone, both):
        np.testing.assert_array_equal(changed.test_logits[1], plain.test_logits[1])  # it has no refit
        np.testing.assert_array_equal(changed.logits, plain.logits)  # training rows are of folds, always
    has_input = np.ones((2, 6), bool)
    blended = blend_test_probabilities(both.test_logits, has_input, np.full(4, 0.25), Blend.single(2, 0))
    by_hand = (softmax(plain.test_logits[0]).sum(0) + softmax(own[0])) / 3  # each network alike
    np.testing.assert_allclose(blended, by_hand, rtol=1e-6)


def test_weights_and_estimates_do_not_know_the_refit(workdir, capsys):
    prepared_run(2)
    main(QUICK)
    before, csv, crossfit = (
        json.loads(weights_json("tiny").read_text()),
        submission_csv("tiny", "track1").read_bytes(),
        crossfit_npz("tiny").read_bytes(),
    )
    assert "test_rows" not in before and "refit" not in before["made_from"]
    for number in range(2):
        refitted(f"entry{number}", seed=number)
    capsys.readouterr()
    main(QUICK)
    assert "nothing to do" in capsys.readouterr().out  # refits that nobody asked for change nothing
    main([*QUICK, "--test-rows", "refit"])
    output = capsys.readouterr().out
    assert "test rows by networks on every training clip. The estimate is of the networks of folds" in output
    after = json.loads(weights_json("tiny").read_text())
    assert submission_csv("tiny", "track1").read_bytes() != csv
    assert crossfit_npz("tiny").read_bytes() == crossfit
    assert after.pop("test_rows") == {
        "by": "refit",
        "refit": ["entry0", "entry1"],
        "estimates": "of the folds' networks",
    }
    changed = {key for key in after if after[key] != before[key]}
    assert changed == {"made_from"}
    main([*QUICK, "--test-rows", "folds"])
    assert submission_csv("tiny", "track1").read_bytes() == csv


def test_an_entry_trained_again_since_is_noticed(workdir):
    prepared_run(2)
    refitted("entry0", config={"lr": 2.0})
    with pytest.raises(InputError, match=r"refit/entry0\.npz: made with other settings than oof/tiny/entry0\.json"):
        main([*QUICK, "--test-rows", "both"])


def test_a_refit_with_training_clips_is_refused(workdir):
    """It would be a network that saw their people."""
    prepared_run(2)
    refitted("entry0")
    write_oof(refit_npz("tiny", "entry0"), read_oof(oof_npz("tiny", "entry0")))
    with pytest.raises(InputError, match="holds 24 training clips, expected test clips alone"):
        main([*QUICK, "--test-rows", "refit"])


def test_other_test_clips_and_classes_are_refused(workdir):
    prepared_run(2)
    refitted("entry0")
    good = read_oof(refit_npz("tiny", "entry0"))
    write_oof(refit_npz("tiny", "entry0"), replace(good, test_clip_id=np.char.add(good.test_clip_id, "x")))
    with pytest.raises(InputError, match=r"6 test clips of .*entry0\.npz are missing"):
        main([*QUICK, "--test-rows", "refit"])
    write_oof(refit_npz("tiny", "entry0"), replace(good, classes=good.classes[::-1]))
    with pytest.raises(InputError, match="has other classes than entry0"):
        main([*QUICK, "--test-rows", "refit"])


def test_without_any_refit_it_says_what_to_run(workdir):
    prepared_run(2)
    with pytest.raises(InputError, match=r"run `python -m ensemble\.refit --run tiny` first"):
        main([*QUICK, "--test-rows", "both"])


def test_who_speaks_of_the_test_clips_is_said():
    text = describe_test_rows("both", ["a"], ("a", "a_crt"))
    assert text.startswith(
        "test rows by networks on every training clip and those of folds; by those of folds alone in"
    )
    assert "a_crt" in text
