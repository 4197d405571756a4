"""Losses of the detector. Alone: python -m pytest tests/spotting/test_losses.py"""

import math

import pytest
import torch

from spotting.assign import Targets, assign_by_anchors, assign_by_predictions
from spotting.detector import Detector, decode_boundaries, make_points
from spotting.losses import detection_loss, distribution_focal, segment_iou, varifocal


def test_varifocal_equals_the_formula():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 5, 3, generator=generator)
    target = torch.rand(2, 5, 3, generator=generator) * (torch.rand(2, 5, 3, generator=generator) < 0.3)
    is_point = torch.rand(2, 5, generator=generator) < 0.8
    expected = 0.0
    for b in range(2):
        for i in range(5):
            for k in range(3):
                p, q = float(logits[b, i, k].sigmoid()), float(target[b, i, k])
                weight = q if q > 0 else 0.75 * p**2
                cross_entropy = -(q * math.log(p) + (1 - q) * math.log(1 - p))
                expected += weight * cross_entropy * bool(is_point[b, i])
    assert float(varifocal(logits, target, is_point)) == pytest.approx(expected, rel=1e-5)


def test_distribution_of_a_quarter():
    """t = 3.25 puts 0.75 on bin 3 and 0.25 on bin 4."""
    logits = torch.randn(1, 2, 17, generator=torch.Generator().manual_seed(0), requires_grad=True)
    loss = distribution_focal(logits, torch.full((1, 2), 3.25))
    log_p = logits.detach().log_softmax(-1)[0]
    assert loss.item() == pytest.approx(float(-(0.75 * log_p[:, 3] + 0.25 * log_p[:, 4]).mean()))
    (grad,) = torch.autograd.grad(loss.sum(), logits)
    weights = logits.softmax(-1) - 2 * grad  # the gradient of cross-entropy is p - q, halved by the mean over sides
    assert weights[0, 0, 3].item() == pytest.approx(0.75, abs=1e-5)
    assert weights[0, 0, 4].item() == pytest.approx(0.25, abs=1e-5)


def test_distances_out_of_reach_are_clipped():
    logits = torch.randn(2, 2, 17)
    far = distribution_focal(logits, torch.full((2, 2), 99.0))
    torch.testing.assert_close(far, distribution_focal(logits, torch.full((2, 2), 15.99)))
    torch.testing.assert_close(
        distribution_focal(logits, -torch.ones(2, 2)), distribution_focal(logits, torch.zeros(2, 2))
    )


def test_overlap_of_pairs():
    a, b = torch.tensor([[0.0, 10], [0, 4], [3, 3]]), torch.tensor([[5.0, 15], [6, 8], [3, 3]])
    assert segment_iou(a, b).tolist() == pytest.approx([5 / 15, 0, 0])


def test_the_whole_equals_the_weighted_sum():
    points = make_points(16)
    count = len(points.center)
    generator = torch.Generator().manual_seed(1)
    distance_logits = torch.randn(1, count, 2, 17, generator=generator)
    outputs = {
        "class_logits": torch.randn(1, count, 2, generator=generator),
        "distance_logits": distance_logits,
        "distances": distance_logits.softmax(-1) @ torch.arange(17.0),
        "is_point": torch.ones(1, count, dtype=torch.bool),
    }
    score = torch.zeros(1, count, 2)
    score[0, 3, 1], score[0, 17, 0] = 0.5, 0.25
    boundary = torch.tensor([2.0, 9.0]).expand(1, count, 2)
    loss = detection_loss(points, outputs, Targets(score, boundary, score.sum(-1) > 0))
    iou_term = focal_term = 0.0
    for p, q in ((3, 0.5), (17, 0.25)):
        predicted = decode_boundaries(points, outputs["distances"])[0, p]
        iou_term += q * (1 - float(segment_iou(predicted, torch.tensor([2.0, 9.0]))))
        center, stride = float(points.center[p]), float(points.stride[p])
        side = torch.tensor([[(center - 2) / stride, (9 - center) / stride]])
        focal_term += q * float(distribution_focal(distance_logits[0, p][None], side))
    vfl = float(varifocal(outputs["class_logits"], score, outputs["is_point"]))
    assert float(loss) == pytest.approx((vfl + 2.5 * iou_term + 0.5 * focal_term) / 0.75, rel=1e-4)


def test_windows_without_gestures_have_a_finite_loss():
    points = make_points(16)
    detector = Detector(4, 2, 8, 8)
    outputs = detector(torch.randn(1, 16, 4), torch.ones(1, 16, dtype=torch.bool))
    count = len(points.center)
    nothing = Targets(torch.zeros(1, count, 2), torch.zeros(1, count, 2), torch.zeros(1, count, dtype=torch.bool))
    loss = detection_loss(points, outputs, nothing)
    loss.backward()
    assert loss.isfinite()


def test_detector_overfits_two_windows():
    torch.manual_seed(0)
    points = make_points(64)
    tokens = torch.randn(2, 64, 16)
    is_frame = torch.ones(2, 64, dtype=torch.bool)
    gestures = torch.tensor([[[5.0, 20.0], [30.0, 60.0]], [[40.0, 48.0], [0.0, 0.0]]])
    labels = torch.tensor([[0, 2], [1, -1]])
    detector = Detector(16, 3, 24, 24)
    optimizer = torch.optim.Adam(detector.parameters(), lr=5e-3)
    for step in range(60):
        outputs = detector(tokens, is_frame)
        with torch.no_grad():
            predicted = decode_boundaries(points, outputs["distances"])
            if step < 15:
                targets = assign_by_anchors(points, predicted, gestures, labels, labels >= 0, outputs["is_point"], 3)
            else:
                targets = assign_by_predictions(
                    points,
                    predicted,
                    outputs["class_logits"].sigmoid(),
                    gestures,
                    labels,
                    labels >= 0,
                    outputs["is_point"],
                )
        loss = detection_loss(points, outputs, targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        outputs = detector.eval()(tokens, is_frame)
    predicted = decode_boundaries(points, outputs["distances"])
    probabilities = outputs["class_logits"].sigmoid()
    for window, g in ((0, 0), (0, 1), (1, 0)):
        best = probabilities[window, :, labels[window, g]].argmax()
        assert float(segment_iou(predicted[window, best], gestures[window, g])) > 0.8
        assert probabilities[window, best, labels[window, g]] > 0.5
