"""The graph network's input. Alone: `python -m pytest tests/miga/transforms/test_graph.py`."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from miga.skeletons import IMIGUE_22
from miga.transforms.crop import is_present
from miga.transforms.graph import (
    MOTION_SCALE,
    GraphAugment,
    GraphTransform,
    fixed_windows,
    middle_window,
    random_window,
    with_score,
)
from miga.transforms.joints import center_on_joint, mirror, normalise, resize_time
from tests.miga.transforms.clips import HEIGHT, WIDTH, random_clip


@given(st.integers(1, 400), st.integers(1, 80), st.integers(0, 100))
def test_random_windows_lie_in_the_clip_and_are_long_enough(frames, min_frames, seed):
    augment = GraphAugment(min_frames=min_frames)
    window = random_window(frames, augment, np.random.default_rng(seed))
    length = window.stop - window.start
    assert 0 <= window.start < window.stop <= frames
    assert min(frames, max(min_frames, frames // 2)) <= length


@given(st.integers(1, 400))
def test_the_middle_window_is_in_the_middle(frames):
    window = middle_window(frames)
    assert window.start == frames - window.stop
    assert window.stop - window.start >= 0.95 * frames


@given(st.integers(1, 400), st.integers(1, 6))
def test_the_fixed_windows_cover_the_clip_from_start_to_end(frames, num_clips):
    first, *shorter = fixed_windows(frames, num_clips)
    assert first == middle_window(frames) and len(shorter) == num_clips - 1
    assert {one.stop - one.start for one in shorter} <= {max(int(0.8 * frames), 1)}
    assert [one.start for one in shorter] == sorted(one.start for one in shorter)
    if len(shorter) > 1:
        assert shorter[0].start == 0 and shorter[-1].stop == frames


def view_of(transform: GraphTransform, joints: np.ndarray, seed: int | None = None) -> np.ndarray:
    """(C, T', V, M): the test view, or the training view of a seed."""
    if seed is None:
        return transform.test_views(joints, WIDTH, HEIGHT)["joints"][0]
    return transform.train_view(joints, WIDTH, HEIGHT, np.random.default_rng(seed))["joints"]


@given(st.integers(0, 20), st.booleans())
def test_missing_points_arrive_as_zeros_and_no_others(seed, is_train):
    joints = random_clip(40, persons=2, seed=seed)
    joints[:, :, 8] = 0
    joints[:, 1, 1] = 0
    transform = GraphTransform(IMIGUE_22, num_frames=40, augment=GraphAugment(scale=0.2))
    made = view_of(transform, joints, seed if is_train else None)
    assert made.shape == (3, 40, 22, 2) and made.dtype == np.float32 and made.flags["C_CONTIGUOUS"]
    assert not made[:, :, 8].any() and not made[:, :, 1, 1].any()
    assert (made[:2, made[2] == 0] == 0).all()
    assert (made[2] > 0).any()


@pytest.mark.parametrize("unit", ["picture", "body"])
@pytest.mark.parametrize("is_train", [False, True])
def test_one_frame_and_nobody_in_view_give_a_defined_input(is_train, unit):
    transform = GraphTransform(IMIGUE_22, unit=unit)
    for joints in (random_clip(1), np.zeros((12, 1, 22, 3), np.float32)):
        made = view_of(transform, joints, 0 if is_train else None)
        assert made.shape == (3, 64, 22, 1) and np.isfinite(made).all()
        assert made.any() == joints.any()


def test_the_same_generator_gives_the_same_input_and_another_one_does_not():
    joints, transform = random_clip(90), GraphTransform(IMIGUE_22)
    first, second, other = (view_of(transform, joints, seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, second)
    assert (first != other).any()


def test_the_test_view_can_be_mirrored():
    joints, transform = random_clip(20), GraphTransform(IMIGUE_22, num_frames=20, flip_views=True)
    views = transform.test_views(joints, WIDTH, HEIGHT)
    assert views["mirrored"].tolist() == [False, True]
    plain, flipped = views["joints"]
    expected = plain[:, :, IMIGUE_22.flip_index] * np.array([-1, 1, 1])[:, None, None, None]
    np.testing.assert_allclose(flipped, expected, atol=1e-6)


def test_several_windows_come_before_the_same_mirrored():
    joints, one = random_clip(30), GraphTransform(IMIGUE_22, num_frames=16, flip_views=True)
    plain, flipped = one.test_views(joints, WIDTH, HEIGHT)["joints"]
    made = dataclasses.replace(one, num_clips=3).test_views(joints, WIDTH, HEIGHT)
    assert made["mirrored"].tolist() == [False] * 3 + [True] * 3
    np.testing.assert_array_equal(made["joints"][[0, 3]], [plain, flipped])
    for view, window in zip(made["joints"][1:3], (slice(0, 24), slice(6, 30)), strict=True):
        whole = normalise(resize_time(joints[window], 16), WIDTH, HEIGHT)
        np.testing.assert_array_equal(view[:, :, :, 0], center_on_joint(whole, 1)[:, 0].transpose(2, 0, 1))


def test_a_training_view_says_whether_it_is_mirrored():
    augment = GraphAugment(crop=(1.0, 1.0), rotation=0.0, flip=0.5)
    joints, transform = random_clip(64), GraphTransform(IMIGUE_22, augment=augment)
    sides = []
    for seed in range(40):
        view = transform.train_view(joints, WIDTH, HEIGHT, np.random.default_rng(seed))
        whole = normalise(joints, WIDTH, HEIGHT)
        shown = mirror(whole, IMIGUE_22) if view["mirrored"] else whole
        np.testing.assert_allclose(
            view["joints"][:, :, :, 0].transpose(1, 2, 0), center_on_joint(shown, 1)[:, 0], atol=1e-6
        )
        sides.append(bool(view["mirrored"]))
    assert 8 < sum(sides) < 32


def test_joined_streams_stand_in_order():
    joints = random_clip(20, missing=0.0)
    joined = GraphTransform(IMIGUE_22, num_frames=20, streams=("joint", "bone", "motion"))
    alone = GraphTransform(IMIGUE_22, num_frames=20)
    made, joint = view_of(joined, joints), view_of(alone, joints)
    assert made.shape[0] == joined.num_channels == 7
    np.testing.assert_array_equal(made[:3], joint)
    np.testing.assert_allclose(made[3:5, :, 4], joint[:2, :, 4] - joint[:2, :, 3], atol=1e-6)
    np.testing.assert_allclose(made[5:, :-1], MOTION_SCALE * np.diff(joint[:2], axis=1), atol=1e-6)


def test_a_stream_alone_carries_its_vectors_and_the_score():
    joints = random_clip(20)
    bone = view_of(GraphTransform(IMIGUE_22, num_frames=20, streams=("bone", "score"), keep_path=True), joints)
    clip = normalise(joints, WIDTH, HEIGHT)
    both = is_present(clip)[:, 0, 4] & is_present(clip)[:, 0, 3]
    assert bone.shape == (3, 20, 22, 1) and both.any() and not both.all()
    np.testing.assert_allclose(bone[:2, both, 4, 0].T, clip[both, 0, 4, :2] - clip[both, 0, 3, :2], atol=1e-6)
    assert not bone[:2, ~both, 4].any()
    np.testing.assert_array_equal(bone[:2, :, 1, 0].T, clip[:, 0, 1, :2])  # the centre keeps its path
    np.testing.assert_array_equal(bone[2, :, :, 0], clip[:, 0, :, 2])
    assert not view_of(GraphTransform(IMIGUE_22, 20, streams=("bone",)), joints)[:, :, 1].any()


def test_motion_of_bones_needs_both_ends_in_both_frames():
    joints = random_clip(20)
    streams = ("bone", "bonemotion")
    made = view_of(GraphTransform(IMIGUE_22, num_frames=20, streams=streams), joints)[..., 0]
    seen = is_present(joints)[:, 0]
    steady = [t for t in range(19) if seen[t : t + 2, [3, 4]].all()]
    assert 0 < len(steady) < 19
    np.testing.assert_allclose(made[2:, steady, 4], MOTION_SCALE * np.diff(made[:2, :, 4])[:, steady], atol=1e-6)
    assert not made[2:, [t for t in range(20) if t not in steady], 4].any()


def test_the_score_comes_once():
    assert with_score(("joint", "bone")) == ("joint", "bone")
    assert with_score(("bone", "motion")) == ("bone", "motion", "score")
    assert with_score(("motion", "score")) == ("motion", "score")
