"""The graph network's input. Alone: `python -m pytest tests/transforms/test_graph.py`."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from datasets.skeletons import COCO_17, IMIGUE_22, SMG_25
from transforms.crop import is_present
from transforms.graph import (
    MOTION_SCALE,
    GraphAugment,
    GraphTransform,
    bones,
    center_on_joint,
    limb_medians,
    middle_window,
    mirror,
    motion,
    normalise,
    normalise_by_body,
    random_window,
    resize_time,
    turn,
)

WIDTH, HEIGHT = 640, 480


def random_clip(frames: int, skeleton=IMIGUE_22, persons: int = 1, missing: float = 0.3, seed: int = 0) -> np.ndarray:
    """(T, M, V, 3) pixels and scores, with a share of the points missing."""
    rng = np.random.default_rng(seed)
    shape = (frames, persons, skeleton.num_joints)
    joints = np.stack(
        [rng.uniform(1, WIDTH, shape), rng.uniform(1, HEIGHT, shape), rng.uniform(0.2, 1, shape)], axis=-1
    )
    return (joints * (rng.random(shape) >= missing)[..., None]).astype(np.float32)


@given(st.integers(1, 200), st.integers(1, 90))
def test_resizing_a_complete_clip_is_bilinear_interpolation(frames, length):
    joints = random_clip(frames, missing=0.0)
    rows = torch.from_numpy(joints.reshape(1, 1, frames, -1))
    expected = torch.nn.functional.interpolate(
        rows, size=(length, rows.shape[-1]), mode="bilinear", align_corners=False
    )
    np.testing.assert_allclose(resize_time(joints, length).reshape(length, -1), expected[0, 0], rtol=1e-4, atol=2e-2)


@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 50))
def test_resizing_never_mixes_a_missing_point_in(frames, length, seed):
    joints = random_clip(frames, missing=0.5, seed=seed)
    resized = resize_time(joints, length)
    position = np.clip((np.arange(length) + 0.5) * frames / length - 0.5, 0, frames - 1)
    for t, p in enumerate(position):
        near = [i for i in (int(p), int(p) + 1) if i < frames and abs(i - p) < 1]
        for v in range(joints.shape[2]):
            seen = [joints[i, 0, v] for i in near if joints[i, 0, v].any()]
            if not seen:
                assert not resized[t, 0, v].any()
            else:
                assert (resized[t, 0, v] >= np.min(seen, axis=0) * (1 - 1e-5)).all()
                assert (resized[t, 0, v] <= np.max(seen, axis=0) * (1 + 1e-5)).all()


def test_resizing_to_the_same_length_changes_nothing():
    joints = random_clip(30)
    np.testing.assert_array_equal(resize_time(joints, 30), joints)


def test_resizing_refuses_an_empty_clip():
    with pytest.raises(ValueError, match="at least one frame"):
        resize_time(random_clip(0), 64)


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


def test_normalised_coordinates_keep_angles_and_missing_points():
    joints = random_clip(9)
    joints[0, 0, 0] = (WIDTH / 2, HEIGHT / 2, 1)
    joints[0, 0, 1] = (WIDTH, HEIGHT, 1)
    out = normalise(joints, WIDTH, HEIGHT)
    np.testing.assert_allclose(out[0, 0, :2, :2], [[0, 0], [1, HEIGHT / WIDTH]], atol=1e-6)
    assert np.abs(out[..., :2]).max() <= 1
    np.testing.assert_array_equal(is_present(out), is_present(joints))
    np.testing.assert_array_equal(out[..., 2], joints[..., 2])


@given(st.floats(-3, 3), st.floats(0.5, 2))
def test_turning_keeps_distances_up_to_scale(angle, scale):
    clip = normalise(random_clip(5), WIDTH, HEIGHT)
    turned = turn(clip, angle, scale)
    np.testing.assert_allclose(
        np.linalg.norm(turned[..., :2], axis=-1), scale * np.linalg.norm(clip[..., :2], axis=-1), rtol=1e-4, atol=1e-6
    )
    np.testing.assert_allclose(turn(turned, -angle, 1 / scale), clip, atol=1e-5)
    np.testing.assert_array_equal(is_present(turned), is_present(clip))


@pytest.mark.parametrize("skeleton", [IMIGUE_22, SMG_25, COCO_17])
def test_mirroring_twice_is_the_identity(skeleton):
    clip = normalise(random_clip(7, skeleton), WIDTH, HEIGHT)
    np.testing.assert_array_equal(mirror(mirror(clip, skeleton), skeleton), clip)
    a, b = skeleton.flip_pairs[0]
    np.testing.assert_array_equal(mirror(clip, skeleton)[:, :, a] * [-1, 1, 1], clip[:, :, b])


def test_centring_subtracts_the_centre_and_keeps_its_trajectory():
    clip = normalise(random_clip(6, missing=0.0), WIDTH, HEIGHT)
    centred = center_on_joint(clip, center=1)
    np.testing.assert_array_equal(centred[:, :, 1], clip[:, :, 1])
    np.testing.assert_allclose(centred[:, :, 4, :2], clip[:, :, 4, :2] - clip[:, :, 1, :2], atol=1e-6)


def test_a_missing_centre_is_taken_from_where_it_was_last_seen():
    clip = normalise(random_clip(5, missing=0.0), WIDTH, HEIGHT)
    seen = clip.copy()
    clip[[0, 3], :, 1] = 0
    centred = center_on_joint(clip, center=1)
    for frame, source in ((0, 1), (1, 1), (2, 2), (3, 2), (4, 4)):
        np.testing.assert_allclose(centred[frame, 0, 4, :2], clip[frame, 0, 4, :2] - seen[source, 0, 1, :2], atol=1e-6)
    assert not centred[[0, 3], :, 1].any()


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


def test_bones_and_steps_need_both_ends():
    clip = normalise(random_clip(9), WIDTH, HEIGHT)
    bone, step = bones(clip, IMIGUE_22), motion(clip)
    for t in range(9):
        for v, parent in enumerate(IMIGUE_22.parents):
            here, up = clip[t, 0, v], clip[t, 0, parent]
            np.testing.assert_array_equal(bone[t, 0, v], (here - up)[:2] if here.any() and up.any() else 0)
            then = clip[t + 1, 0, v] if t < 8 else np.zeros(3)
            np.testing.assert_array_equal(step[t, 0, v], (then - here)[:2] if here.any() and then.any() else 0)


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


@given(st.integers(1, 12), st.floats(0, 1), st.integers(0, 50))
def test_limb_medians_equal_a_median_per_limb(frames, missing, seed):
    rng = np.random.default_rng(seed)
    lengths, both = rng.uniform(0, 9, (frames, 1, 5)).astype(np.float32), rng.random((frames, 1, 5)) >= missing
    expected = [np.median(lengths[..., e][both[..., e]]) for e in range(5) if both[..., e].any()]
    np.testing.assert_array_equal(limb_medians(lengths, both), np.array(expected, np.float32))


def test_body_units_take_distance_and_place_out_and_keep_missing_joints():
    rng = np.random.default_rng(0)
    near = np.concatenate([rng.uniform(100, 500, (6, 1, 22, 2)), np.full((6, 1, 22, 1), 0.9)], -1).astype(np.float32)
    near[2, 0, 5] = 0
    far = near.copy()
    far[..., :2] = near[..., :2] / 3 + 40
    far[2, 0, 5] = 0
    one, other = normalise_by_body(near, IMIGUE_22), normalise_by_body(far, IMIGUE_22)
    np.testing.assert_allclose(one, other, atol=1e-4)
    assert (one[2, 0, 5] == 0).all() and np.isfinite(one).all()
    assert (normalise_by_body(np.zeros_like(near), IMIGUE_22) == 0).all()
    lone = np.zeros_like(near)
    lone[:, 0, 3] = (200, 100, 0.5)
    assert np.isfinite(normalise_by_body(lone, IMIGUE_22)).all()
