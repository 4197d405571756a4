"""Estimates and how sure they are: python -m pytest tests/ensemble/test_truth.py"""

import json

import numpy as np
import pytest

from benchmarks.competition import Setting
from benchmarks.estimate_bias import mean_and_error, play
from datasets.errors import InputError
from datasets.paths import crossfit_npz, oof_npz, truth_json, truth_txt
from ensemble.blend import main as blend_main
from ensemble.bootstrap import chance_of_beating, drawn_class_average, drawn_top1, interval, leaderboard_interval
from ensemble.calibration import best_temperature, cross_calibrated, expected_calibration_error
from ensemble.mixture import softmax
from ensemble.truth import best_single, group_recalls, main
from oof.artifacts import read_oof, write_oof
from tests.ensemble.planted import an_entry, entries_of, prepared_run


def test_people_are_drawn_and_not_clips():
    """Ten people whose clips are all right or all wrong: as uncertain as ten coins, however many clips each has."""
    subject = np.repeat(np.arange(10), 100).astype(str)
    right = (np.arange(1000) // 100 % 2 == 0)[None]
    drawn = drawn_top1(right, subject, 10, seed=0)
    assert drawn.mean() == pytest.approx(0.5, abs=0.01)
    assert drawn.std() == pytest.approx(np.sqrt(0.25 / 10), rel=0.05)
    low, high = interval(drawn)
    assert (low, high) == (pytest.approx(0.2, abs=0.01), pytest.approx(0.8, abs=0.01))


def test_the_leaderboard_is_less_sure_than_the_mean_and_least_with_few_test_people():
    subject = np.repeat(np.arange(30), 20).astype(str)
    right = np.random.default_rng(0).random(600) < np.repeat(np.random.default_rng(1).uniform(0.3, 0.9, 30), 20)
    own = np.ptp(interval(drawn_top1(right[None], subject, 30, 0)))
    many, few = (np.ptp(leaderboard_interval(right, subject, n, 0)) for n in (300, 5))
    assert own < many < few


def test_chance_of_beating_on_the_same_people():
    """B is A with three of 1,000 clips more: surer on paired draws than independent ones could be."""
    rng = np.random.default_rng(0)
    subject = rng.integers(0, 50, 1000).astype(str)
    a = rng.random(1000) < 0.7
    b = a.copy()
    b[np.flatnonzero(~a)[:3]] = True
    chance = chance_of_beating(drawn_top1(np.stack([a, b, a]), subject, 50, 0))
    assert chance[1, 0] > 0.9 and chance[1, 0] + chance[0, 1] == pytest.approx(1)
    assert chance[0, 2] == 0.5


def test_class_average_is_drawn_over_the_classes_present():
    subject, labels = np.repeat(np.arange(8), 10).astype(str), np.tile([0, 0, 0, 0, 0, 0, 0, 1, 1, 3], 8)
    right = labels != 1
    assert drawn_class_average(right, labels, subject, 8, 0) == pytest.approx(2 / 3)


def test_calibration_error_by_hand_and_its_cure():
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.6, 0.4]])
    labels = np.array([0, 1, 0, 0])
    assert expected_calibration_error(probabilities, labels) == pytest.approx((abs(0.9 - 0.5) + abs(0.6 - 1)) / 2)
    rng = np.random.default_rng(0)
    true_logits = rng.normal(0, 2, (4000, 4))
    labels = np.array([rng.choice(4, p=p) for p in softmax(true_logits)])
    overconfident = 3 * true_logits
    assert best_temperature(overconfident, labels) == pytest.approx(3, rel=0.1)
    before = expected_calibration_error(softmax(overconfident), labels)
    after = expected_calibration_error(cross_calibrated(overconfident, labels, np.arange(4000) % 4), labels)
    assert before > 0.1 and after < 0.03


def test_groups_of_classes():
    labels = np.repeat([0, 1, 2], [100, 15, 2])
    predicted = np.where(labels == 1, 0, labels)
    assert group_recalls(predicted, labels) == {"head": 1.0, "medium": 0.0, "tail": 1.0}
    assert group_recalls(np.zeros(4, int), np.zeros(4, int)) == {"head": 1.0, "medium": None, "tail": None}


def test_the_best_single_entry_is_chosen_without_the_fold(tmp_path):
    """`lucky` is right on fold 0 only; a choice that looked there would take it for fold 0."""
    oofs = {"steady": an_entry(1.5, 1), "lucky": an_entry(0, 2)}
    perfect = 20 * np.eye(5)[oofs["lucky"].label]
    oofs["lucky"].logits[oofs["lucky"].fold == 0] = perfect[oofs["lucky"].fold == 0]
    entries = entries_of(tmp_path, oofs)
    inside = entries.fold == 0
    np.testing.assert_allclose(best_single(entries)[inside], softmax(entries.logits[0, inside]))


def test_command_writes_one_json_and_one_table(workdir, capsys):
    prepared_run(3, num_folds=3, strength=1.5)
    blend_main(["--run", "tiny", "--trials", "15"])
    main(["--run", "tiny"])
    assert "cross-fitted by 3 folds of subjects" in capsys.readouterr().out
    first = truth_json("tiny").read_bytes(), truth_txt("tiny").read_bytes()
    facts = json.loads(first[0])
    low, high = facts["leaderboard"]["interval"]
    assert low <= facts["leaderboard"]["expected"] <= high
    assert facts["num_subjects"] == 4 and facts["num_test_subjects"] == 1 and facts["num_test_clips"] == 6
    assert {"best single", "equal weights", "tuned weights", "as shipped"} <= facts["systems"].keys()
    assert facts["adds"].keys() == {"entry0", "entry1", "entry2"}
    chance = facts["chance_of_beating"]
    assert chance["as shipped"]["best single"] + chance["best single"]["as shipped"] == pytest.approx(1)
    assert np.allclose(np.diag(facts["error_correlation"]["matrix"]), 1)
    assert set(facts["calibration"]["as shipped"]) == {"before", "after"}
    main(["--run", "tiny"])
    assert (truth_json("tiny").read_bytes(), truth_txt("tiny").read_bytes()) == first


def test_wrong_input_is_named(workdir):
    prepared_run(2)
    with pytest.raises(InputError, match=r"no blend yet; run `python -m ensemble\.blend --run tiny` first"):
        main(["--run", "tiny"])
    blend_main(["--run", "tiny", "--trials", "10"])
    path = oof_npz("tiny", "entry1")
    oof = read_oof(path)
    oof.logits[0] += 1
    write_oof(path, oof)
    with pytest.raises(InputError, match=r"entry1\.npz: changed since the blend"):
        main(["--run", "tiny"])
    crossfit_npz("tiny").unlink()
    with pytest.raises(InputError, match="no blend yet"):
        main(["--run", "tiny"])


def test_the_estimate_is_nearer_to_the_test_than_the_in_sample_figure():
    """Few people and clips, so that overfitting shows; benchmarks/estimate_bias.py is the full measurement."""
    setting = Setting(num_subjects=15, clips_per_subject=20, num_test_subjects=150, num_folds=3)
    outcomes = [play(setting, seed, trials=40) for seed in range(6)]
    honest, error = mean_and_error([one.cross_fitted for one in outcomes])
    in_sample, _ = mean_and_error([one.tuned_in_sample for one in outcomes])
    assert in_sample - honest > 1 and abs(honest) < 2 * error + 0.3
    assert sum(one.inside for one in outcomes) >= 5  # of the stated 95 % intervals
