"""Cropping and mirroring joints: boxes, frames, and joints that must stay missing.

Run alone: python -m pytest tests/miga/transforms/test_crop.py
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from miga.person_box import compact_box, is_present
from miga.skeletons import IMIGUE_22
from miga.transforms.crop import (
    flip_joints,
    map_to_frame,
    random_resized_crop,
    short_side_size,
)


def random_joints(seed: int, num_frames: int = 4) -> np.ndarray:
    """(T, 2, 22, 3) joints of people somewhere in a 1280 x 720 picture, a fifth of them missing."""
    rng = np.random.default_rng([seed, 2])
    joints = np.concatenate(
        [rng.uniform(1, [1280, 720], (num_frames, 2, 22, 2)), rng.uniform(0.1, 1, (num_frames, 2, 22, 1))], -1
    )
    joints[rng.random(joints.shape[:-1]) < 0.2] = 0
    return joints.astype(np.float32)


def at(*points):
    """One frame, one person, these detected points."""
    return np.array([[[(x, y, 0.9) for x, y in points]]], dtype=np.float32)


def test_compact_box_is_the_padded_square_around_the_detected_joints():
    joints = np.concatenate([at((100, 200), (300, 240)), at((150, 220), (0, 0))])
    joints[1, 0, 1] = 0
    # 200 wide and 40 high: half the width is 100, a quarter more 125, around (200, 220)
    assert compact_box(joints, (720, 1280)) == (75, 95, 325, 345)


def test_compact_box_may_leave_the_picture_and_is_cut_towards_zero():
    assert compact_box(at((2, 2), (22, 13)), (720, 1280)) == (0, -5, 24, 20)


@pytest.mark.parametrize("points", [[(50, 50), (200, 59)], [(50, 50), (59, 300)], [(7, 7)]])
def test_small_people_keep_the_whole_picture(points):
    assert compact_box(at(*points), (720, 1280)) == (0, 0, 1280, 720)


def test_nobody_in_view_keeps_the_whole_picture():
    assert compact_box(np.zeros((3, 2, 22, 3), np.float32), (720, 1280)) == (0, 0, 1280, 720)


@given(seed=st.integers(0, 10**6))
def test_every_detected_joint_lies_in_the_compact_box(seed):
    joints = random_joints(seed)
    left, top, right, bottom = compact_box(joints, (720, 1280))
    assert abs((right - left) - (bottom - top)) <= 1
    xy = joints[is_present(joints)][:, :2]
    assert (xy >= (left, top)).all() and (xy <= (right, bottom)).all()


@settings(max_examples=200)
@given(height=st.integers(1, 200), width=st.integers(1, 200), seed=st.integers(0, 10**6))
def test_random_crop_fits_and_has_the_right_area(height, width, seed):
    left, top, right, bottom = random_resized_crop((height, width), np.random.default_rng(seed))
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height
    if min(height, width) >= 40 and max(height, width) < 1.2 * min(height, width):
        assert 0.53 <= (right - left) * (bottom - top) / (height * width) <= 1.0
        assert 0.72 <= (right - left) / (bottom - top) <= 1.39


def test_random_crop_falls_back_to_the_square_in_the_middle():
    assert random_resized_crop((10, 1000), np.random.default_rng(0)) == (495, 0, 505, 10)


def test_random_crops_cover_their_ranges():
    rng = np.random.default_rng([5])
    boxes = np.array([random_resized_crop((64, 64), rng) for _ in range(1000)])
    share = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]) / 64**2
    assert share.min() < 0.58 and share.max() > 0.95
    assert boxes[:, 0].min() == 0 and boxes[:, 2].max() == 64


def test_short_side_keeps_the_shape():
    assert short_side_size((720, 1280), 64) == (64, 114)
    assert short_side_size((200, 100), 64) == (128, 64)
    assert short_side_size((251, 250), 64) == (64, 64)


@given(seed=st.integers(0, 10**6))
def test_mapping_keeps_missing_joints_missing_and_there_and_back_is_the_identity(seed):
    joints = random_joints(seed)
    box = compact_box(joints, (720, 1280))
    moved = map_to_frame(joints, box, (64, 64))
    assert np.array_equal(is_present(moved), is_present(joints))
    assert (moved[~is_present(joints)] == 0).all()
    assert np.array_equal(moved[..., 2], joints[..., 2])
    assert moved[..., :2].min() >= 0 and moved[..., :2].max() <= 64
    to_origin = map_to_frame(moved, (0, 0, 64, 64), (box[3] - box[1], box[2] - box[0]))
    to_origin[is_present(joints), :2] += box[:2]
    np.testing.assert_allclose(to_origin, joints, atol=2e-3)


def test_mapping_moves_corners_to_corners_and_leaves_its_input_alone():
    joints = at((10, 20), (30, 60))
    before = joints.copy()
    moved = map_to_frame(joints, (10, 20, 30, 60), (56, 48))
    np.testing.assert_allclose(moved[0, 0, :, :2], [[0, 0], [48, 56]])
    assert moved[0, 0, 0, 2] > 0  # a joint that lands on the origin is not lost
    assert np.array_equal(joints, before)
    with pytest.raises(ValueError, match="a box needs"):
        map_to_frame(joints, (10, 20, 10, 60), (56, 48))


@given(seed=st.integers(0, 10**6))
def test_flip_twice_is_the_identity(seed):
    joints = random_joints(seed)
    once = flip_joints(joints, 1280, IMIGUE_22.flip_index)
    assert np.array_equal(is_present(once), is_present(joints)[..., IMIGUE_22.flip_index])
    twice = flip_joints(once, 1280, IMIGUE_22.flip_index)
    np.testing.assert_allclose(twice, joints, atol=1e-3)


def test_flip_exchanges_left_and_right():
    joints = np.zeros((1, 1, 22, 3), np.float32)
    joints[0, 0, 4] = (10, 5, 0.8)  # one wrist, and the other missing
    flipped = flip_joints(joints, 100, IMIGUE_22.flip_index)
    assert flipped[0, 0, 7].tolist() == pytest.approx([90, 5, 0.8])
    assert flipped[0, 0, 4].tolist() == [0, 0, 0]
