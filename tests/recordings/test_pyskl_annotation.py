"""One annotation of a pickle, and pickles of odd origin.

Alone: python -m pytest -n 0 tests/recordings/test_pyskl_annotation.py
"""

import io
import pickle
import struct

import numpy as np
import pytest

from miga.clips import load_clips
from recordings.prepare import main
from recordings.readers.pyskl_annotation import fault_of, joints_of, may_be_exchanged
from recordings.readers.safe_pickle import load_pickle
from tests.recordings.on_disk import fails, pyskl_content, write_pickle


def annotation(low=(300, 50), high=(1250, 700), **fields):
    """Twenty frames of one person whose joints lie between two corners of a picture."""
    keypoint = np.random.default_rng(0).uniform(low, high, (1, 20, 17, 2)).astype(np.float32)
    score = np.full((1, 20, 17), 0.5, np.float32)
    return {"label": 0, "total_frames": 20, "keypoint": keypoint, "keypoint_score": score, **fields}


# Picture sizes


@pytest.mark.parametrize("size", [(720, 1280), [720, 1280], np.array([720, 1280]), (720.0, 1280.0), None])
def test_a_size_that_holds_the_person_is_legal(size):
    assert fault_of(annotation(img_shape=size)) == ""


@pytest.mark.parametrize(
    "size",
    [
        ("720", "1280"),
        (720, 1280, 3),
        720,
        "720x1280",
        np.array(720),
        [[720, 1280]],
        (0, 1280),
        (np.nan, 1280),
        (np.inf, 9),
    ],
)
def test_a_size_that_is_none_is_refused(size):
    assert fault_of(annotation(img_shape=size)).startswith(f"img_shape is {size!r}, expected (height, width)")


def test_exchanged_height_and_width():
    """A person beside the picture cannot be; joints below it are normal, and worth a word if most clips have them."""
    assert "seem to be exchanged" in fault_of(annotation(img_shape=(1280, 720)))
    assert "the person is outside that picture" in fault_of(annotation(img_shape=(240, 320)))
    legs = annotation((50, 20), (150, 190), img_shape=(156, 208))
    assert fault_of(legs) == "" and may_be_exchanged(joints_of(legs), 208, 156)
    assert not may_be_exchanged(joints_of(annotation((50, 20), (180, 190))), 208, 156)  # outside of both
    assert not may_be_exchanged(joints_of(annotation((50, 20), (150, 150))), 208, 156)


@pytest.mark.parametrize(("num_exchanged", "is_noted"), [(6, True), (0, False)])
def test_what_may_be_exchanged_is_noted(workdir, capsys, num_exchanged, is_noted):
    content = pyskl_content(num_joints=17)
    for number, one in enumerate(content["annotations"]):
        one["keypoint"] = np.random.default_rng(number).uniform((100, 50), (1250, 700), (1, 5 + number, 17, 2))
        one["img_shape"] = (1280, 720) if number < num_exchanged else (720, 1280)
    write_pickle(workdir / "a.pkl", content)
    main(["--run", "r", "--track1", "a.pkl", "--skip-bad-clips"])
    assert ("outside their img_shape" in capsys.readouterr().out) == is_noted


# Nobody in view


@pytest.mark.parametrize("clips", [[1], range(6)])
def test_zero_persons_are_frames_of_missing_joints(workdir, clips):
    content = pyskl_content()
    for number in clips:
        for key in ("keypoint", "keypoint_score"):
            content["annotations"][number][key] = content["annotations"][number][key][:0]
    write_pickle(workdir / "a.pkl", content)
    main(["--run", "r", "--track1", "a.pkl"])
    prepared = load_clips("r", "track1")
    assert list(prepared.table.num_frames) == [5, 6, 7, 8, 9, 10] and prepared.joints.shape == (45, 1, 22, 3)
    assert [bool(prepared.joints_of(row).any()) for row in range(6)] == [row not in clips for row in range(6)]


