"""Uniform sampling: in range, ascending, evenly spread, and the same test views every time.

Run alone: python -m pytest tests/miga/transforms/test_sampling.py
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from miga.transforms.sampling import uniform_sample, uniform_sample_test

LENGTHS = range(1, 201)


def check_indexes(indexes, num_frames, clip_len):
    assert indexes.shape == (clip_len,)
    assert indexes.min() >= 0 and indexes.max() < num_frames
    steps = np.diff(indexes)
    if num_frames < clip_len:
        assert (steps % num_frames == 1 % num_frames).all()
    elif num_frames < 2 * clip_len:
        assert set(steps) <= {1, 2}
        assert indexes[0] <= 1 and indexes[-1] >= num_frames - 2
    else:
        edges = np.array([i * num_frames // clip_len for i in range(clip_len + 1)])
        assert (edges[:-1] <= indexes).all() and (indexes < edges[1:]).all()


@pytest.mark.parametrize("clip_len", [1, 7, 48])
def test_every_length_gives_valid_indexes(clip_len):
    rng = np.random.default_rng([3])
    for num_frames in LENGTHS:
        check_indexes(uniform_sample(num_frames, clip_len, rng), num_frames, clip_len)
        for view in uniform_sample_test(num_frames, clip_len, num_clips=10):
            check_indexes(view, num_frames, clip_len)


@given(num_frames=st.integers(1, 400), clip_len=st.integers(1, 64), seed=st.integers(0, 2**32))
def test_same_generator_same_frames(num_frames, clip_len, seed):
    first, second = (uniform_sample(num_frames, clip_len, np.random.default_rng(seed)) for _ in range(2))
    assert np.array_equal(first, second)
    check_indexes(first, num_frames, clip_len)


@pytest.mark.parametrize("num_frames", [5, 48, 60, 95, 96, 300])
def test_every_frame_can_be_drawn(num_frames):
    rng = np.random.default_rng([4])
    seen = np.concatenate([uniform_sample(num_frames, 48, rng) for _ in range(300)])
    assert set(seen) == set(range(num_frames))


def test_short_clips_start_where_the_rule_says():
    assert uniform_sample_test(4, 6, num_clips=5)[:, 0].tolist() == [0, 1, 2, 3, 0]
    assert uniform_sample_test(20, 48, num_clips=10)[:, 0].tolist() == [0, 2, 4, 6, 8, 10, 12, 14, 16, 18]
    assert uniform_sample_test(1, 3, num_clips=2).tolist() == [[0, 0, 0], [0, 0, 0]]
    assert uniform_sample_test(3, 5, num_clips=1).tolist() == [[0, 1, 2, 0, 1]]


def test_a_clip_of_exactly_the_wanted_length_is_taken_whole():
    assert uniform_sample(48, 48, np.random.default_rng(0)).tolist() == list(range(48))


def test_views_differ_and_repeat():
    first, second = (uniform_sample_test(200, 48, num_clips=10) for _ in range(2))
    assert np.array_equal(first, second)
    assert len({view.tobytes() for view in first}) == 10
    assert not np.array_equal(first, uniform_sample_test(200, 48, num_clips=10, seed=1))


@pytest.mark.parametrize(("num_frames", "clip_len"), [(0, 8), (5, 0), (-1, 8)])
def test_nothing_to_sample_is_refused(num_frames, clip_len):
    with pytest.raises(ValueError, match="at least 1"):
        uniform_sample(num_frames, clip_len, np.random.default_rng(0))
    with pytest.raises(ValueError, match="at least 1"):
        uniform_sample_test(num_frames, clip_len, num_clips=2)
