"""Every kind of wrong folder gives its sentence and writes nothing.

Alone: python -m pytest tests/recordings/test_wrong_folders.py
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from miga.errors import InputError
from recordings.prepare import main
from tests.recordings.on_disk import (
    fails,
    person,
    replace_line,
    write_imigue_video,
    write_rows,
    write_smg,
)

ROOT = Path(__file__).resolve().parents[2]
TRAIN = Path("data/imigue_skeleton_train")


def test_exit_code(workdir):
    """The command line: one sentence on stderr, no traceback, exit code 2."""
    command = [sys.executable, "-m", "recordings.prepare", "--run", "r", "--track1", "nowhere"]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode == 2
    assert done.stderr == f"error: nowhere: no such file or folder, relative to {Path.cwd()}; check the path\n"
    assert not (workdir / "clips").exists()


def test_missing_folder(workdir):
    assert "nowhere: no such file or folder" in fails(path="nowhere")


def test_nothing_known_in_the_folder(workdir):
    (workdir / "data").mkdir()
    assert "no recordings found; expected NNNN_light_hand.csv" in fails()


def test_two_kinds_in_one_folder(data):
    write_smg(data / "smg")
    message = fails()
    assert "more than one kind" in message and "imigue (" in message and "smg (" in message


def test_nothing_given(workdir):
    with pytest.raises(InputError, match="give --track1 PATH, --track2 PATH or both"):
        main(["--run", "r"])


def test_csv_with_100_columns(data):
    path = TRAIN / "0002/0002_light_hand.csv"
    write_rows(path, [range(100)] * 40)
    assert f"{path} line 1: 100 columns, expected at least 106" in fails()


def test_csv_with_a_short_row(data):
    """As a copy that broke off leaves it."""
    path = TRAIN / "0002/0002_light_hand.csv"
    replace_line(path, 40, "39,1,2,3")
    assert f"{path} line 40: 4 columns, expected at least 106" in fails()


def test_csv_with_a_word(data):
    path = TRAIN / "0002/0002_light_hand.csv"
    lines = path.read_text().splitlines()
    cells = lines[6].split(",")
    cells[2] = "left"
    replace_line(path, 7, ",".join(cells))
    assert f"{path} line 7 column 3: expected a number, got 'left'" in fails()


def test_empty_skeleton_csv(data):
    (TRAIN / "0002/0002_light_hand.csv").write_text("")
    assert "0002_light_hand.csv: the file is empty; expected one row a frame" in fails()


def test_label_outside_the_class_list(data):
    write_rows(TRAIN / "0002/0002_label.csv", [(1, 0, 5), (32, 6, 9)])
    assert "0002_label.csv line 2: class 32 is not a class, expected 1..31, 99" in fails()


def test_start_after_end(data):
    write_rows(TRAIN / "0002/0002_label.csv", [(1, 9, 5)])
    assert "0002_label.csv line 1: start 9 is after end 5" in fails()


@pytest.mark.parametrize("row", [(1, 30, 40), (1, -1, 3)])
def test_segment_outside_the_recording(data, row):
    write_rows(TRAIN / "0002/0002_label.csv", [row])
    assert f"frames {row[1]} to {row[2]}, but the recording has frames 0 to 39" in fails()


def test_last_frame_is_inside(data):
    write_rows(TRAIN / "0002/0002_label.csv", [(1, 39, 39)])
    main(["--run", "r", "--track1", "data"])


@pytest.mark.parametrize("row", [(0, 3), (61, 61)])
def test_smg_counts_from_one(workdir, row):
    write_smg(workdir / "data")
    write_rows(workdir / "data/Sample0002/Sample0002_finelabels.csv", [(1, *row)])
    assert f"frames {row[0]} to {row[1]}, but the recording has frames 1 to 60" in fails(track="track2")


@pytest.mark.parametrize("text", ["1;2;3", "1,2", "1,2,3,4", "1,2.5,3", "class,start,end"])
def test_label_row_that_is_not_three_integers(data, text):
    replace_line(TRAIN / "0001/0001_label.csv", 2, text)
    assert f"0001_label.csv line 2: expected three integers class,start,end, got {text!r}" in fails()


@pytest.mark.parametrize("text", ["", "\n\n"])
def test_empty_label_file(data, text):
    (TRAIN / "0002/0002_label.csv").write_text(text)
    assert "0002_label.csv: the label file is empty" in fails()


def test_empty_label_file_smg(workdir):
    write_smg(workdir / "data")
    (workdir / "data/Sample0002/Sample0002_finelabels.csv").write_text("")
    assert "Sample0002_finelabels.csv: the label file is empty" in fails(track="track2")


def test_label_without_recording(data):
    (TRAIN / "0002/0002_light_hand.csv").unlink()
    assert "0002_label.csv: label file without 0002_light_hand.csv; add the recording" in fails()


def test_label_without_recording_smg(workdir):
    write_smg(workdir / "data")
    (workdir / "data/Sample0002/Sample0002_skeleton.csv").unlink()
    assert "no Sample0002_skeleton.csv beside it; add the recording" in fails(track="track2")


def test_training_recording_without_label(data):
    (TRAIN / "0002/0002_label.csv").unlink()
    assert "0002_label.csv: missing beside a training recording" in fails()


def test_one_video_in_two_folders(data):
    write_imigue_video(data, "test", "0002", person(5), [(1, 0, 4)])
    message = fails()
    assert "video 0002 is there twice" in message and "imigue_skeleton_test" in message


def test_smg_columns_and_frame_rate(workdir):
    write_smg(workdir / "data")
    write_rows(workdir / "data/Sample0001/Sample0001_skeleton.csv", [range(274)] * 3)
    write_rows(workdir / "data/Sample0002/Sample0002_data.csv", [(60,)])
    message = fails(track="track2")
    assert "Sample0001_skeleton.csv line 1: 274 columns, expected at least 275" in message
    assert "Sample0002_data.csv line 1: expected numFrames,fps,maxDepth, got '60'" in message


def test_two_subjects_in_one_video(data):
    (data / "subjects.csv").write_text("video_id,subject_id\n0001,A\n0002,B\n0001,C\n")
    assert "subjects.csv line 4: video 0001 has the subjects A and C" in fails()


def test_a_subject_on_both_sides(data):
    (data / "subjects.csv").write_text("video_id,subject_id\n1,A\n2,B\n3,B\n54,B\n")
    assert "subject B is in the train video 0002 and in the test video 0054" in fails()


def test_a_subject_table_of_other_videos(data):
    (data / "subjects.csv").write_text("video_id,subject_id\n71,A\n")
    assert "no row for 4 of 4 videos" in fails()


def test_two_subjects_in_one_video_spelt_differently(data):
    (data / "subjects.csv").write_text("video_id,subject_id\n0001,A\n1,C\n")
    assert "video 1 has the subjects A and C" in fails()


def test_a_video_without_subject(data):
    (data / "subjects.csv").write_text("video_id,subject_id\n1,A\n2,B\n")
    assert "no row for 2 of 4 videos, first 0003; add them" in fails()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("video,subject\n1,A\n", "no column subject_id"),
        ("video_id,subject_id\n1,\n", "line 2: video_id or subject_id is"),
    ],
)
def test_a_broken_subject_table(data, text, expected):
    (data / "people.csv").write_text(text)
    assert expected in fails("--subjects", "data/people.csv")


def test_unknown_test_video(data):
    assert "--test-videos 77: no such video among 4" in fails("--test-videos", "77")


def test_everything_wrong_is_listed_at_once(data):
    """Up to 20 lines, then a count; the first line says how many."""
    write_rows(TRAIN / "0002/0002_label.csv", [(50, 0, 1)] * 24)
    (TRAIN / "0001/0001_light_hand.csv").write_text("")
    message = fails()
    assert message.startswith("25 things are wrong") and "... and 5 more" in message
    assert len(message.splitlines()) == 1 + 20 + 1 + 1
