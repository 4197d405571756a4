"""Every kind of wrong recording gives its sentence and writes nothing, every odd but legal one a defined result.

Alone: python -m pytest tests/datasets/test_wrong_input.py
"""

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from datasets.clips import load_clips
from datasets.errors import InputError
from datasets.prepare import main
from tests.datasets.on_disk import (
    kinect,
    person,
    pyskl_content,
    replace_line,
    write_imigue,
    write_imigue_video,
    write_pickle,
    write_picture,
    write_rows,
    write_smg,
    write_smg_video,
    write_video,
)

ROOT = Path(__file__).resolve().parents[2]
TRAIN = Path("data/imigue_skeleton_train")


@pytest.fixture
def data(workdir):
    write_imigue(workdir / "data")
    return workdir / "data"


def fails(*options: str, track: str = "track1", path: str = "data") -> str:
    """Run the command, expect bad input and nothing written; returns the message."""
    with pytest.raises(InputError) as caught:
        main(["--run", "r", f"--{track}", path, *options])
    assert not list(Path().glob("clips/*/*"))
    return str(caught.value)


def test_exit_code(workdir):
    """The command line: one sentence on stderr, no traceback, exit code 2."""
    command = [sys.executable, "-m", "datasets.prepare", "--run", "r", "--track1", "nowhere"]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode == 2
    assert done.stderr == "error: nowhere: no such file or folder; check the path\n"
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


# RGB


@pytest.mark.parametrize(("name", "content"), [("empty", b""), ("truncated", None)])
def test_broken_video(data, name, content):
    path = write_video(data / "rgb/0002/0002.mp4", 40)
    path.write_bytes(path.read_bytes()[:400] if content is None else content)
    message = fails()
    assert f"{path.relative_to(Path.cwd())}: " in message and "copy it again" in message


def test_video_shorter_than_the_clip(data):
    write_video(data / "rgb/0002/0002.mp4", 20)
    assert "0002.mp4: 20 frames, but clip 0002_0 needs frames 5 to 30 and 20 is not there" in fails()


def test_two_videos_of_one_name(data):
    write_video(data / "rgb/0002/0002.mp4", 40)
    write_video(data / "old/0002/0002.mp4", 40)
    assert "two RGB sources named 0002; remove one of them" in fails()


def test_a_missing_image(data):
    """A folder of images with a hole in the clip."""
    folder = data / "rgb/0002"
    folder.mkdir(parents=True)
    for number in (*range(0, 12), *range(13, 40)):
        write_picture(folder / f"{number:06d}.png")
    assert "rgb/0002: 39 frames, but clip 0002_0 needs frames 5 to 30 and 12 is not there" in fails()


def test_a_broken_image(data):
    folder = data / "rgb/0002"
    folder.mkdir(parents=True)
    for number in range(40):
        (folder / f"{number:06d}.jpg").write_bytes(b"not an image")
    assert "rgb/0002/000000.jpg" in fails()


def test_shared_truncated_video(data, shared_data):
    """Its header claims 32 frames; 15 can be decoded."""
    source = shared_data / "videos/derived/truncated.avi"
    (data / "rgb").mkdir()
    (data / "rgb/0002.avi").write_bytes(source.read_bytes())
    assert "0002.avi: 15 frames, but clip 0002_0 needs frames 5 to 30 and 15 is not there" in fails()


# Pickles and arrays


class _Evil:
    def __reduce__(self):
        return os.system, ("touch executed",)


def test_pickle_that_runs_code(workdir):
    write_pickle(workdir / "a.pkl", {"split": _Evil(), "annotations": []})
    message = fails(path="a.pkl")
    assert "a.pkl: the pickle wants to call posix.system" in message
    assert not (workdir / "executed").exists()


@pytest.mark.parametrize("payload", [b"cbuiltins\neval\n(V1\ntR.", b"cnumpy\nload\n(Va\ntR.", b"cnumpy.f2py\nmain\n."])
def test_pickle_that_names_anything_else(workdir, payload):
    (workdir / "a.pkl").write_bytes(payload)
    assert "a.pkl: the pickle wants to call" in fails(path="a.pkl")


def test_label_pickle_that_runs_code(workdir):
    (workdir / "data").mkdir()
    np.save(workdir / "data/train_data.npy", np.zeros((1, 3, 90, 22, 1), np.float32))
    write_pickle(workdir / "data/train_label.pkl", (["0001_0"], [_Evil()]))
    assert "train_label.pkl: the pickle wants to call" in fails()
    assert not (workdir / "executed").exists()


