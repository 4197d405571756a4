"""The command that blends: python -m pytest tests/ensemble/test_blend.py"""

import json
from dataclasses import replace

import numpy as np
import pytest

from ensemble.blend import main
from ensemble.stack import main as stack_main
from ensemble.truth import main as truth_main
from folds.make import load_folds
from miga.clips import load_clips
from miga.errors import InputError
from miga.paths import (
    clips_dir,
    crossfit_npz,
    folds_csv,
    oof_npz,
    submission_csv,
    submission_zip,
    submissions_log,
    weights_json,
)
from oof.artifacts import read_oof, write_oof
from report.summary import main as summary_main
from report.summary import track1_rows
from tests.ensemble.planted import part_of, prepared_run, shuffled

QUICK = ["--run", "tiny", "--trials", "12"]


def test_command_writes_a_valid_csv_once(workdir, capsys):
    prepared_run()
    main(QUICK)
    output = capsys.readouterr().out
    assert "estimate: as shipped" in output and "kaggle competitions submit -c " in output
    first = submission_csv("tiny", "track1").read_bytes()
    assert first.startswith(b"Id,Target\n0054_0,")
    facts = json.loads(weights_json("tiny").read_text())
    assert {"best_single", "equal", "tuned", "cross_fitted", "estimate", "blend"} <= facts.keys()
    assert np.isclose(sum(row["weight"] for row in facts["blend"].values()), 1)
    main(QUICK)
    assert "nothing to do" in capsys.readouterr().out
    weights, log = weights_json("tiny").read_bytes(), submissions_log().read_bytes()
    main([*QUICK, "--tune"])
    assert submission_csv("tiny", "track1").read_bytes() == first
    assert weights_json("tiny").read_bytes() == weights and submissions_log().read_bytes() == log


def test_shuffled_files_give_the_same_bytes(workdir):
    prepared_run(3, strength=1.0)
    write_oof(oof_npz("tiny", "entry0_part1"), part_of(read_oof(oof_npz("tiny", "entry0")), [3], 3, 0))
    main(QUICK)
    made = [path.read_bytes() for path in (submission_csv("tiny", "track1"), crossfit_npz("tiny"))]
    decided = json.loads(weights_json("tiny").read_text())
    for seed, path in enumerate(sorted(oof_npz("tiny", "a").parent.glob("*.npz"))):
        write_oof(path, shuffled(read_oof(path), seed))
    main(QUICK)
    assert [path.read_bytes() for path in (submission_csv("tiny", "track1"), crossfit_npz("tiny"))] == made
    again = json.loads(weights_json("tiny").read_text())
    assert decided.pop("made_from") != again.pop("made_from")  # the files did change
    assert decided == again


def test_sample_header_and_order_are_kept(workdir):
    prepared_run(1)
    (workdir / "sample.csv").write_text("clip,gesture\n" + "".join(f"0054_{i},0\n" for i in (3, 1, 0, 2, 5, 4)))
    main([*QUICK, "--sample", "sample.csv"])
    lines = submission_csv("tiny", "track1").read_text().splitlines()
    assert lines[0] == "clip,gesture" and [line.split(",")[0][-1] for line in lines[1:]] == list("310254")


def test_the_2023_zip_is_made_on_request(workdir):
    prepared_run(1)
    main(QUICK)
    assert not submission_zip("tiny").exists()
    main([*QUICK, "--zip"])
    assert submission_zip("tiny").exists()
    assert len(submissions_log().read_text().splitlines()) == 3  # header, csv, zip


def test_the_report_reads_what_the_blend_wrote(workdir):
    prepared_run(2)
    main(QUICK)
    rows = track1_rows("tiny", None)
    shipped = json.loads(weights_json("tiny").read_text())["shipped"]
    assert list(rows) == ["entry0", "entry1", f"blend ({shipped})"]


def test_one_process_on_a_journal_file_decides_as_in_memory(workdir):
    prepared_run(2, num_folds=2, strength=1.0)
    main(QUICK)
    decided = weights_json("tiny").read_bytes()
    main([*QUICK, "--tune", "--study", "search.log"])
    assert (workdir / "search.log").stat().st_size > 0
    assert weights_json("tiny").read_bytes() == decided


