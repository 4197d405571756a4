"""Joints as tokens. Alone: python -m pytest tests/spotting/test_pose_tokens.py"""

import numpy as np
import pytest

from miga.skeletons import IMIGUE_22
from spotting.pose_tokens import STEPS, pose_tokens
from spotting.views import View
from tests.spotting.tiny_videos import tiny_videos

NUM_TOKENS = (1 + len(STEPS)) * 2 * 21 + len(STEPS) * 2 + 2


@pytest.fixture(scope="module")
def joints():
    """(T, 1, 22, 3) of somebody who is there in every frame."""
    clips = tiny_videos()
    video_id = next(v for v in clips.videos.video_id if (clips.joints_of_video(v)[..., 2] > 0).any((1, 2)).all())
    return np.array(clips.joints_of_video(video_id))


def test_place_and_distance_do_not_matter(joints):
    moved = joints.copy()
    moved[..., :2] = np.where(joints[..., 2:] > 0, joints[..., :2] * 0.5 + [100, 40], 0)
    plain, far = pose_tokens(joints, View(), IMIGUE_22), pose_tokens(moved, View(), IMIGUE_22)
    assert plain.shape == (len(joints), NUM_TOKENS) and plain.dtype == np.float32
    np.testing.assert_allclose(plain, far, atol=2e-3)


def test_mirrored_twice_is_plain(joints):
    mirrored = joints[:, :, IMIGUE_22.flip_index].copy()
    mirrored[..., 0] = np.where(mirrored[..., 2] > 0, 1280 - mirrored[..., 0], 0)
    plain, twice = pose_tokens(joints, View(), IMIGUE_22), pose_tokens(mirrored, View(mirror=True), IMIGUE_22)
    np.testing.assert_allclose(plain, twice, atol=2e-3)


def test_movement_is_the_difference_over_the_step(joints):
    tokens = pose_tokens(joints, View(), IMIGUE_22)
    pose, step = tokens[:, :42].astype(float), STEPS[0]
    t = len(joints) // 2
    unclipped = np.abs(2 * (pose[t + step] - pose[t - step])) < 4
    np.testing.assert_allclose(tokens[t, 42:84][unclipped], 2 * (pose[t + step] - pose[t - step])[unclipped], atol=1e-4)


def test_nobody_and_one_frame_are_finite(joints):
    assert not pose_tokens(joints * 0, View(), IMIGUE_22).any()
    assert np.isfinite(pose_tokens(joints[:1], View(rotation=0.1, zoom=1.2), IMIGUE_22)).all()
    gone = joints.copy()
    gone[3:6] = 0
    tokens = pose_tokens(gone, View(), IMIGUE_22)
    assert not tokens[3:6].any() and tokens[6].any() and np.isfinite(tokens).all()
