"""The pyskl annotation pickle into clips. Alone: python -m pytest tests/recordings/test_pyskl_pickle.py"""

import json
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from miga.clips import load_clips
from miga.errors import InputError
from recordings.prepare import main
from recordings.readers.pyskl_pickle import choose_splits
from recordings.readers.safe_pickle import load_pickle
from recordings.recording import Options
from tests.recordings.on_disk import pyskl_content, write_pickle


def test_clips_and_joints(workdir):
    content = pyskl_content()
    write_pickle(workdir / "a.pkl", content)
    main(["--run", "r", "--track1", "a.pkl"])
    clips = load_clips("r", "track1")
    assert list(clips.table.clip_id) == [f"a_{i}" for i in range(6)]
    assert list(clips.table.split) == ["train"] * 4 + ["test"] * 2
    assert list(clips.table.num_frames) == [5, 6, 7, 8, 9, 10]
    assert (clips.table.video_id == clips.table.clip_id).all() and (clips.table.subject_id == "").all()
    assert clips.joints.dtype == np.float32 and clips.joints.shape == (45, 1, 22, 3)
    keypoint = content["annotations"][5]["keypoint"].astype(np.float32).transpose(1, 0, 2, 3)
    swap = [*range(12), *range(17, 22), *range(12, 17)] if clips.meta["fingers_swapped"] else list(range(22))
    np.testing.assert_array_equal(clips.joints_of(5)[..., :2], keypoint[:, :, swap])
    assert (clips.joints_of(5)[..., 2] == 0.5).all()


def test_persons_are_padded_and_missing_points_are_zero(workdir):
    """A third channel is the score; NaN is a missing point; clips with fewer people get empty ones."""
    content = pyskl_content(num_joints=17)
    two = content["annotations"][1]
    keypoint = np.random.default_rng(0).uniform(1, 9, (2, 6, 17, 3)).astype(np.float32)
    keypoint[..., 2] = 0.25
    keypoint[0, 0, 0, 0] = np.nan
    keypoint[1, 2, 3, 2] = np.nan
    keypoint[1, 3, 3, 2] = 0
    two.update(keypoint=keypoint)
    del two["keypoint_score"], two["img_shape"]
    write_pickle(workdir / "a.pkl", content)
    main(["--run", "r", "--track1", "a.pkl"])
    clips = load_clips("r", "track1")
    joints = clips.joints_of(1)
    assert clips.joints.shape[1] == 2 and not clips.joints_of(0)[:, 1].any()
    assert not joints[0, 0, 0].any() and not joints[2, 1, 3].any() and not joints[3, 1, 3].any()
    assert joints[1, 1, 3, 2] == 0.25
    assert (clips.table.width[1], clips.table.height[1]) == (1280, 720)


ARRAYS = {
    "a": np.arange(12, dtype=np.float16).reshape(3, 4),
    "f": np.asfortranarray(np.arange(6).reshape(2, 3)),
    "n": np.int64(3),
}


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_arrays_load_in_every_protocol(tmp_path, protocol):
    loaded = load_pickle(write_pickle(tmp_path / "a.pkl", ARRAYS, protocol))
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(loaded[name], array)
        assert loaded[name].dtype == array.dtype


@pytest.mark.parametrize("module", [b"numpy.core", b"numpy._core"])
def test_both_names_of_numpys_core_load(tmp_path, module):
    """NumPy 1 wrote one name, NumPy 2 writes the other."""
    data = pickle.dumps(ARRAYS, 2)
    assert b"cnumpy._core." in data
    (tmp_path / "a.pkl").write_bytes(data.replace(b"cnumpy._core.", b"c" + module + b"."))
    np.testing.assert_array_equal(load_pickle(tmp_path / "a.pkl")["f"], ARRAYS["f"])


