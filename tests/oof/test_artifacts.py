"""The out-of-fold file: python -m pytest tests/oof/test_artifacts.py"""

from dataclasses import fields, replace

import numpy as np
import pytest

from datasets.errors import InputError
from oof.artifacts import Oof, read_oof, write_oof


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
        ({"test_logits": np.zeros((2, 3, 3))}, r"test_logits has shape \(2, 3, 3\), expected \(2, 2, 3\)"),
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
