"""The out-of-fold file: python -m pytest tests/oof/test_artifacts.py"""

from dataclasses import fields, replace

import numpy as np
import pytest

from miga.errors import InputError
from oof.artifacts import ARRAYS, Oof, read_oof, write_oof


def an_oof(num_clips: int = 5, num_classes: int = 3, seed: int = 0) -> Oof:
    rng = np.random.default_rng(seed)
    return Oof(
        clip_id=np.array([f"0001_{i}" for i in range(num_clips)]),
        fold=np.arange(num_clips) % 2,
        label=rng.integers(0, num_classes, num_clips),
        logits=rng.normal(size=(num_clips, num_classes)).astype(np.float32),
        classes=np.array([f"class {k}" for k in range(num_classes)]),
        test_clip_id=np.array(["0054_0", "0054_10"]),
        test_logits=rng.normal(size=(2, 2, num_classes)).astype(np.float32),
    )


def test_written_and_read_back_with_the_same_bytes(tmp_path):
    write_oof(tmp_path / "a.npz", an_oof())
    write_oof(tmp_path / "b.npz", an_oof())
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    back = read_oof(tmp_path / "a.npz")
    for field in fields(Oof):
        np.testing.assert_array_equal(getattr(back, field.name), getattr(an_oof(), field.name))
    assert back.logits.dtype == np.float32 and back.fold.dtype == np.int8 and back.label.dtype == np.int16


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"clip_id": np.array(["0001_0"] * 5)}, "'0001_0' comes 5 times"),
        ({"label": np.array([0, 1, 2, 3, 0])}, "'0001_3' has label 3, expected 0 to 2"),
        ({"logits": np.full((5, 3), np.nan)}, "logits of clip '0001_0' is not finite"),
        ({"test_logits": np.full((2, 2, 3), np.inf)}, "test_logits of clip '0054_0' is not finite"),
        ({"fold": np.zeros(4)}, r"fold has shape \(4,\)"),
        ({"test_logits": np.zeros((2, 3, 3))}, r"test_logits has shape \(2, 3, 3\), expected \(folds, 2, 3\)"),
        ({"test_logits": np.zeros((2, 3))}, r"test_logits has shape \(2, 3\), expected \(folds, 2, 3\)"),
        ({"test_logits": np.zeros((0, 2, 3))}, r"test_logits has shape \(0, 2, 3\).* one slice or more"),
        ({"label": np.eye(3)[[0, 1, 2, 0, 1]]}, r"label has shape \(5, 3\), expected \(5,\)"),
    ],
)
def test_broken_promises_are_named(tmp_path, change, message):
    with pytest.raises(InputError, match=message):
        write_oof(tmp_path / "a.npz", replace(an_oof(), **change))
    assert not list(tmp_path.iterdir()), "nothing half-written"


def test_damaged_missing_and_pickled_files_are_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_oof(tmp_path / "none.npz")
    (tmp_path / "bad.npz").write_bytes(b"PK not a zip")
    with pytest.raises(InputError, match=r"bad\.npz"):
        read_oof(tmp_path / "bad.npz")
    np.savez(tmp_path / "objects.npz", **{f.name: np.array([{}], object) for f in fields(Oof)})
    with pytest.raises(InputError, match=r"objects\.npz"):
        read_oof(tmp_path / "objects.npz")
    np.savez(tmp_path / "part.npz", clip_id=np.array(["a"]))
    with pytest.raises(InputError, match="'fold' is missing"):
        read_oof(tmp_path / "part.npz")


def foreign(folder, **change):
    """The npz of another framework: `an_oof` with some arrays in another form, None = left out."""
    content = {name: getattr(an_oof(6), name) for name in ARRAYS} | change
    np.savez(folder / "b.npz", **{name: array for name, array in content.items() if array is not None})
    return folder / "b.npz"


@pytest.mark.parametrize(
    "change",
    [
        {name: getattr(an_oof(6), name).astype(float) for name in ("logits", "test_logits", "label", "fold")},
        {"logits": np.asfortranarray(an_oof(6).logits.astype(">f4"))},
        {name: getattr(an_oof(6), name).astype("S") for name in ("clip_id", "test_clip_id", "classes")},
        {"epoch": np.array(3)},
    ],
)
def test_other_forms_of_the_same_content_are_the_same(tmp_path, change):
    wanted, back = an_oof(6), read_oof(foreign(tmp_path, **change))
    for field in fields(Oof):
        np.testing.assert_array_equal(getattr(back, field.name), getattr(wanted, field.name))
    assert back.logits.dtype == np.float32 and back.logits.flags.c_contiguous and back.clip_id.dtype.kind == "U"


