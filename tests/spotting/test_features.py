"""Frame tokens: boxes, views, overlaps. Alone: python -m pytest tests/spotting/test_features.py"""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from miga.skeletons import IMIGUE_22
from spotting.boxes import clip_boxes, frame_bounds
from spotting.config import override_parts
from spotting.extractor import FrameExtractor
from spotting.features import average_overlaps, clip_starts
from spotting.pose_stream import PoseStream, clip_keypoints, draw
from spotting.profiles import PROFILES
from spotting.trimmed import TrimmedClips
from spotting.views import View, change_keypoints, random_view, resampled_frames, video_view
from tests.spotting.tiny_videos import tiny_videos

CHANGES = {"extractor.batch_clips": "4", "extractor.repeats": "2", "extractor.background_share": "0.5"}
CONFIG = override_parts(PROFILES["smoke"], CHANGES)
SKELETON = IMIGUE_22
FLIP = SKELETON.flip_index


def tiny_extractor(stream: PoseStream) -> FrameExtractor:
    torch.manual_seed(0)
    model = stream.network()
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm3d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)  # blocks start as zero; make them speak
    return model.eval()


def test_frame_features_average_to_the_clip_feature():
    model, clips = tiny_extractor(PoseStream(tiny_videos(), CONFIG)), torch.rand(2, 22, 7, 16, 16)
    with torch.no_grad():
        frames = model.forward_frames(clips)
        assert frames.shape == (2, 7, model.backbone.out_channels)
        torch.testing.assert_close(model.cls_head(frames.mean(1)), model(clips))


@given(st.integers(1, 200), st.integers(1, 20), st.sampled_from([0.0, 0.25, 0.5, 0.9]))
def test_clips_cover_every_frame(num_frames, clip_len, overlap):
    starts = clip_starts(num_frames, clip_len, overlap)
    seen = np.zeros(num_frames, dtype=bool)
    for start in starts:
        seen[start : start + clip_len] = True
    assert seen.all()
    assert len(np.unique(starts)) == len(starts)
    assert starts[-1] + clip_len == max(num_frames, clip_len)


def test_published_stride_is_six():
    assert clip_starts(32, 8, 0.25).tolist() == [0, 6, 12, 18, 24]


@given(st.integers(1, 60), st.integers(1, 9), st.sampled_from([0.0, 0.25, 0.6]), st.integers(0, 99))
def test_overlaps_are_averaged_as_the_slow_version(num_frames, clip_len, overlap, seed):
    starts = clip_starts(num_frames, clip_len, overlap)
    tokens = np.random.default_rng(seed).normal(size=(len(starts), clip_len, 3)).astype(np.float32)
    fast = average_overlaps(tokens, starts, num_frames)
    assert fast.shape == (num_frames, 3) and fast.dtype == np.float32
    for frame in range(num_frames):
        shown = [tokens[n, frame - s] for n, s in enumerate(starts) if 0 <= frame - s < clip_len]
        np.testing.assert_allclose(fast[frame], np.mean(shown, axis=0), atol=1e-5)


