"""Heatmaps: equal to a slow, obvious drawing; peaks at the joints; missing joints empty.

Run alone: python -m pytest tests/miga/transforms/test_heatmaps.py
"""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from miga.skeletons import IMIGUE_22
from miga.transforms import heatmaps, ridges
from miga.transforms.heatmaps import joint_heatmaps, limb_heatmaps
from miga.transforms.reused_memory import ReusedMemory
from tests.miga.transforms.mirrored import flip_heatmaps, limb_flip_index

LIMBS = list(IMIGUE_22.limbs)


def slow_patch(low: float, high: float, length: int, sigma: float) -> range:
    """Whole pixels within three sigma, with Python's int(), which cuts towards zero."""
    return range(max(int(low - 3 * sigma), 0), min(int(high + 3 * sigma) + 1, length))


def slow_segment(image, a, b, peak, sigma):
    """Raise image (H, W) to a ridge around the segment from a to b, one pixel at a time in double precision."""
    length2 = (b[0] - a[0]) ** 2 + (b[1] - a[1]) ** 2
    for v in slow_patch(min(a[1], b[1]), max(a[1], b[1]), image.shape[0], sigma):
        for u in slow_patch(min(a[0], b[0]), max(a[0], b[0]), image.shape[1], sigma):
            along = 0.0 if length2 == 0 else ((u - a[0]) * (b[0] - a[0]) + (v - a[1]) * (b[1] - a[1])) / length2
            along = min(max(along, 0.0), 1.0)
            distance2 = (u - a[0] - along * (b[0] - a[0])) ** 2 + (v - a[1] - along * (b[1] - a[1])) ** 2
            image[v, u] = max(image[v, u], peak * math.exp(-distance2 / (2 * sigma**2)))


def slow_heatmaps(keypoints, scores, size, sigma, limbs=None):
    """The definition: keypoints (M, T, V, 2), scores (M, T, V) -> (V or E, T, H, W) in double precision."""
    num_persons, num_frames, num_joints = scores.shape
    pairs = [(v, v) for v in range(num_joints)] if limbs is None else limbs
    volume = np.zeros((len(pairs), num_frames, *size))
    for channel, (a, b) in enumerate(pairs):
        for m, t in np.ndindex(num_persons, num_frames):
            start, end = (tuple(map(float, keypoints[m, t, joint])) for joint in (a, b))
            peak = float(min(scores[m, t, a], scores[m, t, b]))
            if peak < 1e-3:
                continue
            if math.dist(start, end) < 1:
                end, peak = start, float(scores[m, t, a])
            slow_segment(volume[channel, t], start, end, peak, sigma)
    return volume


def random_people(seed, num_persons, size, num_frames=3):
    """Joints in and around the frame, fingers often within a pixel of the wrist, some missing, some very faint."""
    rng = np.random.default_rng([seed, 1])
    height, width = size
    keypoints = rng.uniform(-0.2, 1.2, (num_persons, num_frames, 22, 2)) * [width, height]
    keypoints[:, :, 12:17] = keypoints[:, :, 7:8] + rng.normal(0, 0.5, (num_persons, num_frames, 5, 2))
    if seed % 2:
        keypoints = np.round(keypoints * 2) / 2
    scores = rng.uniform(0, 1, keypoints.shape[:-1])
    scores[rng.random(scores.shape) < 0.2] = 0
    scores[rng.random(scores.shape) < 0.1] = 5e-4
    return torch.tensor(keypoints, dtype=torch.float32), torch.tensor(scores, dtype=torch.float32)


