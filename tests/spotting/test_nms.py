"""Suppression. Alone: python -m pytest tests/spotting/test_nms.py"""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from spotting.nms import suppress
from spotting.segments import Segments, empty_segments, make_segments, temporal_iou
from tests.spotting.strategies import segment_lists

THRESHOLDS = st.sampled_from([0.0, 0.2, 0.5, 1.0])


def suppress_slowly(segments: Segments, threshold: float) -> list[tuple[float, float, int, float]]:
    """One at a time: take the best, drop its rivals."""
    rows = sorted(
        zip(segments.start, segments.end, segments.label, segments.score, strict=True),
        key=lambda r: (-r[3], r[0], r[1], r[2]),
    )
    kept: list = []
    for row in rows:
        overlaps = [
            temporal_iou(np.array([row[0]]), np.array([row[1]]), np.array([k[0]]), np.array([k[1]]))[0, 0]
            for k in kept
            if k[2] == row[2]
        ]
        if all(overlap <= threshold for overlap in overlaps):
            kept.append(row)
    return kept


def rows_of(segments: Segments) -> list[tuple]:
    return list(zip(segments.start, segments.end, segments.label, segments.score, strict=True))


@given(segment_lists(max_size=15), THRESHOLDS)
def test_equals_the_slow_version(segments, threshold):
    assert rows_of(suppress(segments, threshold)) == suppress_slowly(segments, threshold)


@given(segment_lists(max_size=15), THRESHOLDS)
def test_twice_changes_nothing(segments, threshold):
    once = suppress(segments, threshold)
    assert rows_of(suppress(once, threshold)) == rows_of(once)


@given(segment_lists(max_size=15), THRESHOLDS, st.randoms())
def test_order_of_the_input_does_not_matter(segments, threshold, random):
    order = list(range(len(segments)))
    random.shuffle(order)
    assert rows_of(suppress(segments[np.array(order, dtype=int)], threshold)) == rows_of(suppress(segments, threshold))


def test_other_classes_are_left_alone_and_the_best_are_kept():
    segments = make_segments([0, 1, 0], [10, 11, 10], [0, 0, 1], [0.5, 0.9, 0.1])
    assert rows_of(suppress(segments, 0.2)) == [(1, 11, 0, 0.9), (0, 10, 1, 0.1)]
    assert len(suppress(segments, 0.2, max_segments=1)) == 1
    assert len(suppress(empty_segments(), 0.2)) == 0
