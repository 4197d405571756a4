"""Label assignment against slow versions. Alone: python -m pytest tests/spotting/test_assign.py"""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spotting.assign import assign_by_anchors, assign_by_predictions, pairwise_iou
from spotting.detector import make_points

WINDOW, NUM_CLASSES = 64, 3
POINTS = make_points(WINDOW)


def iou_of(a, b):
    overlap = max(0.0, min(a[1], b[1]) - max(a[0], b[0]))
    return overlap / max(1e-6, (a[1] - a[0]) + (b[1] - b[0]) - overlap)


def atss_slowly(gestures, is_point):
    """Owner of each point (-1 = background), one gesture and level at a time."""
    best = {}
    for g, (start, end) in enumerate(gestures):
        candidates = []
        for level in range(4):
            points = [p for p in range(len(POINTS.center)) if POINTS.level[p] == level and is_point[p]]
            points.sort(key=lambda p: (abs(float(POINTS.center[p]) - (start + end) / 2), p))
            candidates += points[:9]
        half = 4 * POINTS.stride
        overlaps = {
            p: iou_of((start, end), (float(POINTS.center[p] - half[p]), float(POINTS.center[p] + half[p])))
            for p in candidates
        }
        values = np.array(list(overlaps.values()))
        bar = values.mean() + values.std(ddof=1)
        for p in candidates:
            if overlaps[p] > bar and start < POINTS.center[p] < end and overlaps[p] > best.get(p, (-1.0, 0))[0]:
                best[p] = (overlaps[p], g)
    return [best.get(p, (0, -1))[1] for p in range(len(POINTS.center))]


def aligned_slowly(gestures, labels, predicted, probabilities, is_point):
    """Owner and target score of each point."""
    best = {}
    for g, gesture in enumerate(gestures):
        inside = [p for p in range(len(predicted)) if gesture[0] < POINTS.center[p] < gesture[1] and is_point[p]]
        metric = {p: probabilities[p][labels[g]] * iou_of(gesture, predicted[p]) ** 6 for p in inside}
        for p in sorted(inside, key=lambda p: -metric[p])[:9]:
            overlap = iou_of(gesture, predicted[p])
            if overlap > best.get(p, (-1.0, 0, 0.0))[0]:
                best[p] = (overlap, g, metric[p])
    scores = np.zeros(len(predicted))
    for g in range(len(gestures)):
        owned = [p for p in best if best[p][1] == g]
        for p in owned:
            scale = max(best[q][0] for q in owned) / (max(best[q][2] for q in owned) + 1e-9)
            scores[p] = best[p][2] * scale
    return [best[p][1] if p in best else -1 for p in range(len(predicted))], scores


@st.composite
def scenes(draw):
    """Gestures with odd boundaries (no ties), predictions, probabilities, and how much of the window is real."""
    seed = draw(st.integers(0, 10**6))
    rng = np.random.default_rng(seed)
    count = draw(st.integers(1, 4))
    start = rng.uniform(0, 50, count)
    gestures = np.stack([start, np.minimum(start + rng.uniform(1.5, 40, count), 64)], axis=1)
    center, stride = POINTS.center.numpy(), POINTS.stride.numpy()
    distance = rng.uniform(0, 16, (len(center), 2)) * stride[:, None]
    predicted = np.stack([center - distance[:, 0], center + distance[:, 1]], axis=1)
    real = draw(st.sampled_from([64, 64, 40]))
    is_point = (POINTS.center - 0.5 * POINTS.stride < real).numpy()
    return (
        gestures,
        rng.integers(0, NUM_CLASSES, count),
        predicted,
        rng.uniform(0, 1, (len(center), NUM_CLASSES)),
        is_point,
    )


def batch_of(scene):
    """As tensors, with one padded gesture behind."""
    gestures, labels, predicted, probabilities, is_point = scene
    gestures = np.concatenate([gestures, [[0.0, 0.0]]])
    labels = np.concatenate([labels, [-1]])
    is_gesture = labels >= 0
    double = (torch.tensor(x, dtype=torch.float64)[None] for x in (gestures, predicted, probabilities))
    gestures, predicted, probabilities = double
    return (
        gestures,
        torch.tensor(labels)[None],
        torch.tensor(is_gesture)[None],
        predicted,
        probabilities,
        torch.tensor(is_point)[None],
    )


@given(scenes())
@settings(max_examples=40)
def test_anchors_equal_the_slow_version(scene):
    gestures, labels, is_gesture, predicted, _, is_point = batch_of(scene)
    targets = assign_by_anchors(POINTS, predicted, gestures, labels, is_gesture, is_point, NUM_CLASSES)
    owners = atss_slowly(scene[0], scene[4])
    for p, owner in enumerate(owners):
        assert bool(targets.is_positive[0, p]) == (owner >= 0)
        if owner >= 0:
            assert targets.boundary[0, p].tolist() == pytest.approx(scene[0][owner])
            assert targets.score[0, p, scene[1][owner]] == pytest.approx(iou_of(scene[0][owner], scene[2][p]), abs=1e-6)
    assert (targets.score[~targets.is_positive] == 0).all()


@given(scenes())
@settings(max_examples=40)
def test_alignment_equals_the_slow_version(scene):
    gestures, labels, is_gesture, predicted, probabilities, is_point = batch_of(scene)
    targets = assign_by_predictions(POINTS, predicted, probabilities, gestures, labels, is_gesture, is_point)
    owners, scores = aligned_slowly(scene[0], scene[1], scene[2], scene[3], scene[4])
    # points with zero alignment are interchangeable: compare those that carry weight
    for p, owner in enumerate(owners):
        if scores[p] > 1e-6:
            assert targets.is_positive[0, p]
            assert targets.boundary[0, p].tolist() == pytest.approx(scene[0][owner])
    np.testing.assert_allclose(targets.score[0].sum(-1).numpy(), scores, atol=1e-6)


def test_the_best_point_of_a_gesture_gets_its_overlap():
    gestures = torch.tensor([[[10.0, 30.0]]])
    predicted = torch.stack([POINTS.center - 8, POINTS.center + 8], dim=-1)[None]
    probabilities = torch.full((1, len(POINTS.center), NUM_CLASSES), 0.3)
    is_point = torch.ones(1, len(POINTS.center), dtype=torch.bool)
    targets = assign_by_predictions(
        POINTS, predicted, probabilities, gestures, torch.tensor([[2]]), torch.tensor([[True]]), is_point
    )
    overlap = pairwise_iou(gestures, predicted)[0, 0]
    assert targets.score.max() == pytest.approx(float(overlap[targets.is_positive[0]].max()))
    assert targets.is_positive.sum() == 9
    assert (targets.score[..., :2] == 0).all()


def test_no_gesture_is_all_background():
    gestures, labels = torch.zeros(2, 1, 2), torch.full((2, 1), -1)
    no_gesture, is_point = torch.zeros(2, 1, dtype=torch.bool), torch.ones(2, len(POINTS.center), dtype=torch.bool)
    predicted = torch.stack([POINTS.center - 4, POINTS.center + 4], dim=-1).expand(2, -1, 2)
    by_anchor = assign_by_anchors(POINTS, predicted, gestures, labels, no_gesture, is_point, NUM_CLASSES)
    probabilities = torch.full((2, len(POINTS.center), NUM_CLASSES), 0.5)
    by_prediction = assign_by_predictions(POINTS, predicted, probabilities, gestures, labels, no_gesture, is_point)
    for targets in (by_anchor, by_prediction):
        assert not targets.is_positive.any() and targets.score.sum() == 0
