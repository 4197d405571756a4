"""Filling a published table: python -m pytest -n 0 tests/papers/test_table.py"""

import importlib
import json

import pytest

from miga.engine.options import Options
from miga.engine.steps import Plan, Step
from miga.errors import InputError
from papers import table
from papers.table import Paper, Reached, Row, chosen_rows, format_rows, plan_of, tasks_for, why_empty, write_table

PAPERS = ("s1", "s2", "s3", "s4", "posec3d", "video_swin", "winner2023")


def done(options):
    return Reached({"top1": 0.5, "top5": 0.9}, {"top1": 0.25, "top5": 0.75}, "Measured twice.")


OURS = Row("a", "ours", "Table 1", {"top1": 61.5}, ("folds",), done, "A note.")
THEIRS = Row("b", "another", "Table 1", {"top1": 60.0, "top5": 80.0}, note="Not ours.")


def test_rows_are_chosen_by_key():
    assert chosen_rows([OURS, THEIRS], None) == [OURS, THEIRS]
    assert chosen_rows([OURS, THEIRS], "b") == [THEIRS]
    with pytest.raises(InputError, match="--rows c: no such row; the rows are a, b"):
        chosen_rows([OURS, THEIRS], "a,c")


def test_a_row_needs_its_steps_and_what_they_wait_for():
    plan = Plan([
        Step("make", "m", (), writes=("x",)),
        Step("train", "m", (), reads=("x",), writes=("y",), num_folds=2, fold_writes=("y{fold}",)),
        Step("other", "m", ()),
    ])  # fmt: skip
    row = Row("r", "", "", {}, ("train",), done)
    assert tasks_for(plan, row) == {"make", "train", "train.0", "train.1"}
    assert tasks_for(plan, Row("r", "", "", {}, ("gone",), done)) == set()
    assert "no step gone" in why_empty(plan, Row("r", "", "", {}, ("gone",), done))
    assert why_empty(plan, row) == "" and why_empty(plan, THEIRS) == "Not ours."


def test_a_row_whose_step_is_left_out_says_why():
    plan = Plan([Step("train", "m", (), why_left_out=lambda: "the recordings have no pictures")])
    assert why_empty(plan, Row("r", "", "", {}, ("train",), done)) == "the recordings have no pictures"


def test_the_table_shows_published_beside_reached():
    lines = format_rows([(OURS, done(None), "A note."), (THEIRS, None, "Not ours.")])
    assert lines[2].split() == ["a", "ours", "61.50", "-", "|", "50.00", "90.00", "|", "25.00", "75.00", "[1]"]
    assert lines[3].split() == ["b", "another", "60.00", "80.00", "|", "-", "-", "|", "-", "-", "[2]"]
    assert lines[-2:] == ["  [1] A note.", "  [2] Not ours."]


def test_scores_of_people_that_were_trained_on_are_marked_in_the_file(workdir, capsys):
    row = Row("frames", "frames", "section 4", {"top1": 47.08, "fps": 130.6}, (), done)
    reached = Reached(None, None, "", {"top1": 0.3, "fps": 800.0})
    write_table(Options("r"), Paper("s4", "Report", lambda options: [row]), [(row, reached, "same people")], [])
    content = json.loads((workdir / "report/r/papers/s4.json").read_text())["rows"][0]
    assert content["out_of_fold"] is None and content["same_people"] == {"top1": 0.3, "fps": 800.0}
    assert "30.00" in capsys.readouterr().out and "800.00" in (workdir / "report/r/papers/s4.txt").read_text()


@pytest.mark.parametrize("flag", ["--overwrite", "--only=folds", "--fold=1", "--dry-run"])
def test_options_that_mean_a_part_of_the_run_are_refused(flag, workdir):
    with pytest.raises(InputError, match="not an option of a table; python -m pipeline has it"):
        table.fill(Paper("x", "X", lambda options: [OURS]), ["--run", "r", flag])


@pytest.mark.parametrize("profile", ["demo", "bench", "paper"])
@pytest.mark.parametrize("name", PAPERS)
def test_every_row_of_every_paper_can_be_made(name, profile):
    paper = importlib.import_module(f"papers.{name}").PAPER
    options = Options("r", profile, track1="a", num_folds=3)
    rows = list(paper.rows(options))
    keys = [row.key for row in rows]
    assert len(set(keys)) == len(keys) and paper.name == name
    plan = plan_of(options, rows)
    assert plan.minutes_to_the_end  # it is a list without circles
    for row in rows:
        assert (row.reached is None) == (not row.steps)
        if row.reached is not None:
            assert tasks_for(plan, row), f"{row.key}: {why_empty(plan, row)}"


def test_what_tables_make_lies_where_no_blend_looks():
    options = Options("r", "demo", track1="a", num_folds=2)
    for name in PAPERS:
        for row in importlib.import_module(f"papers.{name}").PAPER.rows(options):
            for step in row.steps:
                if isinstance(step, Step):
                    assert not any(path.startswith("oof/r/") and "/papers/" not in path for path in step.writes)
