"""From points to segments, with numbers worked out by hand: python -m pytest -n 0 tests/spotting/test_decode.py"""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spotting.assign import assign_by_anchors, assign_by_predictions
from spotting.decode import average_models, decode_window, pool_windows
from spotting.detector import make_points

POINTS = make_points(16)  # 16 + 8 + 4 + 2 points
COUNT = len(POINTS.center)


def outputs_of(probability: float, distance: float) -> dict[str, torch.Tensor]:
    return {
        "class_logits": torch.full((1, COUNT, 2), probability).logit(),
        "distances": torch.full((1, COUNT, 2), distance),
    }


def test_late_fusion_averages_probabilities_and_distances():
    """0.2 and 0.6 give 0.4, and not the 0.38 of averaged logits; distances of 1 and 4 give 2.5."""
    probabilities, distances = average_models([outputs_of(0.2, 1.0), outputs_of(0.6, 4.0)])
    torch.testing.assert_close(probabilities, torch.full((1, COUNT, 2), 0.4))
    torch.testing.assert_close(distances, torch.full((1, COUNT, 2), 2.5))


def test_a_point_keeps_its_best_class_and_is_clipped():
    """Point 3 of level 2 (stride 4) stands at frame 14: 1.5 strides back to 8, 2 ahead to 22, cut at 16, the window."""
    probabilities, distances = torch.zeros(COUNT, 3), torch.zeros(COUNT, 2)
    index = 16 + 8 + 3
    probabilities[index], distances[index] = torch.tensor([0.3, 0.7, 0.69]), torch.tensor([1.5, 2.0])
    is_point = torch.ones(COUNT, dtype=torch.bool)
    for num_frames, end in ((500, 116), (110, 110)):  # and at the video's end
        found = decode_window(POINTS, probabilities, distances, is_point, 100, num_frames)
        assert (found.start.tolist(), found.end.tolist(), found.label.tolist()) == ([108], [end], [1])
        assert found.score.tolist() == pytest.approx([0.7])
    is_point[index] = False
    assert len(decode_window(POINTS, probabilities, distances, is_point, 100, 500)) == 0


@given(st.integers(0, 10**6))
@settings(max_examples=30, deadline=None)
def test_decoding_equals_the_loop_over_points(seed):
    rng = np.random.default_rng(seed)
    probabilities = torch.from_numpy(rng.uniform(0, 0.05, (COUNT, 3)))
    distances = torch.from_numpy(rng.uniform(0, 6, (COUNT, 2)))
    is_point = torch.from_numpy(rng.random(COUNT) < 0.8)
    start, num_frames = 40, 50
    expected = []
    for p in range(COUNT):
        center, stride = float(POINTS.center[p]), float(POINTS.stride[p])
        first = min(start + max(0.0, center - float(distances[p, 0]) * stride), num_frames)
        last = min(start + min(16.0, center + float(distances[p, 1]) * stride), num_frames)
        score = float(probabilities[p].max())
        if is_point[p] and score >= 0.01 and last > first:
            expected.append((first, last, int(probabilities[p].argmax()), score))
    found = pool_windows([decode_window(POINTS, probabilities, distances, is_point, start, num_frames)])
    rows = np.stack([found.start, found.end, found.label, found.score], axis=1)
    np.testing.assert_allclose(rows, np.array(expected).reshape(-1, 4))


def test_anchors_of_a_gesture_by_hand():
    """Gesture 3 to 13 in a window of 16: its middle is 8, anchors are 8 strides long.

    Level 0 offers the nine points 4 to 12 or 3 to 11 (7.5 and 8.5 are the nearest), level 1 all 8, level 2 all 4, level
    3 both. Level 0: anchors of length 8 inside the gesture overlap by 8 / 10; level 1: length 16 by 10 / 16 = 0.625 and
    less; levels 2 and 3 by 10 / 32 and 10 / 64. Only level 0 passes mean + deviation.
    """
    gestures, labels = torch.tensor([[[3.0, 13.0]]]), torch.tensor([[1]])
    predicted = torch.stack([POINTS.center - 2, POINTS.center + 2], dim=-1)[None]  # 4 frames
    real, is_point = labels >= 0, torch.ones(1, COUNT, dtype=torch.bool)
    targets = assign_by_anchors(POINTS, predicted, gestures, labels, real, is_point, 2)
    chosen = targets.is_positive[0].nonzero()[:, 0].tolist()
    assert {7, 8} <= set(chosen) <= set(range(16))
    assert targets.score[0, 7].tolist() == pytest.approx([0, 0.4])  # the prediction, 5.5 to 9.5, is 4 of 10 frames
    assert targets.boundary[0, 7].tolist() == [3, 13]


def test_alignment_by_hand():
    """Of three points, p and IoU 0.5 and 0.8, 0.9 and 0.4, 0.2 and 0.8: p * IoU^6 is 0.131, 0.0037, 0.0524.

    The best gets the best IoU, 0.8; the others their share of it: 0.0225 and 0.32.
    """
    gestures, labels = torch.tensor([[[0.0, 10.0]]]), torch.tensor([[0]])
    predicted = torch.zeros(1, COUNT, 2)
    is_point = torch.zeros(1, COUNT, dtype=torch.bool)
    probabilities = torch.zeros(1, COUNT, 1)
    for point, probability, length in ((2, 0.5, 8.0), (5, 0.9, 4.0), (8, 0.2, 8.0)):
        is_point[0, point], probabilities[0, point, 0] = True, probability
        predicted[0, point, 1] = length
    targets = assign_by_predictions(POINTS, predicted, probabilities, gestures, labels, labels >= 0, is_point)
    assert targets.is_positive[0].nonzero()[:, 0].tolist() == [2, 5, 8]
    assert targets.score[0, [2, 5, 8], 0].tolist() == pytest.approx([0.8, 0.0225, 0.32], rel=1e-3)
