"""Windows of a long video. Alone: python -m pytest tests/spotting/test_windows.py"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotting.segments import empty_segments, make_segments
from spotting.windows import gestures_in_window, training_windows, window_starts


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
    gestures = {"a": make_segments([10], [20], [0]), "b": empty_segments()}
    num_frames = {"a": 5000, "b": 5000}
    count = {
        share: len(training_windows(gestures, num_frames, 64, 32, share, np.random.default_rng(0)))
        for share in (0.0, 0.2, 1.0)
    }
    assert 1 <= count[0.0] <= 3  # the gesture near the start of the video is in at least one window
    assert count[1.0] > 300
    assert 0.1 < (count[0.2] - count[0.0]) / (count[1.0] - count[0.0]) < 0.3


def test_same_generator_same_windows_and_epochs_differ():
    gestures, num_frames = {"a": make_segments(range(0, 900, 30), range(20, 920, 30), [0] * 30)}, {"a": 1000}
    first, again, other = (
        training_windows(gestures, num_frames, 128, 64, 0.2, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other
    assert all(0 <= window.start <= 1000 - 128 for window in first + other)