def test_named_models_only(workdir):
    prepared_run(3)
    main([*QUICK, "--models", "entry2,entry0"])
    assert json.loads(weights_json("tiny").read_text())["entries"] == ["entry0", "entry2"]
    with pytest.raises(InputError, match=r"oof/tiny/entry9\.npz: no such file"):
        main([*QUICK, "--models", "entry9"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--objective", "top3"], "--objective top3: expected top1, class_average or mix:0.7"),
        (["--workers", "2"], "--workers 2: processes share a journal file; add --study FILE"),
        (["--trials", "0"], "--trials 0 --workers 1: expected 1 or more"),
    ],
)
def test_wrong_arguments_are_named(workdir, arguments, message):
    with pytest.raises(InputError, match=message):
        main([*QUICK, *arguments])


def without_test_clips() -> None:
    """Take the test clips out of the prepared run and its entry."""
    clips = load_clips("tiny", "track1")
    clips.table[clips.table.split == "train"].to_csv(clips_dir("tiny", "track1") / "clips.csv", index=False)
    folds = load_folds("tiny")
    folds[folds.fold >= 0].to_csv(folds_csv("tiny"), index=False)
    for path in oof_npz("tiny", "any").parent.glob("*.npz"):
        oof = read_oof(path)
        none = {
            "test_clip_id": oof.test_clip_id[:0],
            "test_logits": oof.test_logits[:, :0],
            "test_has_input": oof.test_has_input[:0],
        }
        write_oof(path, replace(oof, **none))


def test_a_run_without_test_clips_has_every_figure_and_no_submission(workdir, capsys):
    prepared_run(2)
    without_test_clips()
    stack_main(["--run", "tiny"])
    main(QUICK)
    assert "run tiny has no test clips, so there is no submission" in capsys.readouterr().out
    assert not submission_csv("tiny", "track1").exists() and not submissions_log().exists()
    main(QUICK)
    assert "nothing to do" in capsys.readouterr().out
    truth_main(["--run", "tiny"])
    summary_main(["--run", "tiny"])
    assert "blend (" in capsys.readouterr().out
    with pytest.raises(InputError, match="--zip: run tiny has no test clips"):
        main([*QUICK, "--zip"])
    (workdir / "sample.csv").write_text("Id,Target\n0054_0,0\n")
    with pytest.raises(InputError, match=r"'0054_0' is not among the predicted test clips \(there are none\)"):
        main([*QUICK, "--sample", "sample.csv"])


@pytest.mark.parametrize("sample", ["nope.csv", "oof"])
def test_a_sample_that_cannot_be_read_is_told_before_anything_else(workdir, sample):
    prepared_run(1)
    with pytest.raises(InputError, match=f"{sample}: .*, expected a csv"):
        main([*QUICK, "--sample", sample])
    assert not weights_json("tiny").exists()


def test_an_entry_of_another_framework_may_have_one_slice_and_a_json_of_its_own(workdir):
    prepared_run(2)
    path = oof_npz("tiny", "entry1")
    oof = read_oof(path)
    write_oof(path, replace(oof, test_logits=oof.test_logits[:1]))
    path.with_suffix(".json").write_text('{"epochs": 3}')
    stack_main(["--run", "tiny"])
    main(QUICK)
    assert submission_csv("tiny", "track1").exists()


@pytest.mark.parametrize("damage", [b"", b'{"entries": [', b"[1, 2]"])
def test_damaged_facts_are_named(workdir, damage):
    prepared_run(1)
    main(QUICK)
    weights_json("tiny").write_bytes(damage)
    with pytest.raises(InputError, match=r"weights\.json: .*--overwrite to blend again"):
        main(QUICK)
    with pytest.raises(InputError, match=r"weights\.json: .*ensemble\.blend --run tiny --overwrite"):
        truth_main(["--run", "tiny"])
    main([*QUICK, "--overwrite"])
    crossfit_npz("tiny").write_bytes(damage)
    with pytest.raises(InputError, match=r"crossfit\.npz: not an npz"):
        truth_main(["--run", "tiny"])
