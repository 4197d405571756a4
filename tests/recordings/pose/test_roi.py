"""Turned squares and the way back from them. Alone: python -m pytest -n 0 tests/recordings/pose/test_roi.py"""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recordings.pose.roi import DOWN, RIGHT, UP, Roi, angle_between, around_circle, around_points, may_go_on, whole

NUMBERS = st.floats(-500, 500)
ROIS = st.builds(Roi, NUMBERS, NUMBERS, st.floats(1, 800), st.floats(-np.pi, np.pi))
ALIKE = {"degrees": 15, "move": 0.1, "scale": 0.3, "margin": -0.2}


@given(ROIS, st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=5))
def test_there_and_back(roi, points):
    points = np.array(points)
    assert np.allclose(roi.to_picture(roi.to_crop(points)), points, atol=1e-6)


@given(ROIS)
def test_the_middle_of_a_crop_is_the_middle_of_the_square(roi):
    assert np.allclose(roi.to_picture(np.array([[0.5, 0.5]])), [[roi.x, roi.y]])


@given(ROIS, st.floats(0.1, 4), st.floats(-0.5, 0.5))
def test_growing_moves_along_the_crop_s_own_y(roi, scale, shift):
    grown = roi.grown(scale, shift)
    assert np.allclose(roi.to_crop(np.array([[grown.x, grown.y]])), [[0.5, 0.5 + shift]])
    assert grown.size == pytest.approx(scale * roi.size)


@given(st.tuples(NUMBERS, NUMBERS), st.floats(0, 6.2), st.floats(1, 300))
def test_a_circle_s_rim_points_up_in_its_crop(center, angle, radius):
    center = np.array(center)
    rim = center + radius * np.array([np.cos(angle), np.sin(angle)])
    roi = around_circle(center, rim)
    assert np.allclose(roi.to_crop(rim[None]), [[0.5, 0.0]], atol=1e-6)
    assert np.allclose(around_circle(center, rim, DOWN).to_crop(rim[None]), [[0.5, 1.0]], atol=1e-6)


def test_an_upright_person_is_not_turned():
    assert angle_between(np.array([5.0, 9.0]), np.array([5.0, 2.0]), UP) == pytest.approx(0)
    assert angle_between(np.array([5.0, 9.0]), np.array([8.0, 9.0]), RIGHT) == pytest.approx(0)


@given(st.floats(-3, 3), st.booleans())
def test_a_box_of_points_holds_them(angle, as_turned):
    points = np.random.default_rng(0).normal(0, 50, (12, 2))
    roi = around_points(points, angle, as_turned)
    if as_turned:
        shares = roi.to_crop(points)
        assert shares.min() > -1e-9 and shares.max() < 1 + 1e-9
    else:  # the box lies along the picture's axes
        assert np.abs(points - (roi.x, roi.y)).max() <= roi.size / 2 + 1e-9


@pytest.mark.parametrize("angle", [0.0, 0.4, np.pi / 2, -2.5])
def test_a_spot_lies_in_the_crop_where_to_crop_says(angle):
    """The spot is drawn, cut out with its surroundings and found again."""
    spot = np.array([70.0, 40.0])
    rows, columns = np.mgrid[:90, :120]
    bright = 255 * np.exp(-((columns + 0.5 - spot[0]) ** 2 + (rows + 0.5 - spot[1]) ** 2) / 18)
    picture = np.repeat(bright[..., None], 3, axis=2).astype(np.uint8)
    roi = Roi(60, 45, 60, angle)
    crop = roi.crop(picture, 120, cv2.BORDER_CONSTANT)[..., 0].astype(float)
    rows, columns = np.mgrid[:120, :120] + 0.5
    found = np.array([(crop * columns).sum(), (crop * rows).sum()]) / crop.sum() / 120
    assert np.abs(found - roi.to_crop(spot[None])[0]).max() < 0.003


def test_a_whole_picture_is_cut_with_bars():
    picture = np.full((50, 100, 3), 200, np.uint8)
    crop = whole(picture).crop(picture, 100, cv2.BORDER_CONSTANT)
    assert (crop[30:70] == 200).all() and (crop[:20] == 0).all() and (crop[80:] == 0).all()


def test_following_ends_where_the_square_jumps():
    old = Roi(100, 100, 50)
    inside = np.array([[95.0, 95.0], [110.0, 105.0]])
    assert may_go_on(old, inside, Roi(102, 101, 55, 0.1), **ALIKE)
    assert may_go_on(old, inside, Roi(100, 100, 50, 2 * np.pi - 0.1), **ALIKE)
    assert not may_go_on(old, inside, Roi(108, 100, 50), **ALIKE)  # moved
    assert not may_go_on(old, inside, Roi(100, 100, 80), **ALIKE)  # scaled
    assert not may_go_on(old, inside, Roi(100, 100, 50, 0.5), **ALIKE)  # turned
    assert not may_go_on(old, inside + 20, Roi(100, 100, 50), **ALIKE)  # points outside
