"""Every kind of wrong pickle or array gives its sentence and runs nothing.

Alone: python -m pytest tests/recordings/test_wrong_pickles.py
"""

import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from miga.errors import InputError
from recordings.prepare import main
from tests.recordings.on_disk import (
    fails,
    pyskl_content,
    write_pickle,
)

TRAIN = Path("data/imigue_skeleton_train")


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
        ({"label": 10**12}, "label 1000000000000, expected 0..9999"),
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


def test_evil_pickle_would_run_code(workdir):
    """The attack of these tests is a real one: the ordinary loader executes it."""
    pickle.loads(pickle.dumps(_Evil()))
    assert (workdir / "executed").exists()