def test_no_test_clips_and_one_test_slice_are_legal(tmp_path):
    assert read_oof(foreign(tmp_path, test_clip_id=np.array([]), test_logits=np.zeros((2, 0, 3)))).test_logits.size == 0
    assert len(read_oof(foreign(tmp_path, test_logits=an_oof(6).test_logits[:1])).test_logits) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"classes": None}, "array 'classes' is missing"),
        ({"classes": np.int64(3)}, r"classes is an array \(\) of int64, expected one row of text"),
        ({"clip_id": np.arange(6)}, r"clip_id is an array \(6,\) of int64, expected one row of text"),
        ({"clip_id": np.array([b"\xff", b"b", b"c", b"d", b"e", b"f"])}, "clip_id is not text in UTF-8"),
        ({"label": np.array(["wave"] * 6)}, r"label is an array \(6,\) of text, expected whole numbers"),
        ({"label": np.full(6, 0.5)}, r"label is .*, expected whole numbers"),
        ({"label": np.full(6, np.nan)}, r"label is .*, expected whole numbers"),
        ({"logits": an_oof(6).logits.astype(str)}, r"logits is an array \(6, 3\) of text, expected numbers"),
        ({"logits": an_oof(6).logits > 0}, "logits is .* of true or false, expected numbers"),
        ({"logits": np.full((6, 3), 1e300)}, "logits of clip '0001_0' is not finite"),
        ({"logits": an_oof(6).logits.T}, r"logits has shape \(3, 6\), expected \(6, 3\)"),
    ],
)
def test_what_another_framework_may_get_wrong_is_named(tmp_path, change, message):
    with pytest.raises(InputError, match=rf"b\.npz: .*{message}"):
        read_oof(foreign(tmp_path, **change))


def probabilities(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).dirichlet(np.ones(shape[-1]), shape[:-1])


def test_probabilities_are_refused_in_every_form(tmp_path):
    logits, ids = an_oof(20).logits, np.array([f"0054_{i}" for i in range(8)])
    base = {name: getattr(an_oof(20), name) for name in ARRAYS}
    base |= {"test_clip_id": ids, "test_logits": np.random.default_rng(1).normal(size=(2, 8, 3))}
    one_fold = np.where(base["fold"][:, None] == 1, probabilities(20, 3), logits)
    one_slice = np.stack([base["test_logits"][0], probabilities(8, 3)])
    for name, array in (
        ("logits", probabilities(20, 3)),
        ("logits", probabilities(20, 3).astype(np.float16)),
        ("logits", 100 * probabilities(20, 3)),
        ("logits", np.eye(3)[base["label"]]),
        ("logits", one_fold),
        ("test_logits", probabilities(2, 8, 3)),
        ("test_logits", one_slice),
    ):
        with pytest.raises(InputError, match=f"{name} are probabilities .*, expected logits or log-probabilities"):
            read_oof(foreign(tmp_path, **base | {name: array}))
    log = np.log(np.maximum(probabilities(20, 3), 1e-9))
    for legal in (log, logits - logits.min(), np.ones((20, 3)), np.maximum(logits, 0)):
        read_oof(foreign(tmp_path, **base | {"logits": legal}))


def test_a_file_that_arrived_damaged_is_named(tmp_path):
    whole = foreign(tmp_path).read_bytes()
    packed = tmp_path / "packed.npz"
    np.savez_compressed(packed, **{name: getattr(an_oof(200), name) for name in ARRAYS})
    rotten = bytearray(packed.read_bytes())
    rotten[len(rotten) // 3 : len(rotten) // 3 + 40] = bytes(40)
    np.save(tmp_path / "one.npy", an_oof().logits)
    for data in (
        b"",
        whole[: len(whole) // 2],
        whole[:-1],
        bytes(rotten),
        (tmp_path / "one.npy").read_bytes(),
        b"<!DOCTYPE html>404",
    ):
        (tmp_path / "bad.npz").write_bytes(data)
        with pytest.raises(InputError, match=r"bad\.npz: not an npz.*; train this model again"):
            read_oof(tmp_path / "bad.npz")
    with pytest.raises(InputError, match="a folder, expected an npz"):
        read_oof(tmp_path)
