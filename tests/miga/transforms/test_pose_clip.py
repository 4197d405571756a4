"""The pipeline of PoseC3D: shapes, reproducibility, and what mirrored views draw.

Run alone: python -m pytest tests/miga/transforms/test_pose_clip.py
"""

import numpy as np
import pytest
import torch

from miga.skeletons import IMIGUE_22
from miga.transforms.heatmaps import joint_heatmaps
from miga.transforms.pose_clip import PoseClipTransform
from tests.miga.transforms.mirrored import flip_heatmaps

TRANSFORM = PoseClipTransform(IMIGUE_22.flip_index, clip_len=12, full_size=32, crop_size=28, num_clips=3)
IMAGE_SIZE = (720, 1280)


def walking_person(num_frames: int, num_persons: int = 1) -> np.ndarray:
    """(T, M, 22, 3) joints that drift to the right; the joint with index 9 is never seen."""
    rng = np.random.default_rng([6])
    joints = np.empty((num_frames, num_persons, 22, 3), np.float32)
    joints[..., :2] = rng.uniform(300, 500, (1, num_persons, 22, 2))
    joints[..., 0] += np.arange(num_frames)[:, None, None]
    joints[..., 2] = rng.uniform(0.2, 1, joints.shape[:-1])
    joints[:, :, 9] = 0
    return joints


@pytest.mark.parametrize("num_frames", [1, 2, 11, 12, 13, 24, 100])
@pytest.mark.parametrize("num_persons", [1, 2])
def test_shapes_and_ranges_for_every_length(num_frames, num_persons):
    joints = walking_person(num_frames, num_persons)
    view = TRANSFORM.train_view(joints, IMAGE_SIZE, np.random.default_rng(0))
    keypoints, scores = view["keypoints"], view["scores"]
    assert keypoints.shape == (num_persons, 12, 22, 2) and scores.shape == (num_persons, 12, 22)
    made = TRANSFORM.test_views(joints, IMAGE_SIZE)
    views, view_scores = made["keypoints"], made["scores"]
    assert made["mirrored"].tolist() == [False] * 3 + [True] * 3
    assert views.shape == (6, num_persons, 12, 22, 2) and view_scores.shape == (6, num_persons, 12, 22)
    assert {a.dtype for a in (keypoints, scores, views, view_scores)} == {np.dtype(np.float32)}
    assert views[:3].min() >= 0 and views[:3].max() <= 32
    assert (view_scores[:3, ..., 9] == 0).all() and (views[:3, ..., 9, :] == 0).all()
    assert (view_scores[3:, ..., 8] == 0).all() and (views[3:, ..., 8, :] == 0).all()


def test_depends_on_its_inputs_alone():
    joints = walking_person(40)
    before = joints.copy()
    views = [TRANSFORM.train_view(joints, IMAGE_SIZE, np.random.default_rng(seed)) for seed in (1, 1, 2)]
    assert all(np.array_equal(views[0][key], views[1][key]) for key in views[0])
    assert not np.array_equal(views[0]["keypoints"], views[2]["keypoints"])
    once, again = (TRANSFORM.test_views(joints, IMAGE_SIZE)["keypoints"] for _ in range(2))
    assert np.array_equal(once, again)
    assert np.array_equal(joints, before)


def test_half_of_the_training_views_are_mirrored_and_say_so():
    joints = walking_person(12)
    joints[..., 2] = 0.5
    joints[:, :, 9] = 0
    rng = np.random.default_rng([7])
    views = [TRANSFORM.train_view(joints, IMAGE_SIZE, rng) for _ in range(200)]
    mirrored = [bool(view["scores"][0, 0, 8] == 0) for view in views]
    assert 70 < sum(mirrored) < 130 and mirrored == [bool(view["mirrored"]) for view in views]


def test_mirrored_views_draw_the_mirror_image():
    views = TRANSFORM.test_views(walking_person(30), IMAGE_SIZE)
    volume = joint_heatmaps(torch.from_numpy(views["keypoints"]), torch.from_numpy(views["scores"]), (32, 32), 0.6)
    expected = flip_heatmaps(volume[:3], IMIGUE_22.flip_index)
    assert volume.amax() > 0.5
    # patches are cut to whole pixels, so the faintest pixels may fall to either side
    torch.testing.assert_close(volume[3:], expected, rtol=0, atol=np.exp(-4.5))


def test_a_test_view_is_the_box_around_the_person_scaled_to_the_frame():
    joints = np.zeros((5, 1, 22, 3), np.float32)
    joints[:, 0, 0] = (100, 200, 1)
    joints[:, 0, 1] = (300, 240, 0.5)
    plain = PoseClipTransform(IMIGUE_22.flip_index, clip_len=4, full_size=50, num_clips=1, flip_views=False)
    views = plain.test_views(joints, IMAGE_SIZE)
    keypoints, scores = views["keypoints"], views["scores"]
    assert keypoints.shape == (1, 1, 4, 22, 2)
    # the box is (75, 95, 325, 345), 250 pixels wide
    np.testing.assert_allclose(keypoints[0, 0, 0, :2], [[5, 21], [45, 29]], atol=1e-5)
    np.testing.assert_allclose(scores[0, 0, :, :2], [[1, 0.5]] * 4)


def test_joints_at_the_origin_without_score_or_not_a_number_are_missing():
    joints = walking_person(12)
    joints[:, 0, 3, :2] = 0  # at the origin with a score
    joints[:, 0, 5, 2] = 0  # somewhere with no score
    joints[:, 0, 6, 0] = np.nan
    scores = TRANSFORM.test_views(joints, IMAGE_SIZE)["scores"]
    assert (scores[:3, ..., [3, 5, 6, 9]] == 0).all()
    assert (scores[:3, ..., [0, 1, 2, 4, 7]] > 0).all()


def test_nobody_in_view_gives_empty_heatmaps():
    nobody = np.zeros((7, 1, 22, 3), np.float32)
    views = TRANSFORM.test_views(nobody, IMAGE_SIZE)
    assert (views["keypoints"] == 0).all() and (views["scores"] == 0).all()
    view = TRANSFORM.train_view(nobody, IMAGE_SIZE, np.random.default_rng(0))
    keypoints, scores = torch.from_numpy(view["keypoints"])[None], torch.from_numpy(view["scores"])[None]
    assert joint_heatmaps(keypoints, scores, (28, 28), 0.6).eq(0).all()