@pytest.mark.parametrize("shape", [(1, 0, 17, 2), (1, 20, 0, 2), (0, 0, 17, 2), (0,)])
def test_no_frames_or_no_joints_are_refused(shape):
    one = annotation(keypoint=np.zeros(shape, np.float32), total_frames=shape[-1])
    assert fault_of(one).startswith(f"keypoint has shape {shape}, expected")


@pytest.mark.parametrize("total", ["20", None, np.arange(2), 15])
def test_a_number_of_frames_that_is_another_or_none(total):
    assert fault_of(annotation(total_frames=total)).startswith("total_frames is ")


# Splits whose names are no text


def test_numbered_splits_can_be_asked_for(workdir):
    content = pyskl_content()
    content["split"] = {0: content["split"]["train"], 1: content["split"]["test"], None: []}
    write_pickle(workdir / "a.pkl", content)
    assert "0 pairs of train and test splits, expected one; its splits are 0, 1, None" in fails(path="a.pkl")
    main(["--run", "r", "--track1", "a.pkl", "--train-split", "0", "--test-split", "1"])
    assert list(load_clips("r", "track1").table.split) == ["train"] * 4 + ["test"] * 2


def test_two_splits_of_one_name(workdir):
    write_pickle(workdir / "a.pkl", pyskl_content() | {"split": {0: [], "0": []}})
    assert "two splits have one name, its splits are [0, '0']" in fails(path="a.pkl")


# Text that comes as bytes


class _Python2(pickle._Pickler):
    """Writes protocol 2 as Python 2 did: text and bytes alike as strings of bytes."""

    def _save_bytes(self, data):
        self.write(pickle.BINSTRING + struct.pack("<i", len(data)) + data)

    def _save_text(self, text):
        self._save_bytes(text.encode())

    def _save_global(self, thing, name=None):
        module = thing.__module__.replace("numpy._core", "numpy.core")
        self.write(pickle.GLOBAL + f"{module}\n{name or thing.__qualname__}\n".encode())

    dispatch = {  # noqa: RUF012, as in the class above it
        **pickle._Pickler.dispatch,
        **{bytes: _save_bytes, str: _save_text, type: _save_global, type(len): _save_global},
    }


def written_by_python2(content) -> bytes:
    file = io.BytesIO()
    _Python2(file, 2).dump(content)
    return file.getvalue()


@pytest.mark.parametrize("dtype", ["<f4", ">f8", "<f2", "<i8"])
def test_arrays_of_python2(tmp_path, dtype):
    array = np.random.default_rng(0).uniform(0, 700, (2, 3, 5)).astype(dtype)
    content = {"ünï": [array, np.asfortranarray(array[0]), np.int64(300)], "names": ("a", ["b"])}
    (tmp_path / "a.pkl").write_bytes(written_by_python2(content))
    loaded = load_pickle(tmp_path / "a.pkl")
    assert list(loaded) == ["ünï", "names"] and loaded["names"] == ("a", ["b"]) and loaded["ünï"][2] == 300
    for got, wanted in zip(loaded["ünï"][:2], content["ünï"][:2], strict=True):
        np.testing.assert_array_equal(got, wanted)


def test_a_data_set_of_python2(workdir):
    content = pyskl_content()
    write_pickle(workdir / "a.pkl", content)
    (workdir / "b.pkl").write_bytes(written_by_python2(content))
    for run in ("a", "b"):
        main(["--run", run, "--track1", f"{run}.pkl"])
    a, b = load_clips("a", "track1"), load_clips("b", "track1")
    assert a.table.equals(b.table)
    np.testing.assert_array_equal(a.joints, b.joints)


def test_names_in_arrays_of_bytes_are_text(tmp_path):
    names = np.array(["grüßen".encode(), b"\xfc"], object).reshape(2, 1)
    loaded = load_pickle(write_pickle(tmp_path / "a.pkl", {"o": names, "s": np.array([b"c0", b"c1"])}))
    assert loaded["o"].tolist() == [["grüßen"], ["ü"]] and loaded["s"].tolist() == ["c0", "c1"]


def test_what_holds_itself_is_read(tmp_path):
    endless = [b"a"]
    endless.append(endless)
    assert load_pickle(write_pickle(tmp_path / "a.pkl", endless))[0] == "a"