@pytest.mark.parametrize("near", [True, False], ids=["near", "everywhere"])
@pytest.mark.parametrize("limbs", [None, LIMBS], ids=["joints", "limbs"])
@pytest.mark.parametrize(
    ("seed", "num_persons", "size", "sigma"),
    [(0, 1, (24, 30), 0.6), (1, 2, (32, 32), 0.6), (2, 3, (20, 16), 0.7), (3, 1, (64, 64), 0.6), (4, 1, (28, 28), 1.5)],
)
def test_equals_the_slow_definition(near, limbs, seed, num_persons, size, sigma, monkeypatch):
    monkeypatch.setattr(heatmaps, "LARGE_MAP", 0 if near else 10**9)
    two_frames = 4 * 2 * 21 * size[0] * size[1]
    monkeypatch.setitem(ridges.EVERYWHERE_BYTES, "cpu", two_frames)
    monkeypatch.setattr(ridges, "NEAR_BYTES", two_frames)
    monkeypatch.setattr(heatmaps, "NEAR_BYTES", two_frames)
    clips = [random_people(10 * clip + seed, num_persons, size) for clip in range(2)]
    keypoints, scores = (torch.stack(parts) for parts in zip(*clips, strict=True))
    if limbs is None:
        drawn = joint_heatmaps(keypoints, scores, size, sigma)
    else:
        drawn = limb_heatmaps(keypoints, scores, limbs, size, sigma)
    assert drawn.dtype == torch.float32
    assert drawn.is_contiguous(memory_format=torch.channels_last_3d)
    assert drawn.shape == (2, 22 if limbs is None else 21, 3, *size)
    for clip, (points, confidence) in enumerate(clips):
        expected = slow_heatmaps(points.numpy(), confidence.numpy(), size, sigma, limbs)
        assert expected.max() > 0.5
        np.testing.assert_allclose(drawn[clip].numpy(), expected, rtol=0, atol=1e-5)


@settings(max_examples=30)
@given(
    seed=st.integers(0, 10**6), num_persons=st.integers(1, 3), height=st.integers(1, 70), width=st.integers(1, 70),
    sigma=st.sampled_from([0.3, 0.6, 1.0, 4.0]), missing=st.sampled_from([0.0, math.nan, math.inf]), far=st.booleans(),
)  # fmt: skip
def test_drawing_near_the_joints_gives_the_bytes_of_drawing_everywhere(
    seed, num_persons, height, width, sigma, missing, far
):
    keypoints, scores = (part[None] for part in random_people(seed, num_persons, (height, width)))
    keypoints[scores == 0] = missing
    if far:
        keypoints[0, 0, 0, 3] *= 1e6
    memory = ReusedMemory()
    for draw in (
        lambda: joint_heatmaps(keypoints, scores, (height, width), sigma, memory),
        lambda: limb_heatmaps(keypoints, scores, LIMBS, (height, width), sigma, memory),
    ):
        drawn = []
        for large_map in (0, 10**9):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(heatmaps, "LARGE_MAP", large_map)
                drawn.append(draw().clone())
        assert torch.equal(*drawn)


@settings(max_examples=50)
@given(
    x=st.integers(0, 23), y=st.integers(0, 17), dx=st.integers(-30, 30), dy=st.integers(-30, 30),
    score=st.floats(0.01, 1),
)  # fmt: skip
def test_peak_sits_at_the_joint_and_shifts_with_it(x, y, dx, dy, score):
    def draw(u, v):
        keypoints = torch.tensor([u, v], dtype=torch.float32).reshape(1, 1, 1, 1, 2)
        return joint_heatmaps(keypoints, torch.full((1, 1, 1, 1), score), (18, 24), 0.6)[0, 0, 0]

    image = draw(x, y)
    assert image.argmax().item() == y * 24 + x
    assert image.max().item() == pytest.approx(score, rel=1e-6)
    moved = draw(x + dx, y + dy)
    if 0 <= x + dx < 24 and 0 <= y + dy < 18:
        assert moved.argmax().item() == (y + dy) * 24 + x + dx
        # away from the borders nothing but the place changes
        if all(2 <= a <= 15 for a in (y, y + dy)) and all(2 <= a <= 21 for a in (x, x + dx)):
            torch.testing.assert_close(moved, image.roll((dy, dx), (0, 1)), rtol=0, atol=1e-6)


