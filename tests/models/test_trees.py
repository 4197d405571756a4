"""Trees on numbers of the joints: what the numbers are, and an entry of them.

Run alone: python -m pytest -n 0 tests/models/test_trees.py
"""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ensemble.adapt import main as adapt_main
from ensemble.refit import main as refit_main
from folds.make import main as make_folds_main
from miga.errors import InputError
from miga.paths import fold_checkpoint_dir, oof_npz, refit_npz
from miga.skeletons import COCO_17, IMIGUE_22, OPENPOSE_137, SMG_25
from models.trees.config import PROFILES
from models.trees.entry import ENTRY
from models.trees.features import clip_features, distances, in_shoulder_widths, parts_of
from models.trees.train import main
from oof.artifacts import read_oof
from tests.assembled import fold_of
from tests.tiny import CLASSES, tiny_clips, write_clips

SMALL = PROFILES["smoke"]
COMMAND = ["--run", "tiny", "--profile", "smoke", "--jobs", "1"]


@pytest.fixture
def prepared(workdir):
    write_clips(tiny_clips(), "tiny")
    make_folds_main(["--run", "tiny", "--num-folds", "2"])


@given(st.floats(0.3, 3), st.floats(-200, 900), st.floats(-200, 900), st.integers(3, 24))
@settings(deadline=None, max_examples=30)
def test_neither_place_nor_distance_from_the_camera_counts(scale, x, y, row):
    clips = tiny_clips()
    joints = clips.joints_of(row)
    moved = joints.copy()
    moved[..., :2] = joints[..., :2] * scale + np.array([x, y], np.float32)
    moved *= joints[..., 2:] > 0
    before, after = (clip_features(each, IMIGUE_22, 6) for each in (joints, moved))
    np.testing.assert_allclose(before, after, atol=2e-3)


def test_shoulders_are_one_apart_about_the_origin():
    joints = tiny_clips().joints_of(5)
    out = in_shoulder_widths(joints, IMIGUE_22)
    both = (joints[:, 0, [2, 5], 2] > 0).all(axis=-1)
    ends = out[both][:, 0, [2, 5], :2]
    assert np.median(np.linalg.norm(ends[:, 0] - ends[:, 1], axis=-1)) == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(np.median(ends.mean(axis=1), axis=0), 0, atol=1e-5)
    assert (out[joints[..., 2] == 0] == 0).all()


@pytest.mark.parametrize(("skeleton", "num_parts"), [(IMIGUE_22, 14), (SMG_25, 25), (COCO_17, 17), (OPENPOSE_137, 28)])
def test_every_layout_has_shoulders_and_parts(skeleton, num_parts):
    left, right = skeleton.shoulders
    assert "shoulder" in skeleton.joints[left].lower() and "shoulder" in skeleton.joints[right].lower()
    parts = parts_of(skeleton)
    assert len(parts) == num_parts and sorted(joint for part in parts for joint in part) == [
        *range(len(skeleton.joints))
    ]
    joints = np.random.default_rng(0).uniform(1, 500, (9, 2, skeleton.num_joints, 3)).astype(np.float32)
    numbers = clip_features(joints, skeleton, 4)
    assert numbers.dtype == np.float32 and np.isfinite(numbers).all()
    assert len(numbers) == len(clip_features(joints[:1] * 0, skeleton, 4))


def test_a_layout_without_shoulders_is_measured_by_its_limbs():
    named = tuple(f"p{i}" for i in range(22))
    skeleton = dataclasses.replace(IMIGUE_22, name="other", joints=named)
    assert skeleton.shoulders == () and parts_of(skeleton) == [[*range(22)]]
    assert np.isfinite(clip_features(tiny_clips().joints_of(4), skeleton, 4)).all()


def test_distances_by_hand():
    positions = np.array([[[0, 0], [3, 4], [3, 0], [5, 0]]], np.float32)
    np.testing.assert_allclose(distances(positions, [[0], [1], [2, 3]]), [[5, 4, np.sqrt(17)]])


