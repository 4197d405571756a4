"""The long-tailed cut of a run, and the measure of what helps it: python -m pytest tests/benchmarks"""

import numpy as np
import pandas as pd
import pytest

from benchmarks.long_tail import choose, cross_fitted, main
from benchmarks.long_tail_cut import SHARES, kept_rows
from benchmarks.long_tail_cut import main as cut_main
from ensemble.parts import OTHERS
from miga.clips import load_clips
from miga.errors import InputError
from miga.paths import folds_csv, oof_npz
from oof.artifacts import Oof, write_oof
from tests.tiny import CLASSES, tiny_clips, write_clips


def test_a_cut_keeps_the_stated_shares_and_every_test_clip():
    clips = tiny_clips(num_train=700, num_test=20)
    rows = kept_rows(clips, seed=3, at_least=4)
    kept, whole = clips.table.iloc[rows], clips.table
    assert (np.diff(rows) > 0).all()
    assert set(kept.clip_id[kept.split == "test"]) == set(whole.clip_id[whole.split == "test"])
    counts = whole.label[whole.split == "train"].value_counts()
    left = kept.label[kept.split == "train"].value_counts()
    groups = np.random.default_rng(3).permutation(4)  # four classes: one a group
    for share, label in zip(SHARES, groups, strict=True):
        assert left[label] == max(4, round(share * counts[label]))
    again, other = kept_rows(clips, 3, 4), kept_rows(clips, 4, 4)
    assert np.array_equal(rows, again) and not np.array_equal(rows, other)


def test_a_cut_is_a_run_of_its_own(workdir):
    write_clips(tiny_clips(num_train=60), "tiny")
    cut_main(["--run", "tiny", "--out", "tail", "--keep-at-least", "2"])
    whole, cut = load_clips("tiny", "track1"), load_clips("tail", "track1")
    assert 8 <= len(cut) < len(whole) and cut.meta["content_sha256"] != whole.meta["content_sha256"]
    for row, clip_id in enumerate(cut.table.clip_id):
        np.testing.assert_array_equal(cut.joints_of(row), whole.joints_of(whole.rows_of(np.array([clip_id]))[0]))
    with pytest.raises(InputError, match="is the run itself"):
        cut_main(["--run", "tiny", "--out", "tiny"])


def test_a_fold_is_never_scored_by_a_setting_chosen_on_it():
    """A setting that is right on one fold alone looks best only where that fold takes part in the choice."""
    label, fold = np.tile([0, 1], 6), np.repeat([0, 1, 2], 4)
    right, wrong = np.eye(2)[label], np.eye(2)[1 - label]
    plain = np.eye(2)[np.where(np.arange(12) % 4 < 3, label, 1 - label)]
    lucky = np.where((fold == 2)[:, None], right, wrong)
    settings = [("plain", plain, plain), ("lucky", lucky, lucky)]
    assert choose(settings, label, fold == 2) == 1 and choose(settings, label, fold < 2) == 0
    np.testing.assert_array_equal(cross_fitted(settings, label, fold), plain)


def plant(name: str, classes: tuple[str, ...], label: np.ndarray, probs: np.ndarray) -> None:
    """Half of the clips train, half test; rows in another order in every file."""
    half = len(label) // 2
    order = np.random.default_rng(len(name)).permutation(half)
    ids = np.array([f"{i}" for i in range(2 * half)])
    logits = np.log(probs)
    write_oof(
        oof_npz("planted", name),
        Oof(
            clip_id=ids[:half][order],
            fold=(np.arange(half) % 4)[order],
            label=label[:half][order],
            logits=logits[:half][order],
            classes=np.array(classes),
            test_clip_id=ids[half:][order],
            test_logits=np.stack([logits[half:][order]] * 4),
        ),
    )


def test_a_tail_model_that_knows_raises_the_class_average(workdir, capsys):
    """The entry takes every clip of class 3 for class 0; its tail model does not."""
    label = np.tile(np.repeat(np.arange(4), [40, 30, 30, 4]), 2)
    probs = 0.9 * np.eye(4)[np.where(label == 3, 0, label)] + 0.025
    tail = 0.9 * np.eye(2)[np.where(label == 3, 0, 1)] + 0.05
    plant("a", CLASSES, label, probs)
    plant("a_part1", (CLASSES[3], OTHERS), np.where(label == 3, 0, 1), tail)
    plant("a_crt", CLASSES, label, probs)
    write_clips(tiny_clips(), "planted")
    folds_csv("planted").parent.mkdir()
    ids = [str(i) for i in range(104, 208)]
    table = load_clips("planted", "track1").table.iloc[:1]
    table = pd.concat([table.assign(clip_id=id_, split="test") for id_ in ids])
    table.to_csv("clips/planted/track1/clips.csv", index=False)
    pd.DataFrame({"Id": ids, "Target": label[104:]}).to_csv("answers.csv", index=False)
    folds = pd.DataFrame({"clip_id": [str(i) for i in range(208)], "video_id": "v", "subject_id": "", "label": label})
    folds["fold"] = np.where(np.arange(208) < 104, np.arange(208) % 4, -1)
    folds.to_csv(folds_csv("planted"), index=False)
    main(["--run", "planted", "--entry", "a", "--answers", "answers.csv"])
    lines = {line[2:26].strip(): line for line in capsys.readouterr().out.splitlines() if "+0" in line or "-0" in line}
    assert "0.962  (+0.000, 0.000)      0.750   (+0.000)" in lines["a as it is"]
    for way in ("parts, R1", "parts, R4, alphas 1"):
        assert "1.000  (+0.038, 0.000)      1.000   (+0.250)  |  1.000    1.000    (+0.250)" in lines[way]
    assert "(+0.000, 0.000)      0.750   (+0.000)" in lines["cRT, blended"]
