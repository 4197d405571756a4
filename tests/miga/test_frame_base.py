"""How files number frames: python -m pytest tests/miga/test_frame_base.py"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from miga.frame_base import FrameBase
from recordings.readers.label_files import LabelRow, segments_of
from recordings.recording import Problems

BASES = [FrameBase(0), FrameBase(1)]


@given(st.sampled_from(BASES), st.integers(0, 10_000), st.integers(1, 500))
def test_there_and_back_is_the_identity(base, start, length):
    first, last = base.to_file(start, start + length)
    assert first == start + base.first and last - first + 1 == length
    assert base.from_file(first, last) == (start, start + length)


@pytest.mark.parametrize("base", BASES)
def test_a_segment_is_at_least_one_whole_frame_long(base):
    first, last = base.to_file(np.array([4.4, 4.6, 0.0]), np.array([4.5, 4.6, 0.2]))
    np.testing.assert_array_equal(first, np.array([4, 5, 0]) + base.first)
    np.testing.assert_array_equal(last, first)


@pytest.mark.parametrize("base", BASES)
def test_a_label_row_is_read_in_the_base_of_its_file(tmp_path, base):
    first = base.first
    rows = [LabelRow(0, 7, first, first + 9), LabelRow(1, 7, first + 9, first + 10), LabelRow(2, 7, first - 1, first)]
    problems = Problems()
    arguments = {"rows": rows, "path": tmp_path / "v.csv", "video_id": "v", "split": "train", "num_frames": 10}
    (segment,) = segments_of(**arguments, base=base, code2label={7: 0}, problems=problems)
    assert (segment.start_frame, segment.num_frames) == (0, 10)
    assert [what for what, _ in problems.bad] == ["v_1", "v_2"]
    assert f"the recording has frames {first} to {first + 9}" in problems.bad[0][1]
