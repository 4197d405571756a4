"""Whom to follow, how landmarks are refined and smoothed.

Alone: python -m pytest -n 0 tests/recordings/pose/test_body.py
"""

import numpy as np
import pytest

from recordings.pose.body import parts_of, person_of, refine
from recordings.pose.roi import Roi
from recordings.pose.smoothing import OneEuro


def person(x, radius):
    """Hips at (x, 60), a circle of that radius."""
    return [[x, 60], [x, 60 - radius]]


def test_the_largest_person_is_meant():
    roi = person_of(np.array([person(40, 20), person(60, 30)]), 100)
    assert (roi.x, roi.y) == pytest.approx((60, 60))
    assert roi.size == pytest.approx(2 * 30 * 1.25)
    assert roi.angle == pytest.approx(0)


def test_of_two_as_large_the_one_in_the_middle():
    assert person_of(np.array([person(5, 30), person(50, 30)]), 100).x == pytest.approx(50)


def test_nobody_is_none():
    assert person_of(np.zeros((0, 2, 2)), 100) is None


@pytest.mark.parametrize("shape", [(156, 208), (300, 100), (64, 64), (10, 200)])
def test_parts_cover_the_picture_and_overlap_by_half(shape):
    parts = parts_of(np.zeros((*shape, 3)))
    rows, columns = np.mgrid[: shape[0], : shape[1]] + 0.5
    seen = [(abs(columns - p.x) <= p.size / 2) & (abs(rows - p.y) <= p.size / 2) for p in parts]
    assert np.any(seen, axis=0).all()
    xs = np.unique([part.x for part in parts])
    assert len(xs) == 1 or np.diff(xs).max() <= max(shape) / 4 + 1e-9


def test_refining_goes_to_the_heat_and_leaves_what_is_cold_or_outside():
    heat = np.full((64, 64, 3), -50.0)
    heat[30, 22, :2] = 10
    shares = np.array([[20.5 / 64, 31.5 / 64], [40.5 / 64, 40.5 / 64], [1.2, 0.5]])
    refined = refine(shares, heat)
    assert np.allclose(refined[0], [22 / 64, 30 / 64])
    assert np.array_equal(refined[1:], shares[1:])


def test_smoothing_by_a_slow_twin():
    rng = np.random.default_rng(0)
    values = rng.normal(0, 3, (20, 2)).cumsum(axis=0)
    smooth = OneEuro(0.05, 80.0, fps=25)
    got = np.array([smooth(row, 100.0) for row in values])
    for column in range(2):
        mean, speed, last = values[0, column], 0.0, values[0, column]
        for number, value in enumerate(values[1:, column], start=1):
            weight = 1 / (1 + 25 / (2 * np.pi * 1.0))
            speed = weight * (value - last) / 100 * 25 + (1 - weight) * speed
            weight = 1 / (1 + 25 / (2 * np.pi * (0.05 + 80 * abs(speed))))
            mean, last = weight * value + (1 - weight) * mean, value
            assert got[number, column] == pytest.approx(mean)


def test_a_resting_value_is_not_moved():
    smooth = OneEuro(0.05, 80.0, fps=25)
    assert all(np.array_equal(smooth(np.array([3.0]), 10), [3.0]) for _ in range(5))


def test_the_square_of_a_frame_is_found_again_from_its_own_points():
    roi = Roi(50, 40, 60, 0.3)
    again = person_of(roi.to_picture(np.array([[0.5, 0.5], [0.5, 0.5 - 0.5 / 1.25]]))[None], 100)
    assert np.allclose([again.x, again.y, again.size, again.angle], [50, 40, 60, 0.3])
