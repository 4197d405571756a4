"""Estimates and how sure they are: python -m pytest tests/ensemble/test_forecast.py"""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.competition import Setting
from benchmarks.estimate_bias import mean_and_error, play
from ensemble.blend import main as blend_main
from ensemble.calibration import best_temperature, cross_calibrated, expected_calibration_error
from ensemble.forecast import best_single, group_recalls, main
from ensemble.forecast import test_people as new_people
from ensemble.mixture import softmax
from miga.errors import InputError
from miga.files import file_sha256
from miga.paths import crossfit_npz, folds_csv, forecast_json, forecast_txt, oof_npz, weights_json
from oof.artifacts import read_oof, write_oof
from tests.ensemble.planted import an_entry, entries_of, prepared_run


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
    text = capsys.readouterr().out
    assert "cross-fitted by 3 folds of subjects" in text and "6 clips, taken as 1 subjects" in text
    assert "Forecast of the leaderboard" in text and "a video stands" not in text and "flatters" not in text
    first = forecast_json("tiny").read_bytes(), forecast_txt("tiny").read_bytes()
    facts = json.loads(first[0])
    low, high = facts["leaderboard"]["interval"]
    assert low <= facts["leaderboard"]["expected"] <= high
    assert facts["num_subjects"] == 4 and facts["num_test_subjects"] == 1 and facts["num_test_clips"] == 6
    assert facts["leaderboard"]["new_clips"] == [6]
    assert {"best single", "equal weights", "tuned weights", "as shipped"} <= facts["systems"].keys()
    assert facts["adds"].keys() == {"entry0", "entry1", "entry2"}
    chance = facts["chance_of_beating"]
    assert chance["as shipped"]["best single"] + chance["best single"]["as shipped"] == pytest.approx(1)
    assert np.allclose(np.diag(facts["error_correlation"]["matrix"]), 1)
    assert set(facts["calibration"]["as shipped"]) == {"before", "after"}
    main(["--run", "tiny"])
    assert (forecast_json("tiny").read_bytes(), forecast_txt("tiny").read_bytes()) == first


def with_other_folds(change) -> None:
    """The folds file of the tiny run changed, and entries that were made with it."""
    folds = pd.read_csv(folds_csv("tiny"), dtype=str, keep_default_na=False)
    change(folds).to_csv(folds_csv("tiny"), index=False)


def test_unknown_people_are_counted_as_videos_and_that_is_said(workdir, capsys):
    prepared_run(2)
    with_other_folds(lambda folds: folds.assign(subject_id=""))
    blend_main(["--run", "tiny", "--trials", "10"])
    main(["--run", "tiny"])
    text = capsys.readouterr().out
    assert "folds of videos" in text and "a video stands for a person" in text
    assert "with fewer than three folds the choice of what ships is not held out" in text


def test_without_test_clips_the_forecast_is_for_one_new_person(workdir, capsys):
    prepared_run(2)
    blend_main(["--run", "tiny", "--trials", "10"])
    with_other_folds(lambda folds: folds[folds.fold != "-1"])
    for name in ("entry0", "entry1"):
        oof = read_oof(oof_npz("tiny", name))
        none = {
            "test_clip_id": oof.test_clip_id[:0],
            "test_logits": oof.test_logits[:, :0],
            "test_has_input": oof.test_has_input[:0],
        }
        write_oof(oof_npz("tiny", name), replace(oof, **none))
    facts = json.loads(weights_json("tiny").read_text())
    facts["made_from"] |= {name: file_sha256(oof_npz("tiny", name)) for name in ("entry0", "entry1")}
    weights_json("tiny").write_text(json.dumps(facts))
    main(["--run", "tiny"])
    assert "no test clips, so the forecast is for one new subject of" in capsys.readouterr().out
    facts = json.loads(forecast_json("tiny").read_text())
    assert facts["num_test_subjects"] == 0 and len(facts["leaderboard"]["new_clips"]) == 1


def test_unnamed_test_people_are_as_many_and_as_unequal_as_the_training_people(workdir):
    prepared_run(1)
    with_other_folds(lambda folds: folds.assign(subject_id=folds.subject_id.where(folds.fold != "-1", "")))
    subject = np.repeat(["a", "b", "c"], [1, 2, 9])
    num_test = (pd.read_csv(folds_csv("tiny")).fold < 0).sum()
    assert new_people("tiny", subject, "subject").sum() == num_test
    assert len(new_people("tiny", subject, "subject")) == max(1, round(num_test / 4))


def test_the_former_name_of_the_command_still_works(workdir):
    prepared_run(2, num_folds=3)
    blend_main(["--run", "tiny", "--trials", "10"])
    root = str(Path(__file__).parents[2])
    command = [sys.executable, "-m", "ensemble.truth", "--run", "tiny"]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": root}, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("note: this command is now called ensemble.forecast\n")
    assert forecast_json("tiny").exists()


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
