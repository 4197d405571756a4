"""Joining entries and tail models by clip id: python -m pytest tests/ensemble/test_join.py"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ensemble.join import entry_paths, read_entries
from ensemble.join_parts import read_parts
from miga.errors import InputError
from miga.paths import oof_npz
from oof.artifacts import Oof, read_oof, write_oof
from tests.ensemble.planted import an_entry, entries_of, part_of, prepared_run, shuffled

ONE = an_entry(1, 2)


def without(oof: Oof, rows: int) -> Oof:
    return replace(
        oof, clip_id=oof.clip_id[rows:], fold=oof.fold[rows:], label=oof.label[rows:], logits=oof.logits[rows:]
    )


def test_the_order_of_rows_changes_no_byte(tmp_path):
    plain = entries_of(tmp_path / "plain", {"a": an_entry(2, 1), "b": ONE})
    mixed = entries_of(tmp_path / "mixed", {"a": shuffled(an_entry(2, 1), 4), "b": shuffled(ONE, 3)})
    for name in ("clip_id", "fold", "label", "logits", "test_clip_id"):
        assert getattr(plain, name).tobytes() == getattr(mixed, name).tobytes()
    for one, other in zip(plain.test_logits, mixed.test_logits, strict=True):
        assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (replace(ONE, clip_id=np.array(["x", *ONE.clip_id[1:]])), r"b\.npz: 1 training clips of .*a\.npz .*'0001_0'"),
        (without(ONE, 5), r"b\.npz: 5 training clips .* are missing \('0001_0', '0001_1', '0001_2', \.\.\.\)"),
        (replace(ONE, test_clip_id=np.array(["x", *ONE.test_clip_id[1:]])), r"b\.npz: 1 test clips .*'0054_0'"),
        (replace(ONE, classes=np.array(list("abcde"))), r"b\.npz: its class list differs .* at class 0 \('a', not"),
        (replace(ONE, classes=ONE.classes[::-1]), r"b\.npz: its class list differs"),
        (replace(ONE, fold=np.zeros(200)), r"b\.npz: clip '0001_1' has another fold"),
        (replace(ONE, label=(ONE.label + 1) % 5), r"b\.npz: clip '0001_0' has another label"),
    ],
)
def test_entries_that_do_not_fit_are_named(tmp_path, other, message):
    with pytest.raises(InputError, match=message):
        entries_of(tmp_path, {"a": an_entry(1, 1), "b": other})


def test_an_entry_with_more_clips_is_named(tmp_path):
    with pytest.raises(InputError, match=r"b\.npz: 5 training clips are not in .*a\.npz \('0001_0'"):
        entries_of(tmp_path, {"a": without(ONE, 5), "b": an_entry(1, 1)})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"clip_id": np.array(["0001_1", *ONE.clip_id[1:]])}, "bad.npz: clip_id '0001_1' comes 2 times"),
        ({"test_clip_id": np.array(["0054_1", *ONE.test_clip_id[1:]])}, "bad.npz: test_clip_id '0054_1' comes 2"),
        ({"logits": np.where(np.arange(200)[:, None] == 7, np.nan, ONE.logits)}, "bad.npz: logits of clip '0001_7'"),
        ({"logits": np.where(np.arange(200)[:, None] == 9, np.inf, ONE.logits)}, "bad.npz: logits of clip '0001_9'"),
        ({"test_logits": np.full((4, 50, 5), -np.inf)}, "bad.npz: test_logits of clip '0054_0' is not finite"),
    ],
)
def test_a_file_that_breaks_the_contract_is_named(tmp_path, changes, message):
    oof = replace(ONE, **changes)
    np.savez(tmp_path / "bad.npz", **vars(oof))
    with pytest.raises(InputError, match=message):
        read_entries([tmp_path / "bad.npz"])


def test_no_entry_and_other_folds_are_refused(workdir):
    with pytest.raises(InputError, match="no entries to blend"):
        read_entries([])
    prepared_run(1)
    path = oof_npz("tiny", "entry0")
    path.with_suffix(".json").write_text('{"folds_sha256": "of another folds file"}')
    with pytest.raises(InputError, match=r"entry0\.npz: made with other folds than folds/tiny\.csv"):
        read_entries([path], "tiny")


def test_the_folds_file_says_which_clips_there_must_be(workdir):
    prepared_run(1)
    path = oof_npz("tiny", "entry0")
    write_oof(path, without(read_oof(path), 1))
    with pytest.raises(InputError, match=r"entry0\.npz: 1 training clips of folds/tiny\.csv are missing"):
        read_entries([path], "tiny")


def test_tail_models_of_one_part_are_averaged_and_ordered(tmp_path):
    base = an_entry(1, 1)
    entries = entries_of(tmp_path, {"a": base})
    for name, tail, seed in (("m_part1", [3], 1), ("m_part2", [3, 4], 2), ("h_part2", [3, 4], 3)):
        write_oof(tmp_path / f"{name}.npz", shuffled(part_of(base, tail, 2, seed), seed))
    parts = read_parts(sorted(tmp_path.glob("*_part*.npz")), entries)
    assert parts.names == ("part2", "part1")
    assert parts.tails[0].classes.tolist() == [3, 4] and parts.tails[1].classes.tolist() == [3]
    ones = [read_oof(tmp_path / f"{name}_part2.npz") for name in "mh"]
    clip = "0001_17"
    expected = np.zeros(3)
    for oof in ones:
        row = np.exp(oof.logits[oof.clip_id.tolist().index(clip)].astype(float))
        expected += row / row.sum() / 2
    row = entries.clip_id.tolist().index(clip)
    np.testing.assert_allclose(parts.tails[0].probs[row], expected, rtol=1e-5)
    assert parts.test_tails[0].probs.shape == (50, 3)
    assert read_parts([], entries) is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda oof: replace(oof, classes=np.array(["class 3", "class 4", "rest"])), "OTHERS last, got 2 and 'rest'"),
        (lambda oof: replace(oof, classes=np.array(["class 3", "wave", "OTHERS"])), "got 'wave' among them"),
        (lambda oof: replace(oof, label=np.zeros(200, int)), "clip '0001_0' has another label"),
        (lambda oof: without(oof, 1), "1 training clips .* are missing"),
    ],
)
def test_tail_models_that_do_not_fit_are_named(tmp_path, change, message):
    base = an_entry(1, 1)
    entries = entries_of(tmp_path, {"a": base})
    path = tmp_path / "m_part2.npz"
    write_oof(path, change(part_of(base, [3, 4], 1, 0)))
    with pytest.raises(InputError, match=rf"m_part2\.npz: .*{message}"):
        read_parts([path], entries)


def test_tail_models_are_no_entries(workdir):
    folder = oof_npz("r", "a").parent
    folder.mkdir(parents=True)
    for name in ("gecn", "m3cn", "m3cn_part3", "m3cn_crt"):
        (folder / f"{name}.npz").touch()
    paths, parts = entry_paths("r")
    assert [path.stem for path in paths] == ["gecn", "m3cn", "m3cn_crt"]
    assert parts == [Path("oof/r/m3cn_part3.npz")]
    assert [path.stem for path in entry_paths("r", "m3cn,gecn")[0]] == ["gecn", "m3cn"]
