"""Blend: python -m pytest tests/ensemble"""

import json

import numpy as np
import pytest

from datasets.errors import InputError
from datasets.paths import folds_csv, oof_npz, submission_csv, weights_json
from ensemble.blend import choose, main
from ensemble.join import Entries, read_entries
from ensemble.tune import Blend, blend_probabilities, blend_test_probabilities, softmax, tune
from folds.make import main as make_folds_main
from oof.artifacts import Oof, write_oof
from tests.tiny import tiny_clips, write_clips

NUM_CLASSES = 5


def planted_logits(label: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    return strength * np.eye(NUM_CLASSES)[label] + rng.normal(size=(len(label), NUM_CLASSES))


def an_entry(strength: float, seed: int, num_clips: int = 200, num_test: int = 50) -> Oof:
    truth = np.random.default_rng(99)
    label, test_label = truth.integers(0, NUM_CLASSES, num_clips), truth.integers(0, NUM_CLASSES, num_test)
    rng = np.random.default_rng(seed)
    return Oof(
        clip_id=np.array([f"0001_{i}" for i in range(num_clips)]),
        fold=np.arange(num_clips) % 4,
        label=label,
        logits=planted_logits(label, strength, rng).astype(np.float32),
        classes=np.array([f"class {k}" for k in range(NUM_CLASSES)]),
        test_clip_id=np.array([f"0054_{i}" for i in range(num_test)]),
        test_logits=np.stack([planted_logits(test_label, strength, rng) for _ in range(4)]).astype(np.float32),
    )


def shuffled(oof: Oof, seed: int) -> Oof:
    rng = np.random.default_rng(seed)
    rows, test_rows = rng.permutation(len(oof.clip_id)), rng.permutation(len(oof.test_clip_id))
    return Oof(
        clip_id=oof.clip_id[rows],
        fold=oof.fold[rows],
        label=oof.label[rows],
        logits=oof.logits[rows],
        classes=oof.classes,
        test_clip_id=oof.test_clip_id[test_rows],
        test_logits=oof.test_logits[:, test_rows],
    )


def entries_of(tmp_path, oofs: dict[str, Oof]) -> Entries:
    for name, oof in oofs.items():
        write_oof(tmp_path / f"{name}.npz", oof)
    return read_entries([tmp_path / f"{name}.npz" for name in oofs])


def test_rows_are_joined_by_id(tmp_path):
    plain = entries_of(tmp_path / "plain", {"a": an_entry(2, 1), "b": an_entry(1, 2)})
    mixed = entries_of(tmp_path / "mixed", {"a": an_entry(2, 1), "b": shuffled(an_entry(1, 2), 3)})
    np.testing.assert_array_equal(plain.logits, mixed.logits)
    for one, other in zip(plain.test_logits, mixed.test_logits, strict=True):
        np.testing.assert_array_equal(one, other)


def test_one_hot_weights_return_that_model():
    logits = np.random.default_rng(0).normal(size=(3, 7, NUM_CLASSES))
    np.testing.assert_allclose(blend_probabilities(logits, Blend.single(3, 1)), softmax(logits[1]))
    test_logits = tuple(np.random.default_rng(e).normal(size=(4, 6, NUM_CLASSES)) for e in range(3))
    blended = blend_test_probabilities(test_logits, Blend.single(3, 2))
    np.testing.assert_allclose(blended, softmax(test_logits[2]).mean(0))
    np.testing.assert_allclose(blended.sum(1), 1)


def test_tuning_repeats_and_is_never_worse_than_its_starts():
    oofs = [an_entry(2, 1), an_entry(1, 2), an_entry(0, 3)]
    logits, label = np.stack([oof.logits for oof in oofs]), oofs[0].label
    one, two = tune(logits, label, 40, 0), tune(logits, label, 40, 0)
    np.testing.assert_array_equal(one.weights, two.weights)
    np.testing.assert_array_equal(one.temperatures, two.temperatures)
    assert np.isclose(one.weights.sum(), 1) and (one.weights >= 0).all()

    def top1(blend):
        return (blend_probabilities(logits, blend).argmax(1) == label).mean()

    assert top1(one) >= max(top1(Blend.equal(3)), *(top1(Blend.single(3, e)) for e in range(3)))


def test_a_noise_entry_is_tuned_away_and_tuned_ships(tmp_path):
    noise = {f"noise{i}": an_entry(0, 10 + i, 400) for i in range(4)}
    entries = entries_of(tmp_path, {"good": an_entry(2.5, 1, 400), **noise})
    blend, facts = choose(entries, 60, 0)
    assert facts["shipped"] == "tuned" and blend.weights[0] > 0.5
    assert facts["cross_fitted"]["top1"] > facts["equal"]["top1"]


def test_clones_ship_equal_weights(tmp_path):
    _, facts = choose(entries_of(tmp_path, {"a": an_entry(1.5, 1), "b": an_entry(1.5, 1)}), 30, 0)
    assert facts["shipped"] == "equal"


def prepared_run(num_entries: int = 2) -> None:
    """A tiny run with finished entries below the current directory."""
    clips = tiny_clips()
    write_clips(clips, "tiny")
    make_folds_main(["--run", "tiny", "--num-folds", "2"])
    table = clips.table
    train, test = table[table.split == "train"], table[table.split == "test"]
    from folds.make import load_folds

    fold_of = load_folds("tiny").set_index("clip_id").fold
    for number in range(num_entries):
        rng = np.random.default_rng(number)
        write_oof(
            oof_npz("tiny", f"entry{number}"),
            Oof(
                clip_id=train.clip_id.to_numpy(),
                fold=fold_of[train.clip_id].to_numpy(),
                label=train.label.to_numpy(),
                logits=rng.normal(size=(len(train), 4)),
                classes=np.array(clips.classes),
                test_clip_id=test.clip_id.to_numpy(),
                test_logits=rng.normal(size=(2, len(test), 4)),
            ),
        )


def test_command_writes_a_valid_csv_once(workdir, capsys):
    prepared_run()
    main(["--run", "tiny", "--trials", "10"])
    first = submission_csv("tiny", "track1").read_bytes()
    assert first.startswith(b"Id,Target\n0054_0,")
    facts = json.loads(weights_json("tiny").read_text())
    assert {"best_single", "equal", "tuned", "cross_fitted", "blend"} <= facts.keys()
    assert np.isclose(sum(row["weight"] for row in facts["blend"].values()), 1)
    main(["--run", "tiny", "--trials", "10"])
    assert "nothing to do" in capsys.readouterr().out
    main(["--run", "tiny", "--trials", "10", "--overwrite"])
    assert submission_csv("tiny", "track1").read_bytes() == first


def test_sample_header_and_order_are_kept(workdir):
    prepared_run(1)
    (workdir / "sample.csv").write_text("clip,gesture\n" + "".join(f"0054_{i},0\n" for i in (3, 1, 0, 2, 5, 4)))
    main(["--run", "tiny", "--trials", "5", "--sample", "sample.csv"])
    lines = submission_csv("tiny", "track1").read_text().splitlines()
    assert lines[0] == "clip,gesture" and [line.split(",")[0][-1] for line in lines[1:]] == list("310254")


def broken(oof: Oof, **changes) -> Oof:
    from dataclasses import replace

    return replace(oof, **changes)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (broken(an_entry(1, 2), clip_id=np.array(["x", *an_entry(1, 2).clip_id[1:]])), "1 training clips .* '0001_0'"),
        (broken(an_entry(1, 2), test_clip_id=np.array(["x", *an_entry(1, 2).test_clip_id[1:]])), "1 test clips"),
        (broken(an_entry(1, 2), classes=np.array(list("abcde"))), "class list differs"),
        (broken(an_entry(1, 2), fold=np.zeros(200)), "another fold"),
    ],
)
def test_entries_that_do_not_fit_are_named(tmp_path, other, message):
    with pytest.raises(InputError, match=message):
        entries_of(tmp_path, {"a": an_entry(1, 1), "b": other})


def test_no_entry_and_other_folds_are_refused(workdir):
    with pytest.raises(InputError, match="no entries to blend"):
        read_entries([])
    prepared_run(1)
    path = oof_npz("tiny", "entry0")
    path.with_suffix(".json").write_text('{"folds_sha256": "of another folds file"}')
    with pytest.raises(InputError, match="made with other folds"):
        read_entries([path], folds_csv("tiny"))