def test_truncated_pickle(workdir):
    path = write_pickle(workdir / "a.pkl", pyskl_content())
    path.write_bytes(path.read_bytes()[:-50])
    assert "a.pkl: not a readable pickle" in fails(path="a.pkl")


def test_duplicate_clip_ids(workdir):
    content = pyskl_content()
    content["annotations"].append(content["annotations"][1])
    write_pickle(workdir / "a.pkl", content)
    assert "a.pkl: clip a_1 is there twice (annotation 6)" in fails(path="a.pkl")


def test_duplicate_clip_ids_in_arrays(workdir):
    (workdir / "data").mkdir()
    np.save(workdir / "data/train_data.npy", np.ones((2, 3, 90, 22, 1), np.float32))
    write_pickle(workdir / "data/train_label.pkl", (["0001_0", "0001_0"], [1, 1]))
    assert "clip 0001_0 is there twice (row 1)" in fails()


def test_clip_in_train_and_test(workdir):
    content = pyskl_content()
    content["split"]["test"].append("a_0")
    write_pickle(workdir / "a.pkl", content)
    assert "clip a_0 is in the splits train and test" in fails(path="a.pkl")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"label": "yes"}, "label is 'yes', expected an integer"),
        ({"label": -1}, "label -1, expected 0..1"),
        ({"total_frames": 9}, "total_frames is 9, but keypoint has 6 frames"),
        ({"keypoint": np.zeros((1, 6, 22), np.float32)}, "keypoint has shape (1, 6, 22), expected"),
        ({"keypoint": np.zeros((1, 6, 17, 2), np.float32), "keypoint_score": np.zeros((1, 6, 17))}, "has 17 joints"),
        ({"keypoint_score": np.zeros((1, 6, 21), np.float32)}, "keypoint_score has shape (1, 6, 21)"),
        ({"keypoint_score": None}, "keypoint_score has type NoneType"),
        ({"keypoint": [[1, 2], [3]]}, "keypoint is not an array of numbers"),
        ({"img_shape": 720}, "img_shape is 720"),
    ],
)
def test_wrong_annotation(workdir, change, expected):
    content = pyskl_content()
    content["annotations"][1].update(change)
    write_pickle(workdir / "a.pkl", content)
    message = fails(path="a.pkl")
    assert "clip a_1" in message and expected in message


def test_a_split_names_a_clip_that_is_not_there(workdir):
    content = pyskl_content()
    content["split"]["train"].append("b_9")
    write_pickle(workdir / "a.pkl", content)
    assert "split train names clip b_9, which has no annotation" in fails(path="a.pkl")


def test_unknown_joint_layout(workdir):
    write_pickle(workdir / "a.pkl", pyskl_content(num_joints=13))
    message = fails(path="a.pkl")
    assert "13 joints of an unknown layout; write a_meta.json" in message and "skeleton_edges" in message


def test_sidecar_with_other_joints(workdir):
    write_pickle(workdir / "a.pkl", pyskl_content())
    (workdir / "a_meta.json").write_text(json.dumps({"joints": ["a", "b"], "skeleton_edges": [[0, 1]]}))
    assert "a_meta.json: names 2 joints, but a.pkl has 22" in fails(path="a.pkl")


def test_pickle_of_something_else(workdir):
    write_pickle(workdir / "a.pkl", (["0001_0"], [3]))
    assert "expected a dict with the keys split and annotations, got a tuple" in fails(path="a.pkl")


def test_one_file_of_a_data_set(data):
    assert "is one file of a data set (imigue); give its folder" in fails(path=str(TRAIN / "0001/0001_label.csv"))


def test_a_link_to_nothing(data):
    (data / "gone.csv").symlink_to("nowhere.csv")
    assert "gone.csv: a link to nothing" in fails()


def test_unknown_split(workdir):
    write_pickle(workdir / "a.pkl", pyskl_content())
    message = fails("--train-split", "train9", path="a.pkl")
    assert "no split is called 'train9'; its splits are train, test" in message


@pytest.mark.parametrize(
    ("shape", "labels", "expected"),
    [
        ((2, 3, 90, 21, 1), [1, 1], "expected (clips, 3, frames, 22 or 25, 1)"),
        ((3, 3, 90, 22, 1), [1, 1], "2 names, but train_data.npy has 3 clips"),
        ((2, 3, 90, 22, 1), [1, 40], "clip 0001_1: label 40, expected 0..31"),
    ],
)
def test_wrong_arrays(workdir, shape, labels, expected):
    (workdir / "data").mkdir()
    np.save(workdir / "data/train_data.npy", np.ones(shape, np.float32))
    write_pickle(workdir / "data/train_label.pkl", (["0001_0", "0001_1"], labels))
    assert expected in fails()