def test_boxes_are_square_and_hold_everybody():
    joints = tiny_videos().joints_of_video("0001")
    bounds = frame_bounds(joints)
    starts = clip_starts(len(joints), 8, 0.25)
    for box_frames in (0, 8, 64):
        boxes = clip_boxes(bounds, starts, 8, box_frames, (480, 640))
        np.testing.assert_allclose(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
        for start, box in zip(starts, boxes, strict=True):
            xy = joints[start : start + 8, ..., :2]
            assert (xy >= box[:2]).all() and (xy <= box[2:]).all()
    whole = clip_boxes(bounds, starts, 8, 0, (480, 640))
    assert (whole == whole[0]).all()


def test_nobody_in_view_gives_the_picture():
    bounds = frame_bounds(np.zeros((20, 1, 22, 3), np.float32))
    assert np.isnan(bounds).all()
    for box_frames in (0, 8):
        assert clip_boxes(bounds, np.array([0, 6]), 8, box_frames, (480, 640)).tolist() == [[0, 0, 640, 480]] * 2


def test_keypoints_lie_in_the_box():
    joints = np.zeros((1, 1, 2, 3), np.float32)
    joints[0, 0, 0] = (30, 20, 0.5)
    keypoints = clip_keypoints(joints, np.array([[0]]), np.array([[10.0, 10.0, 50.0, 50.0]]), 20)
    assert keypoints[0, 0, 0, 0].tolist() == [10, 5, 0.5]
    assert keypoints[0, 0, 0, 1].tolist() == [0, 0, 0]


def test_mirror_twice_is_identity_and_missing_stays_missing():
    keypoints = np.random.default_rng(0).uniform(0, 16, (4, 22, 3)).astype(np.float32)
    keypoints[1, 3] = 0
    mirror = View(mirror=True)
    once = change_keypoints(keypoints, mirror, 16, FLIP)
    np.testing.assert_allclose(change_keypoints(once, mirror, 16, FLIP), keypoints, atol=1e-5)
    assert (once[1, 6] == 0).all()  # the missing elbow a is elbow b of the mirrored person
    np.testing.assert_allclose(change_keypoints(keypoints, View(), 16, FLIP), keypoints, atol=1e-5)
    random = change_keypoints(keypoints, random_view(np.random.default_rng(1)), 16, FLIP)
    assert (random[..., 2] == 0).sum() == 1


@given(st.integers(1, 300), st.floats(0.3, 3))
def test_resampled_frames_are_in_order_and_range(num_frames, speed):
    frames = resampled_frames(num_frames, speed)
    assert len(frames) >= 1 and (np.diff(frames) >= 0).all()
    assert frames[0] >= 0 and frames[-1] < num_frames
    if speed == 1:
        assert frames.tolist() == list(range(num_frames))


def test_views_of_a_video_are_fixed():
    assert video_view(0, seed=3) == View() and video_view(1, seed=3) == View(mirror=True)
    assert video_view(2, seed=3) == video_view(2, seed=3) != video_view(3, seed=3)


def test_tokens_equal_clip_by_clip_extraction():
    clips = tiny_videos()
    stream, joints = PoseStream(clips, CONFIG), clips.joints_of_video("0001")
    model = tiny_extractor(stream)
    tokens = stream.describe(model, "0001", View(), torch.device("cpu"))
    assert tokens.shape == (150, 32) and tokens.dtype == np.float32
    assert np.ptp(tokens, axis=0).max() > 0
    starts = clip_starts(150, 8, 0.25)
    boxes = clip_boxes(frame_bounds(joints), starts, 8, 0, (480, 640))
    one_by_one = []
    for start, box in zip(starts, boxes, strict=True):
        keypoints = clip_keypoints(joints, start + np.arange(8)[None], box[None], 16)
        with torch.no_grad():
            one_by_one.append(model.forward_frames(draw(torch.from_numpy(keypoints), 16, 0.6))[0].numpy())
    np.testing.assert_allclose(tokens, average_overlaps(np.stack(one_by_one), starts, 150), atol=1e-5)


@pytest.mark.parametrize("video_id", ["0102", "0103"])
def test_nobody_and_shorter_than_a_clip_have_tokens(video_id):
    clips = tiny_videos()
    stream = PoseStream(clips, CONFIG)
    tokens = stream.describe(tiny_extractor(stream), video_id, View(mirror=True), torch.device("cpu"))
    assert tokens.shape == (len(clips.joints_of_video(video_id)), 32)
    assert np.isfinite(tokens).all()


@given(st.integers(0, 10**6))
@settings(max_examples=20)
def test_trimmed_clips_come_from_their_gesture(seed):
    clips = tiny_videos()
    trimmed, stream = TrimmedClips(clips, ["0001", "0002"], CONFIG.extractor), PoseStream(clips, CONFIG)
    assert trimmed.labels.tolist() == [*clips.table.label[:8], *clips.table.label[:8], *[3] * 8]
    for row in (0, 15, 16):
        sample = stream.draw(trimmed, row, np.random.default_rng(seed))
        assert sample["keypoints"].shape == (8, 1, 22, 3)
        again = stream.draw(trimmed, row, np.random.default_rng(seed))
        assert np.array_equal(sample["keypoints"], again["keypoints"])
    free = trimmed.background["0001"]
    assert set(free) == set(range(150)) - {
        f for s, n in [(10, 20), (45, 25), (85, 15), (115, 25)] for f in range(s - 2, s + n + 2)
    }