def test_limb_covers_its_segment_with_the_smaller_score():
    keypoints = torch.tensor([[3.0, 4.0], [12.0, 4.0]]).reshape(1, 1, 1, 2, 2)
    scores = torch.tensor([0.9, 0.4]).reshape(1, 1, 1, 2)
    image = limb_heatmaps(keypoints, scores, [(0, 1)], (10, 16), 0.6)[0, 0, 0]
    torch.testing.assert_close(image[4, 3:13], torch.full((10,), 0.4))
    assert (image[4, :3] < 0.4).all() and (image[4, 13:] < 0.4).all()
    assert image[:2].eq(0).all() and image[7:].eq(0).all()


def test_missing_and_outside_joints_leave_empty_maps():
    keypoints = torch.tensor([[5.0, 5.0], [100.0, 5.0], [5.0, -40.0], [math.nan, 3.0]]).reshape(1, 1, 1, 4, 2)
    scores = torch.tensor([0.0, 1.0, 1.0, 0.0]).reshape(1, 1, 1, 4)
    assert joint_heatmaps(keypoints, scores, (16, 16), 0.6).eq(0).all()
    assert limb_heatmaps(keypoints, scores, [(0, 1), (0, 2), (1, 3), (3, 0)], (16, 16), 0.6).eq(0).all()


def test_a_person_less_than_a_pixel_outside_still_reaches_pixel_zero():
    # int() cuts towards zero in the reference, so a patch that ends at -0.5 contains pixel 0.
    keypoints = torch.tensor([-2.3, 4.0]).reshape(1, 1, 1, 1, 2)
    image = joint_heatmaps(keypoints, torch.ones(1, 1, 1, 1), (8, 8), 0.6)[0, 0, 0]
    assert image[4, 0].item() == pytest.approx(math.exp(-(2.3**2) / 0.72), rel=1e-4)


def test_persons_are_merged_by_the_larger_value():
    keypoints, scores = random_people(7, 3, (20, 20))
    alone = [joint_heatmaps(keypoints[None, m : m + 1], scores[None, m : m + 1], (20, 20), 0.6) for m in range(3)]
    together = joint_heatmaps(keypoints[None], scores[None], (20, 20), 0.6)
    assert torch.equal(together, torch.stack(alone).amax(0))


def test_mirrored_keypoints_draw_the_mirrored_limbs():
    keypoints, scores = random_people(8, 1, (32, 32))
    mirrored = keypoints[:, :, IMIGUE_22.flip_index].clone()
    mirrored[..., 0] = 31 - mirrored[..., 0]
    volume = limb_heatmaps(keypoints[None], scores[None], LIMBS, (32, 32), 0.6)
    drawn = limb_heatmaps(mirrored[None], scores[None][:, :, :, IMIGUE_22.flip_index], LIMBS, (32, 32), 0.6)
    expected = flip_heatmaps(volume, limb_flip_index(IMIGUE_22))
    # the patches are cut to whole pixels on either side of three sigma, where the values are below exp(-4.5)
    torch.testing.assert_close(drawn, expected, rtol=0, atol=math.exp(-4.5))
    assert torch.equal(flip_heatmaps(expected, limb_flip_index(IMIGUE_22)), volume)


def test_wrong_shapes_and_limbs_are_refused():
    keypoints, scores = torch.rand(1, 1, 2, 5, 2), torch.rand(1, 1, 2, 4)
    with pytest.raises(ValueError, match="expected keypoints"):
        joint_heatmaps(keypoints, scores, (8, 8), 0.6)
    with pytest.raises(ValueError, match=r"joints in 0\.\.4"):
        limb_heatmaps(keypoints, torch.rand(1, 1, 2, 5), [(0, 5)], (8, 8), 0.6)
    with pytest.raises(ValueError, match="sigma"):
        joint_heatmaps(keypoints, torch.rand(1, 1, 2, 5), (8, 8), 0.0)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_gpu_draws_the_same():
    keypoints, scores = (part[None] for part in random_people(9, 2, (64, 64)))
    for draw in (
        lambda *people: joint_heatmaps(*people, (64, 64), 0.6),
        lambda *people: limb_heatmaps(*people, LIMBS, (64, 64), 0.6),
    ):
        torch.testing.assert_close(
            draw(keypoints.cuda(), scores.cuda()).cpu(), draw(keypoints, scores), rtol=0, atol=1e-5
        )
