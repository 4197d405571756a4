"""Pictures and joints through the RGB transforms: same crop, same side, reproducible, any length.

Run alone: python -m pytest -n 0 tests/miga/transforms/test_rgb_clip.py
"""

import dataclasses

import numpy as np
import pytest
import torch

from miga.rgb_store import RgbStore
from miga.skeletons import IMIGUE_22
from miga.transforms.rgb_clip import MEAN, STD, RgbClipTransform, normalise, recolour, resize_box
from miga.transforms.rgb_pose_clip import RgbPoseClipTransform
from tests.tiny_rgb import DOT_JOINT, dot_centre, picture

SIZE = 64
RGB = RgbClipTransform(clip_len=4, full_size=48, crop_size=40, num_clips=3)
BOTH = RgbPoseClipTransform(
    IMIGUE_22.flip_index,
    rgb_len=4,
    pose_len=16,
    rgb_full=48,
    rgb_crop=40,
    pose_full=48,
    pose_crop=40,
    num_clips=3,
    flip_views=True,
)


def store_of(pictures: np.ndarray, box=(0, 0, SIZE, SIZE)) -> RgbStore:
    """A store in memory with one clip of raw pictures (T, S, S, 3)."""
    num_frames, size = pictures.shape[:2]
    ends = np.arange(1, num_frames + 1) * (size * size * 3)
    index = np.stack([np.zeros_like(ends), ends - size * size * 3, ends], axis=1)
    boxes = np.array([box], np.float32)
    return RgbStore(size, boxes, np.array([0, num_frames]), index, (pictures.reshape(-1),), True)


def dotted(seed: int) -> tuple[RgbStore, np.ndarray]:
    """A clip of one frame whose dot joint is drawn: the store and its joints, in pixels 10 times those of the store."""
    rng = np.random.default_rng([seed, 5])
    joints = np.zeros((1, 1, 22, 3), np.float32)
    joints[0, 0, :, :2] = rng.uniform(100, 540, (22, 2))
    joints[0, 0, DOT_JOINT, :2] = rng.uniform(260, 380, 2)  # in the middle, so that no crop cuts the dot
    joints[..., 2] = 0.5
    joints[0, 0, DOT_JOINT, 2] = 1
    drawn = picture(joints[0], (SIZE, SIZE), 10)
    left, top = rng.uniform(-200, 200, 2)
    joints[..., :2] += (left, top)
    return store_of(drawn[None], (left, top, left + 10 * SIZE, top + 10 * SIZE)), joints


def test_a_dot_stays_at_its_joint_plain_and_mirrored():
    sides = []
    for seed in range(40):
        store, joints = dotted(seed)
        view = BOTH.train_view(store, 0, joints, np.random.default_rng(seed))
        # The dot joint alone has score 1, wherever mirroring put it.
        joint = int(view["scores"][0, 0].argmax())
        sides.append(joint)
        assert view["mirrored"] == (joint != DOT_JOINT)
        assert joint in (DOT_JOINT, IMIGUE_22.flip_index[DOT_JOINT])
        for shown in view["rgb"]:
            np.testing.assert_allclose(dot_centre(shown), view["keypoints"][0, 0, joint], atol=1)
    assert 8 < sides.count(DOT_JOINT) < 32


def test_a_dot_stays_at_its_joint_in_test_views():
    store, joints = dotted(3)
    views = BOTH.test_views(store, 0, joints)
    assert views["rgb"].shape == (6, 4, 48, 48, 3) and views["keypoints"].shape == (6, 1, 16, 22, 2)
    assert views["mirrored"].tolist() == [False] * 3 + [True] * 3
    for number in range(6):
        joint = DOT_JOINT if number < 3 else IMIGUE_22.flip_index[DOT_JOINT]
        assert views["scores"][number, 0, 0, joint] == 1
        np.testing.assert_allclose(dot_centre(views["rgb"][number, 0]), views["keypoints"][number, 0, 0, joint], atol=1)


