"""Targets and losses of the second detector. Alone: python -m pytest tests/spotting/actionformer/test_losses.py"""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spotting.actionformer.detector import TriDet, grid_points
from spotting.actionformer.losses import distance_iou, focal, iou_of_distances, tridet_loss
from spotting.actionformer.targets import assign_by_range, reach_of
from spotting.decode import decode_window

WINDOW, NUM_CLASSES = 64, 3
POINTS = grid_points(WINDOW, 4)


def assigned_slowly(gestures, labels, is_point):
    """Classes and gesture of each point, one at a time."""
    found = []
    for center, stride, level, real in zip(*(x.tolist() for x in POINTS), is_point, strict=True):
        best = []
        for g, (start, end) in enumerate(gestures):
            low, high = [(0, 4), (4, 8), (8, 16), (16, math.inf)][level]
            middle = (start + end) / 2
            near = max(start, middle - 1.5 * stride) < center < min(end, middle + 1.5 * stride)
            if real and near and low <= max(center - start, end - center) <= high:
                best.append((end - start, g))
        shortest = min(best, default=(0, -1))
        found.append(({labels[g] for length, g in best if length == shortest[0]}, shortest[1]))
    return found


@given(
    st.lists(st.tuples(st.integers(0, 100), st.integers(1, 100), st.integers(0, 2)), max_size=5),
    st.integers(0, WINDOW),
)
@settings(max_examples=150, deadline=None)
def test_assignment_equals_the_slow_version(rows, num_frames):
    gestures = [(start / 2, (start + length) / 2) for start, length, _ in rows]
    labels = [label for *_, label in rows]
    is_point = (POINTS.center < num_frames).tolist()
    padded = torch.zeros(1, 6, 2)
    padded[0, : len(rows)] = torch.tensor(gestures).view(-1, 2)
    classes = torch.tensor([labels + [-1] * (6 - len(labels))])
    targets = assign_by_range(POINTS, padded, classes, torch.tensor([is_point]), NUM_CLASSES)
    for p, (named, owner) in enumerate(assigned_slowly(gestures, labels, is_point)):
        assert bool(targets.is_positive[0, p]) == (owner >= 0)
        assert set(torch.nonzero(targets.score[0, p])[:, 0].tolist()) == named
        if owner >= 0:
            assert targets.boundary[0, p].tolist() == list(gestures[owner])


def test_ranges_of_the_published_six_levels():
    low, high = reach_of(grid_points(32, 6))
    pairs = sorted(set(zip(low.tolist(), high.tolist(), strict=True)))
    assert pairs == [(0, 4), (4, 8), (8, 16), (16, 32), (32, 64), (64, math.inf)]


def test_losses_by_hand():
    a, b = torch.tensor([[2.0, 4.0], [1.0, 1.0]]), torch.tensor([[4.0, 2.0], [3.0, 3.0]])
    assert iou_of_distances(a, b).tolist() == pytest.approx([4 / 8, 2 / 6])
    # Middles +1 and -1, gap 2, hull 8; the second pair has one middle.
    assert distance_iou(a, b).tolist() == pytest.approx([0.5 + (2 / 8) ** 2, 1 - 1 / 3])
    torch.testing.assert_close(distance_iou(a.flip(1), b.flip(1)), distance_iou(a, b))  # time reversed
    logits, target = torch.tensor([0.0, math.log(3.0)]), torch.tensor([1.0, 0.0])  # p = 1/2 and 3/4
    expected = [0.25 * 0.5**2 * math.log(2), 0.75 * 0.75**2 * math.log(4)]
    assert focal(logits, target).tolist() == pytest.approx(expected)


def test_the_whole_by_hand():
    """One positive point of one class: focal weighted by IoU**0.2, and distance-IoU, over the moving average."""
    points = grid_points(4, 1)
    gestures, labels = torch.tensor([[[1.0, 2.0]]]), torch.tensor([[1]])
    is_point = torch.tensor([[True, True, True, False]])
    targets = assign_by_range(points, gestures, labels, is_point, 2)
    assert targets.is_positive.tolist() == [[False, True, False, False]]
    distances = torch.zeros(1, 4, 2, 2)
    distances[0, 1, 1] = torch.tensor([0.5, 1.5])
    outputs = {
        "class_logits": torch.zeros(1, 4, 2), "distances": distances, "is_point": is_point,
        "num_positives": torch.tensor(100.0),
    }  # fmt: skip
    loss = tridet_loss(points, outputs, targets)
    classes = (5 * 0.75 + 0.25 * 0.5**0.2) * 0.25 * math.log(2)
    boundary = 0.5 + (0.5 / 2) ** 2
    assert outputs["num_positives"].item() == pytest.approx(90.1)
    assert loss.item() == pytest.approx((classes + boundary) / 90.1)


def test_a_window_without_gestures_has_a_loss():
    points, outputs = grid_points(8, 2), TriDet(4, 3, 16, 2)(torch.zeros(1, 8, 4), torch.ones(1, 8, dtype=torch.bool))
    targets = assign_by_range(points, torch.zeros(1, 5, 2), torch.full((1, 5), -1), outputs["is_point"], 3)
    loss = tridet_loss(points, outputs, targets)
    loss.backward()
    assert loss.isfinite() and not targets.is_positive.any()


@pytest.mark.parametrize(("kind", "max_distance"), [("sgp", 8), ("attention", 0)])
def test_training_finds_the_gestures_of_a_toy(kind, max_distance):
    """Channel 0 or 1 is on during a gesture of class 0 or 1."""
    torch.manual_seed(0)
    model, points = TriDet(2, 2, 16, 4, kind, 2, 4, max_distance), grid_points(WINDOW, 4)
    gestures, labels = torch.tensor([[[5.0, 17.0], [30.0, 58.0]]]), torch.tensor([[0, 1]])
    tokens = torch.zeros(1, WINDOW, 2)
    tokens[0, 5:17, 0] = tokens[0, 30:58, 1] = 1
    is_frame = torch.ones(1, WINDOW, dtype=torch.bool)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    losses = []
    for _ in range(120):
        outputs = model(tokens, is_frame)
        loss = tridet_loss(points, outputs, assign_by_range(points, gestures, labels, outputs["is_point"], 2))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item() * outputs["num_positives"].item())
    assert losses[-1] < 0.2 * losses[0]
    with torch.no_grad():
        outputs = model.eval()(tokens, is_frame)
    found = decode_window(
        points, outputs["class_logits"][0].sigmoid(), outputs["distances"][0], is_frame.new_ones(len(points.center)),
        0, WINDOW,
    )  # fmt: skip
    for (start, end), label in zip(gestures[0].tolist(), (0, 1), strict=True):
        best = found[found.label == label]
        best = best[[best.score.argmax()]]
        assert abs(best.start[0] - start) < 2.5 and abs(best.end[0] - end) < 2.5