def test_sidecar_gives_joints_and_classes(workdir):
    write_pickle(workdir / "a.pkl", pyskl_content(num_joints=3))
    sidecar = {
        "joints": ["head", "left hand", "right hand"],
        "skeleton_edges": [[0, 1], [0, 2]],
        "center_joint": 0,
        "left_joints": [1],
        "right_joints": [2],
        "classes": ["yes", "no"],
    }
    (workdir / "a_meta.json").write_text(json.dumps(sidecar))
    main(["--run", "r", "--track1", "a.pkl"])
    clips = load_clips("r", "track1")
    assert clips.classes == ("yes", "no") and clips.skeleton.flip_pairs == ((1, 2),)
    (workdir / "b.json").write_text(json.dumps({**sidecar, "classes": ["ja", "nein"]}))
    main(["--run", "r", "--track1", "a.pkl", "--skeleton", "b.json"])
    assert load_clips("r", "track1").classes == ("ja", "nein")


def test_subjects_by_clip(workdir):
    write_pickle(workdir / "a.pkl", pyskl_content())
    rows = "".join(f"a_{i},P{i // 2}\n" for i in range(6))
    (workdir / "people.csv").write_text("video_id,subject_id\n" + rows)
    main(["--run", "r", "--track1", "a.pkl", "--subjects", "people.csv"])
    assert list(load_clips("r", "track1").table.subject_id) == ["P0", "P0", "P1", "P1", "P2", "P2"]


@pytest.mark.parametrize(
    ("names", "train", "test"),
    [
        (["train", "test"], ["train"], ["test"]),
        (["train", "val", "test", "subject_S01"], ["train", "val"], ["test"]),
        (["train", "valid"], ["train"], ["valid"]),
        (["xsub_train", "xsub_val"], ["xsub_train"], ["xsub_val"]),
        (["train1", "test1"], ["train1"], ["test1"]),
        (["Train_a", "Test_a"], ["Train_a"], ["Test_a"]),
    ],
)
def test_the_only_pair_of_splits_is_found(tmp_path, names, train, test):
    assert choose_splits(tmp_path / "a.pkl", names, Options()) == (train, test)


@pytest.mark.parametrize("names", [["train1", "test1", "train2", "test2"], ["all"], [], ["xsub_train", "xview_val"]])
def test_unclear_splits_are_asked_for(tmp_path, names):
    with pytest.raises(InputError, match="choose with --train-split NAME --test-split NAME"):
        choose_splits(tmp_path / "a.pkl", names, Options())


def test_a_dummy_test_label_makes_them_unknown(workdir):
    content = pyskl_content()
    content["annotations"][4]["label"] = -1
    write_pickle(workdir / "a.pkl", content)
    main(["--run", "r", "--track1", "a.pkl"])
    table = load_clips("r", "track1").table
    assert list(table.label[table.split == "test"]) == [-1, -1]


@given(st.binary(max_size=200))
def test_garbage_is_an_input_error_or_a_plain_value(tmp_path_factory, data):
    """No byte string makes the loader raise anything but InputError."""
    path = tmp_path_factory.mktemp("pickle") / "a.pkl"
    path.write_bytes(data)
    try:
        load_pickle(path)
    except InputError as error:
        assert str(path) in str(error)


@pytest.mark.parametrize(("split", "num_train", "num_test"), [("1", 433, 176), ("2", 433, 176), ("3", 434, 175)])
def test_real_pickle(workdir, shared_data, split, num_train, num_test):
    path = shared_data / "jhmdb" / "jhmdb.pkl"
    main(["--run", "r", "--track1", str(path), "--train-split", f"train{split}", "--test-split", f"test{split}"])
    clips = load_clips("r", "track1")
    assert clips.table.split.value_counts().to_dict() == {"train": num_train, "test": num_test}
    assert (clips.num_classes, clips.skeleton.num_joints, clips.skeleton.center) == (14, 15, 1)
    assert (clips.table.width[0], clips.table.height[0]) == (320, 240)
