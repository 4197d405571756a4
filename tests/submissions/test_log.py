"""The log of submission files: python -m pytest tests/submissions/test_log.py"""

import csv
import shlex

import pytest

from miga.errors import InputError
from miga.paths import submission_csv, submissions_log
from submissions.log import COLUMNS, log_submission, main, read_log, submit_line


def rows() -> list[dict]:
    with open(submissions_log(), newline="") as file:
        return list(csv.DictReader(file))


def test_each_content_is_logged_once_and_filled_in_scores_stay(workdir):
    path = submission_csv("tiny", "track1")
    path.parent.mkdir(parents=True)
    path.write_text("Id,Target\na,1\n")
    log_submission(path, "tiny", 1, 0.6123)
    submissions_log().write_text(submissions_log().read_text()[:-1] + "0.7025\n")
    before = submissions_log().read_bytes()
    log_submission(path, "tiny", 1, 0.6123)
    assert submissions_log().read_bytes() == before
    path.write_text("Id,Target\na,2\n")
    log_submission(path, "tiny", 1, 0.62)
    first, second = rows()
    assert tuple(first) == COLUMNS and first["leaderboard"] == "0.7025" and second["leaderboard"] == ""
    assert (first["file"], first["clips"], first["estimate"]) == ("submissions/tiny/track1.csv", "1", "0.61230")
    assert first["sha256"] != second["sha256"]


def test_a_log_of_another_form_is_refused(workdir):
    submissions_log().parent.mkdir()
    submissions_log().write_text("file,score\n")
    (workdir / "a.csv").write_text("x")
    with pytest.raises(InputError, match=r"submissions/log\.csv: expected the columns made_at,run"):
        log_submission(workdir / "a.csv", "tiny", 1, 0.5)


def test_the_line_to_submit_survives_a_shell(workdir):
    path = workdir / "a b.csv"
    path.write_text("x")
    words = shlex.split(submit_line(path, 0.70254, competition="c"))
    assert words[:3] == ["kaggle", "competitions", "submit"] and words[words.index("-f") + 1] == str(path)
    assert words[words.index("-m") + 1].endswith("estimated 70.25")


def test_a_score_is_typed_in(workdir, capsys):
    path = submission_csv("tiny", "track1")
    path.parent.mkdir(parents=True)
    for content, estimate in (("a,1", 0.6), ("a,2", 0.7)):
        path.write_text(f"Id,Target\n{content}\n")
        log_submission(path, "tiny", 1, estimate)
    main(["--file", str(path), "--score", "0.7123"])
    assert [row["leaderboard"] for row in rows()] == ["", "0.71230"]
    log_submission(path, "tiny", 1, 0.7)
    assert len(rows()) == 2
    for score in ("71.23", "-1", "seven", "nan"):
        with pytest.raises(InputError, match=r"expected a share from 0 to 1; write 71\.23 % as 0\.7123"):
            main(["--file", str(path), f"--score={score}"])
    path.write_text("Id,Target\na,3\n")
    with pytest.raises(InputError, match=r"has no row for submissions/tiny/track1\.csv as it is now"):
        main(["--file", str(path), "--score", "0.5"])
    with pytest.raises(InputError, match=r"--file nowhere\.csv: no such file"):
        main(["--file", "nowhere.csv", "--score", "0.5"])


def test_a_wrong_score_in_the_csv_is_named_with_its_row(workdir):
    submissions_log().parent.mkdir()
    submissions_log().write_text(",".join(COLUMNS) + "\nt,r,f,s,1,0.5,0.6\nt,r,f,s,1,0.5,60\n")
    with pytest.raises(InputError, match=r"log\.csv, row 3: leaderboard is '60'"):
        read_log(submissions_log())
