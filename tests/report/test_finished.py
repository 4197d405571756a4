"""Is a run finished: python -m pytest tests/report/test_finished.py"""

import pytest

from datasets.paths import report_dir, submission_csv
from report.finished import main


@pytest.fixture
def finished_run(workdir):
    for name in ("run.sh", "environment.sh", "requirements.txt", "input/demo/a.csv", "datasets/__init__.py"):
        (workdir / name).parent.mkdir(parents=True, exist_ok=True)
        (workdir / name).write_text("first")
    for track in ("track1", "track2"):
        submission_csv("demo", track).parent.mkdir(parents=True, exist_ok=True)
        submission_csv("demo", track).write_text(track)
    report_dir("demo").mkdir(parents=True)
    (report_dir("demo") / "summary.txt").write_text("the table\n")
    main(["--run", "demo", "--input", "input/demo", "--write", "--", "demo", "4"])
    return workdir


def is_finished(*arguments: str) -> bool:
    try:
        main(["--run", "demo", "--input", "input/demo", "--", *(arguments or ("demo", "4"))])
    except SystemExit as stop:
        assert stop.code == 1
        return False
    return True


def test_a_finished_run_shows_its_table(finished_run, capsys):
    assert is_finished()
    assert capsys.readouterr().out == "the table\nrun demo: everything is done already, nothing to do\n"


@pytest.mark.parametrize(
    "changed", ["run.sh", "datasets/__init__.py", "input/demo/a.csv", "submissions/demo/track1.csv"]
)
def test_a_change_is_noticed(finished_run, changed):
    (finished_run / changed).write_text("second, longer")
    assert not is_finished()


def test_a_lost_file_and_other_arguments_are_noticed(finished_run):
    assert not is_finished("demo", "5")
    submission_csv("demo", "track2").unlink()
    assert not is_finished()
