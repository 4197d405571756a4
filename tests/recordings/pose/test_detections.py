"""Anchors, decoding, doubles. Alone: python -m pytest -n 0 tests/recordings/pose/test_detections.py"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recordings.pose import body, face
from recordings.pose.detections import Detections, decode, overlaps, ssd_anchors, weighted_suppression


def logit(share):
    return np.log(share / (1 - share))


@pytest.mark.parametrize(("side", "strides", "count"), [(224, body.STRIDES, 2254), (128, face.STRIDES, 896)])
def test_as_many_anchors_as_the_networks_have(side, strides, count):
    anchors = ssd_anchors(side, strides)
    assert anchors.shape == (count, 2)
    assert anchors.min() > 0 and anchors.max() < 1
    assert np.allclose(anchors.mean(axis=0), 0.5)


def test_anchors_go_row_by_row_and_two_share_a_place():
    anchors = ssd_anchors(224, body.STRIDES)
    assert np.allclose(anchors[:4], [[0.5 / 28, 0.5 / 28]] * 2 + [[1.5 / 28, 0.5 / 28]] * 2)
    assert np.allclose(anchors[-6:], [[6.5 / 7, 6.5 / 7]] * 6)  # three layers of one stride are one grid


def test_decoding_keeps_what_is_sure_best_first():
    anchors = np.array([[0.25, 0.25], [0.5, 0.5], [0.75, 0.75]])
    raw = np.array([[0, 0, 10, 20, 1, 2], [10, 20, 50, 50, 30, 40], [0, 0, 10, 10, 0, 0]], float)
    found = decode(raw, np.array([logit(0.6), logit(0.9), logit(0.4)]), anchors, side=100)
    assert np.allclose(found.scores, [0.9, 0.6])
    assert np.allclose(found.boxes, [[0.35, 0.45, 0.85, 0.95], [0.2, 0.15, 0.3, 0.35]])
    assert np.allclose(found.points, [[[0.8, 0.9]], [[0.26, 0.27]]])


def test_nothing_found_is_nothing():
    found = decode(np.zeros((3, 12)), np.full(3, -200.0), np.zeros((3, 2)), 224)
    assert len(weighted_suppression(found)) == 0
    assert found.points.shape == (0, 4, 2)


def test_doubles_become_their_weighted_mean():
    boxes = np.array([[0, 0, 0.4, 0.4], [0.5, 0.5, 0.9, 0.9], [0.1, 0, 0.5, 0.4]])
    found = Detections(boxes, boxes.reshape(3, 2, 2), np.array([0.9, 0.8, 0.6]))
    left = weighted_suppression(found)
    assert np.allclose(left.boxes, [[0.04, 0, 0.44, 0.4], boxes[1]])
    assert np.allclose(left.points[0], left.boxes[0].reshape(2, 2))
    assert np.allclose(left.scores, [0.9, 0.8])


@given(st.lists(st.tuples(*[st.floats(0, 1)] * 4), min_size=1, max_size=12))
def test_what_is_left_is_made_of_what_was_found(numbers):
    corners = np.array(numbers).reshape(-1, 2, 2)
    boxes = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
    scores = np.linspace(1, 0.5, len(boxes))
    left = weighted_suppression(Detections(boxes, corners, scores))
    assert 1 <= len(left) <= len(boxes)
    assert set(left.scores) <= set(scores) and (np.diff(left.scores) < 0).all()
    assert (left.boxes >= boxes.min(axis=0) - 1e-9).all() and (left.boxes <= boxes.max(axis=0) + 1e-9).all()


def test_overlaps():
    others = np.array([[0, 0, 2, 2], [1, 0, 3, 2], [5, 5, 6, 6], [0, 0, 0, 0]], float)
    assert np.allclose(overlaps(others[0], others), [1, 1 / 3, 0, 0])
    assert np.allclose(overlaps(others[3], others[3:]), 0)
