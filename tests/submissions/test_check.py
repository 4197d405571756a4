"""Submission files: python -m pytest tests/submissions"""

import zipfile

import numpy as np
import pytest

from miga.errors import InputError
from submissions.check import check_submission, main
from submissions.track1 import write_track1, write_zip
from tests.tiny import tiny_clips, write_clips


def test_ids_go_in_numeric_order_and_stay_text(tmp_path):
    path = tmp_path / "track1.csv"
    write_track1(path, np.array(["0054_10", "0054_2", "0007_1"]), np.array([3, 31, 0]))
    assert path.read_text() == "Id,Target\n0007_1,0\n0054_2,31\n0054_10,3\n"
    assert "valid, 3 clips" in check_submission(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("Id,Target\na,1\na,2\n", "row 3: id 'a' comes twice"),
        ("Id,Target\na,1\nc,2\n", "row 3: id 'c' is not among"),
        ("Id,Target\na,1\n", "1 ids of .* are missing, first 'b'"),
        ("Id,Class\na,1\nb,1\n", "header is Id,Class, that of .* is Id,Target"),
        ("a,1\nb,1\n", "header is missing .*, that of .* is Id,Target"),
        ("Id,Target\na,1,7\nb,1,7\n", "row 2: 3 cells, expected 2 as in row 1"),
        ("Id,Target\nb,1\na,1\n", "row 2: ids are in another order"),
        ("Id,Target\na,1.0\nb,1\n", "row 2: Target is '1.0', expected a whole number"),
        ("Id,Target\na,\nb,1\n", "row 2: Target is ''"),
        ("Id\na\n", "expected at least 2 columns"),
        ("", "the file is empty, expected a csv"),
        ("Id,Target\na,\u0663\nb,1\n", "expected a whole number"),
    ],
)
def test_what_a_server_would_refuse_is_named(tmp_path, content, message):
    (tmp_path / "sample.csv").write_text("Id,Target\na,0\nb,0\n")
    (tmp_path / "mine.csv").write_text(content)
    with pytest.raises(InputError, match=message):
        check_submission(tmp_path / "mine.csv", tmp_path / "sample.csv")


def test_segments_are_checked(tmp_path):
    path = tmp_path / "track2.csv"
    path.write_text("video,class,start,end,score\nSample0036,8,10,20,0.5\n")
    assert "valid, 1 segments in 1 videos, frames counted from 1" in check_submission(path)
    path.write_text("video,class,start,end,score\nSample0036,8,30,20,0.5\n")
    with pytest.raises(InputError, match="row 2: start 30 is after end 20"):
        check_submission(path)
    path.write_text("video,start,end\nSample0036,30,20\n")
    with pytest.raises(InputError, match="column 'class' is missing"):
        check_submission(path)


def test_a_sample_with_other_ids_is_refused_before_any_training(workdir, capsys):
    write_clips(tiny_clips(), "tiny")
    (workdir / "sample.csv").write_text("Id,Target\n" + "".join(f"0054_{i},0\n" for i in range(6)))
    main(["--run", "tiny", "--sample", "sample.csv"])
    assert "its 6 ids are the test clips" in capsys.readouterr().out
    (workdir / "sample.csv").write_text("Id,Target\n0099_0,0\n")
    with pytest.raises(InputError, match="row 2: id '0099_0' is not among the test clips of run tiny"):
        main(["--run", "tiny", "--sample", "sample.csv"])


def test_the_2023_zip_holds_one_headerless_csv_and_repeats(tmp_path):
    ids, labels = np.array(["0004_10", "0004_2"]), np.array([30, 7])
    for name in ("a.zip", "b.zip"):
        write_zip(tmp_path / name, ids, labels)
    with zipfile.ZipFile(tmp_path / "a.zip") as file:
        assert file.namelist() == ["Submission.csv"]
        assert file.read("Submission.csv") == b"0004_2,7\n0004_10,30\n"
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_the_form_of_2023_keeps_the_clip_on_its_first_line(tmp_path):
    path = tmp_path / "Submission.csv"
    path.write_text("0004_0,30\n0004_1,30\n0004_10,7\n")
    assert check_submission(path).endswith("valid, 3 clips, 2 classes used, no header (the form of 2023)")
    write_zip(tmp_path / "Submission.zip", np.array(["0004_0", "0004_1"]), np.array([30, 7]))
    assert "valid, 2 clips" in check_submission(tmp_path / "Submission.zip")
    filled = tmp_path / "filled.csv"
    write_track1(filled, np.array(["0004_10", "0004_0", "0004_1"]), np.array([1, 2, 3]), path)
    assert filled.read_text() == "0004_0,2\n0004_1,3\n0004_10,1\n"
    assert "valid, 3 clips" in check_submission(filled, path)


def test_what_is_no_csv_is_named(tmp_path):
    with pytest.raises(InputError, match=r"a\.csv: no such file"):
        check_submission(tmp_path / "a.csv")
    with pytest.raises(InputError, match="a folder, expected a csv"):
        check_submission(tmp_path)
    (tmp_path / "a.csv").write_bytes("Id,Target\na,1\n".encode("utf-16"))
    with pytest.raises(InputError, match="not text in UTF-8"):
        check_submission(tmp_path / "a.csv")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr("a.csv", "Id,Target\n")
        file.writestr("b.csv", "Id,Target\n")
    with pytest.raises(InputError, match="2 files in the zip"):
        check_submission(tmp_path / "a.zip")