def test_trees_learn_what_is_there_to_learn(tmp_path):
    clips = tiny_clips(num_train=96, num_subjects=4)
    train = np.flatnonzero(clips.table.split == "train")
    held_out = np.array([row for row in train if clips.table.subject_id[row] == "S0" and clips.has_joints[row]])
    config = dataclasses.replace(SMALL, num_trees=60, num_steps=12, num_rounds=10)
    found = fold_of(ENTRY, config, clips, np.setdiff1d(train, held_out), held_out, tmp_path)
    assert found.dtype == np.float32
    np.testing.assert_allclose(np.exp(found).sum(axis=1), 1, atol=1e-5)
    assert (found.argmax(axis=1) == clips.table.label.to_numpy()[held_out]).mean() > 0.7


def test_a_mirror_image_is_told_with_its_class(tmp_path):
    """Trained on a's alone where a mirrored is b, both are known, and a clip and its image are told alike."""
    clips = dataclasses.replace(tiny_clips(), mirror=np.array([1, 0, 2, 3]))
    rows = np.flatnonzero(np.isin(clips.table.label, (0, 2)))
    found = np.exp(fold_of(ENTRY, SMALL, clips, rows, rows[:4], tmp_path))
    unmirrored = dataclasses.replace(SMALL, mirrored=False)
    alone = np.exp(fold_of(ENTRY, unmirrored, clips, rows, rows[:4], tmp_path))
    assert found[:, 1].max() > 0.01 > alone[:, 1].max() > 0  # a class never seen has the floor, not zero
    forbidden = dataclasses.replace(clips, mirror=None)
    np.testing.assert_array_equal(np.exp(fold_of(ENTRY, SMALL, forbidden, rows, rows[:4], tmp_path)), alone)


def test_an_entry_and_its_refit_with_the_same_bytes_again(prepared):
    main(COMMAND)
    refit_main(["--run", "tiny", "--entries", "trees"])
    oof, refit = read_oof(oof_npz("tiny", "trees")), read_oof(refit_npz("tiny", "trees"))
    assert oof.logits.shape == (24, len(CLASSES)) and oof.test_logits.shape == (2, 6, len(CLASSES))
    assert refit.test_logits.shape == (1, 6, len(CLASSES)) and np.isfinite(refit.test_logits).all()
    assert not list(fold_checkpoint_dir("tiny", "trees", 0).rglob("weights.pt"))
    before = oof_npz("tiny", "trees").read_bytes()
    main([*COMMAND, "--overwrite"])
    assert oof_npz("tiny", "trees").read_bytes() == before


def test_a_killed_run_goes_on(prepared, capsys):
    main([*COMMAND, "--fold", "1"])
    assert not oof_npz("tiny", "trees").exists()
    main(COMMAND)
    assert "1 folds already done" in capsys.readouterr().out and oof_npz("tiny", "trees").exists()
    with pytest.raises(InputError, match="num_trees"):
        main([*COMMAND, "--num_trees", "11"])


def test_what_is_made_of_a_network_leaves_trees_out(prepared, capsys):
    main(COMMAND)
    with pytest.raises(InputError, match="no network"):
        ENTRY.assemble(tiny_clips(), SMALL)
    adapt_main(["--run", "tiny", "--entries", "trees"])
    assert not oof_npz("tiny", "trees_adapted").exists()
    assert "nothing to adapt" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--lr", "0.2"], "--lr: a setting of networks"),
        (["--num_trees", "0"], "--num_trees 0: expected 1 or more"),
        (["--num_steps", "1"], "expected 2 or more"),
        (["--boosted_share", "1.5"], "--boosted_share 1.5: expected 0 to 1"),
        (["--max_share", "0"], "--max_share 0.0: expected more than 0"),
    ],
)
def test_wrong_settings_are_named(arguments, message):
    with pytest.raises(InputError, match=message):
        main([*COMMAND, *arguments])
