"""Windows of a long video. Alone: python -m pytest tests/spotting/test_windows.py"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotting.segments import empty_segments, make_segments
from spotting.windows import draw_window, gestures_in_window, window_starts


@given(st.integers(1, 3000), st.integers(1, 600), st.data())
def test_windows_cover_every_frame(num_frames, length, data):
    stride = data.draw(st.integers(1, length))
    starts = window_starts(num_frames, length, stride)
    covered = np.zeros(num_frames, dtype=bool)
    for start in starts:
        covered[start : start + length] = True
    assert covered.all()
    assert (np.diff(starts) > 0).all()
    assert starts[0] == 0
    assert len(starts) == 1 or starts[-1] + length == num_frames


def test_bad_numbers_are_refused():
    with pytest.raises(ValueError, match="stride"):
        window_starts(100, 10, 11)


def test_a_gesture_needs_more_than_nine_tenths_inside_and_is_clipped():
    gestures = make_segments([0, 95, 90, 300], [50, 205, 190, 310], [0, 1, 2, 3])
    inside = gestures_in_window(gestures, 100, 128)
    # 95-205 has 105 of 110 frames inside; 90-190 has exactly nine tenths, which is not more
    assert inside.label.tolist() == [1]
    assert inside.start.tolist() == [0] and inside.end.tolist() == [105]


def test_empty_windows_are_kept_by_share():
    gestures = make_segments([10], [20], [0])
    for share in (0.0, 0.2, 1.0):
        rng = np.random.default_rng(0)
        starts = [draw_window(gestures, 5000, 2000, 64, 32, share, rng) for _ in range(400)]
        is_empty = [len(gestures_in_window(gestures, start, 64)) == 0 for start in starts]
        assert np.mean(is_empty) == pytest.approx(share, abs=0.06)


@given(st.integers(1, 400), st.integers(0, 400), st.integers(0, 10**6))
def test_drawn_windows_stay_in_the_video(num_frames, slot, seed):
    gestures = make_segments([0], [min(30, num_frames)], [0])
    rng = np.random.default_rng(seed)
    start = draw_window(gestures, num_frames, slot, 64, 32, 0.2, rng)
    assert 0 <= start <= max(0, num_frames - 64)
    assert start == draw_window(gestures, num_frames, slot, 64, 32, 0.2, np.random.default_rng(seed))


def test_a_video_without_gestures_keeps_its_windows():
    assert draw_window(empty_segments(), 100, 32, 64, 32, 0.0, np.random.default_rng(0)) in range(37)