def numbered(num_frames: int) -> RgbStore:
    """Frame i is grey i on its left half and grey i + 100 on its right."""
    pictures = np.empty((num_frames, SIZE, SIZE, 3), np.uint8)
    pictures[:] = np.arange(num_frames, dtype=np.uint8)[:, None, None, None]
    pictures[:, :, SIZE // 2 :] += 100
    return store_of(pictures)


@pytest.mark.parametrize("num_frames", [1, 2, 3, 4, 5, 15, 16, 40])
def test_shapes_for_every_length(num_frames):
    store, joints = numbered(num_frames), np.ones((num_frames, 2, 22, 3), np.float32)
    view = RGB.train_view(store, 0, num_frames, np.random.default_rng(0))["rgb"]
    assert view.shape == (4, 40, 40, 3) and view.dtype == np.uint8
    views = RGB.test_views(store, 0, num_frames)["rgb"]
    assert views.shape == (3, 4, 48, 48, 3) and views.dtype == np.uint8
    assert views.max() < num_frames + 100
    both = BOTH.train_view(store, 0, joints, np.random.default_rng(0))
    assert both["rgb"].shape == (4, 40, 40, 3) and both["keypoints"].shape == (2, 16, 22, 2)
    assert both["scores"].shape == (2, 16, 22)


def test_mirrored_views_are_mirrored_and_sampling_is_uniform():
    store = numbered(40)
    made = dataclasses.replace(RGB, flip_views=True).test_views(store, 0, 40)
    views = made["rgb"]
    assert made["mirrored"].tolist() == [False] * 3 + [True] * 3
    assert np.array_equal(views[3:], views[:3, :, :, ::-1])
    left_column = views[:3, :, 0, 0, 0].astype(int)  # the frame numbers
    assert (left_column // 10 == [0, 1, 2, 3]).all()  # one frame of every quarter
    assert len({tuple(view) for view in left_column.tolist()}) == 3


def test_half_of_the_training_views_are_mirrored_unless_told_otherwise_and_say_so():
    store = numbered(8)
    for transform, low, high in ((RGB, 70, 130), (dataclasses.replace(RGB, flip_train=False), 0, 0)):
        rng = np.random.default_rng(1)
        views = [transform.train_view(store, 0, 8, rng) for _ in range(200)]
        mirrored = [bool((view["rgb"][:, 0, 0] > view["rgb"][:, 0, -1]).all()) for view in views]
        assert low <= sum(mirrored) <= high
        assert mirrored == [bool(view["mirrored"]) for view in views]


def test_the_generator_alone_decides():
    store, joints = dotted(1)
    for transform, what in ((RGB, 1), (BOTH, joints)):
        one, same, other = (transform.train_view(store, 0, what, np.random.default_rng(s)) for s in (1, 1, 2))
        assert all(np.array_equal(one[key], same[key]) for key in one)
        assert not np.array_equal(one["rgb"], other["rgb"])


def test_crops_keep_the_asked_share_of_the_picture():
    ramp = np.broadcast_to(np.arange(SIZE, dtype=np.uint8)[None, None, :, None] * 3, (1, SIZE, SIZE, 3))
    store, widths = store_of(np.ascontiguousarray(ramp)), []
    for seed in range(100):
        view = RGB.train_view(store, 0, 1, np.random.default_rng(seed))["rgb"][0, 0, :, 0].astype(int)
        widths.append(abs(view[-1] - view[0]) / 3 / SIZE)
    assert min(widths) > 0.6 and max(widths) < 1.0  # sqrt(0.56 * 3/4) = 0.65; the outer half pixels are lost
    assert np.ptp(widths) > 0.2


def test_resizing_keeps_places():
    picture = np.zeros((1, 30, 30, 3), np.uint8)
    picture[:, 10:20, 5:15] = 255
    grown = resize_box(picture, (0, 5, 20, 25), 80)
    np.testing.assert_allclose(dot_centre(grown[0]), (40, 40), atol=0.5)
    assert np.array_equal(resize_box(picture, (5, 10, 15, 20), 10), picture[:, 10:20, 5:15])


def test_recolouring_keeps_places_and_is_the_same_in_every_frame():
    frames = np.random.default_rng(0).integers(0, 256, (2, 9, 9, 3), dtype=np.uint8)
    frames[1] = frames[0]
    seen = []
    for seed in range(60):
        out = recolour(frames, 0.3, np.random.default_rng(seed))
        assert np.array_equal(out[0], out[1]) and out.dtype == np.uint8
        # Every channel is a rising function of one channel of the original.
        likeness = np.corrcoef(out[0].reshape(-1, 3).T, frames[0].reshape(-1, 3).T)[:3, 3:]
        assert (likeness.max(axis=1) > 0.97).all()
        seen.append((tuple(likeness.argmax(axis=1)), out.mean() - frames.mean()))
    orders = [order for order, _ in seen]
    assert 25 < orders.count((0, 1, 2)) < 48 and all(sorted(order) == [0, 1, 2] for order in orders)
    assert np.ptp([shift for _, shift in seen]) > 15
    assert np.array_equal(recolour(frames, 0, np.random.default_rng(0)).min(axis=-1), frames.min(axis=-1))


def test_both_transforms_recolour_when_asked():
    store, joints = dotted(1)
    for transform, what in ((RGB, 1), (BOTH, joints)):
        plain, coloured = (
            dataclasses.replace(transform, colour=colour).train_view(store, 0, what, np.random.default_rng(2))["rgb"]
            for colour in (0.0, 0.5)
        )
        assert np.array_equal(plain[..., 0], plain[..., 2]) and not np.array_equal(coloured[..., 0], coloured[..., 2])


def test_normalised_pictures_have_imagenets_mean_and_spread():
    rgb = torch.randint(0, 256, (2, 3, 5, 4, 3), dtype=torch.uint8)
    out = normalise(rgb)
    assert out.shape == (2, 3, 3, 5, 4) and out.dtype == torch.float32
    assert out.is_contiguous(memory_format=torch.channels_last_3d)
    expected = (rgb[1, 2, 4, 1].double() - torch.tensor(MEAN)) / torch.tensor(STD)
    torch.testing.assert_close(out[1, :, 2, 4, 1].double(), expected, rtol=0, atol=1e-5)


def test_a_share_of_what_does_not_move_is_kept():
    rgb = torch.randint(0, 256, (2, 4, 5, 5, 3), dtype=torch.uint8)
    whole, half, none = (normalise(rgb, static) for static in (1.0, 0.5, 0.0))
    torch.testing.assert_close(none.mean(dim=2), torch.zeros(2, 3, 5, 5), rtol=0, atol=1e-6)
    torch.testing.assert_close(half.mean(dim=2), whole.mean(dim=2) / 2)
    torch.testing.assert_close(none[:, :, 1] - none[:, :, 0], whole[:, :, 1] - whole[:, :, 0])
    assert half.is_contiguous(memory_format=torch.channels_last_3d)
