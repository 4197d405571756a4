"""Geometry of joints. Alone: `python -m pytest tests/miga/transforms/test_joints.py`."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from miga.skeletons import COCO_17, IMIGUE_22, SMG_25
from miga.transforms.crop import is_present
from miga.transforms.joints import (
    bones,
    center_on_joint,
    limb_medians,
    mirror,
    motion,
    normalise,
    normalise_by_body,
    resize_time,
    turn,
)
from tests.miga.transforms.clips import HEIGHT, WIDTH, random_clip


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


def test_bones_and_steps_need_both_ends():
    clip = normalise(random_clip(9), WIDTH, HEIGHT)
    bone, step = bones(clip, IMIGUE_22), motion(clip)
    for t in range(9):
        for v, parent in enumerate(IMIGUE_22.parents):
            here, up = clip[t, 0, v], clip[t, 0, parent]
            np.testing.assert_array_equal(bone[t, 0, v], (here - up)[:2] if here.any() and up.any() else 0)
            then = clip[t + 1, 0, v] if t < 8 else np.zeros(3)
            np.testing.assert_array_equal(step[t, 0, v], (then - here)[:2] if here.any() and then.any() else 0)


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