def test_truncated_array(workdir):
    (workdir / "data").mkdir()
    path = workdir / "data/train_data.npy"
    np.save(path, np.ones((2, 3, 90, 22, 1), np.float32))
    path.write_bytes(path.read_bytes()[:5000])
    write_pickle(workdir / "data/train_label.pkl", (["0001_0", "0001_1"], [1, 1]))
    assert "train_data.npy: not a readable array" in fails()


def test_options_that_do_not_apply(data):
    assert "are for a pickle, and none is given" in fails("--train-split", "train")
    with pytest.raises(InputError, match=r"--run '\.\./x'"):
        main(["--run", "../x", "--track1", "data"])


# Left out on request


def test_bad_clips_are_counted_listed_and_left_out(data, capsys):
    write_rows(TRAIN / "0001/0001_label.csv", [(1, 0, 19), (77, 20, 40), (31, 41, 41), (3, 50, 60)])
    (TRAIN / "0002/0002_light_hand.csv").write_text("")
    main(["--run", "r", "--track1", "data", "--skip-bad-clips"])
    clips = load_clips("r", "track1")
    assert list(clips.table.clip_id) == ["0001_0", "0001_2", "0003_0", "0054_0", "0054_1"]
    assert [item["what"] for item in clips.meta["left_out"]] == ["0001_1", "0001_3", "0002"]
    out = capsys.readouterr().out
    assert "3 by --skip-bad-clips" in out and "0001_1: data/imigue_skeleton_train/0001/0001_label.csv line 2" in out


def test_a_broken_video_is_left_out(data):
    write_video(data / "rgb/0001.mp4", 30)
    main(["--run", "r", "--track1", "data", "--skip-bad-clips"])
    clips = load_clips("r", "track1")
    assert [item["what"] for item in clips.meta["left_out"]] == ["0001_1", "0001_2"]
    assert "0001_0" in set(clips.table.clip_id)


def test_clashes_cannot_be_left_out(data):
    (data / "subjects.csv").write_text("video_id,subject_id\n1,A\n2,B\n3,B\n54,B\n")
    assert "subject B" in fails("--skip-bad-clips")


def test_nothing_left_to_train_on(workdir):
    write_imigue_video(workdir / "data", "train", "0001", person(9), [(55, 0, 8)])
    assert "not a single labelled training clip is left" in fails("--skip-bad-clips")


# Legal oddities


def test_nobody_in_view_is_legal(data, capsys):
    """All-zero skeletons keep their row and are counted."""
    write_imigue_video(data, "train", "0004", np.zeros((30, 35, 3)), [(5, 0, 9), (6, 10, 10)])
    main(["--run", "r", "--track1", "data"])
    clips = load_clips("r", "track1")
    index = list(clips.table.clip_id).index("0004_0")
    assert clips.joints_of(index).shape == (10, 1, 22, 3) and not clips.joints_of(index).any()
    assert "clips with nobody in view: 2" in capsys.readouterr().out


def test_nobody_in_view_anywhere_is_legal(workdir):
    write_imigue_video(workdir / "data", "train", "0001", np.zeros((30, 35, 3)), [(5, 0, 9)])
    main(["--run", "r", "--track1", "data"])
    assert len(load_clips("r", "track1")) == 1


def test_one_frame_clip_is_legal(data):
    main(["--run", "r", "--track1", "data"])
    clips = load_clips("r", "track1")
    index = list(clips.table.clip_id).index("0001_2")
    assert clips.joints_of(index).shape == (1, 1, 22, 3)


def test_one_frame_recording_is_legal(workdir):
    write_smg_video(workdir / "data", "Sample0001", kinect(1), [(1, 1, 1)])
    main(["--run", "r", "--track2", "data"])
    assert list(load_clips("r", "track2").table.num_frames) == [1]


def test_windows_line_ends_and_byte_order_mark_are_legal(data):
    for path in (TRAIN / "0001/0001_label.csv", TRAIN / "0001/0001_light_hand.csv"):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    main(["--run", "r", "--track1", "data"])
    assert list(load_clips("r", "track1").table.label[:3]) == [0, 31, 30]


def test_evil_pickle_would_run_code(workdir):
    """The attack of these tests is a real one: the ordinary loader executes it."""
    pickle.loads(pickle.dumps(_Evil()))
    assert (workdir / "executed").exists()
