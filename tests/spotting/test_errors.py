"""Kinds of errors and their repair. Alone: python -m pytest -n 0 tests/spotting/test_errors.py"""

import numpy as np
import pytest
from hypothesis import given, settings

from spotting.errors import FALSE_KINDS, KINDS, by_group, frequency_group, judge, length_group, repaired, summarise
from spotting.score import strict_hits, strict_matches
from spotting.segments import Segments, make_segments
from tests.spotting.strategies import segment_lists

# Four gestures of 20 frames: classes 0, 0, 1, 2.
TRUTH = make_segments([0, 30, 60, 100], [20, 50, 80, 120], [0, 0, 1, 2])
FOUND = make_segments(
    [0, 1, 60, 45, 98, 200, 30],
    [20, 21, 80, 65, 104, 210, 33],
    [0, 0, 2, 0, 1, 0, 0],
    [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3],
)
# overlaps of the row most overlapped: 1; 19/21; 1; 5/35 with both 30-50 (same) and 60-80; 4/22; 0; 3/20
WANTED = ["hit", "double", "wrong class", "poor boundary", "both", "background", "poor boundary"]


def test_kinds_of_a_worked_example():
    verdict = judge(TRUTH, FOUND)
    assert verdict.kind.tolist() == WANTED
    assert verdict.gesture.tolist() == [0, 0, 2, 1, 3, -1, 1]
    assert verdict.is_found.tolist() == [True, False, False, False]
    assert verdict.is_missed.tolist() == [False, False, False, True]  # `both` does not cover the last one


def test_repairs_of_a_worked_example():
    verdict = judge(TRUTH, FOUND)  # 1 hit of 7 segments and 4 gestures
    assert repaired(verdict, "").tolist() == [1, 7, 4]
    assert repaired(verdict, "wrong class").tolist() == [2, 7, 4]
    assert repaired(verdict, "poor boundary").tolist() == [2, 6, 4]  # two for one gesture: one becomes it, one goes
    assert repaired(verdict, "both").tolist() == [1, 6, 4]
    assert repaired(verdict, "double").tolist() == [1, 6, 4]
    assert repaired(verdict, "background").tolist() == [1, 6, 4]
    assert repaired(verdict, "missed").tolist() == [2, 8, 4]
    facts = summarise([verdict])
    assert facts["f1"] == pytest.approx(2 / 11)
    assert facts["kinds"]["wrong class"] == {"number": 1, "gain": pytest.approx(4 / 11 - 2 / 11)}
    assert [facts["kinds"][kind]["number"] for kind in KINDS] == [1, 2, 1, 1, 1, 1]


def test_nothing_there_and_nothing_found():
    empty = make_segments([], [], [])
    assert judge(empty, FOUND).kind.tolist() == ["background"] * 7
    assert judge(TRUTH, empty).is_missed.all()
    assert summarise([judge(empty, empty)])["f1"] == 0.0


def slow_matches(truth: Segments, predicted: Segments) -> list[int]:
    """The strict rule in plain Python: best score first, each takes the free gesture of its class it overlaps most."""
    free, answer = set(range(len(truth))), [-1] * len(predicted)
    for p in sorted(range(len(predicted)), key=lambda i: (-predicted.score[i], i)):
        best, best_overlap = -1, 0.0
        for g in sorted(free):
            if truth.label[g] == predicted.label[p] and slow_iou(truth, g, predicted, p) > best_overlap:
                best, best_overlap = g, slow_iou(truth, g, predicted, p)
        if best >= 0 and best_overlap >= 0.3:
            free.remove(best)
            answer[p] = best
    return answer


def slow_iou(truth: Segments, g: int, predicted: Segments, p: int) -> float:
    """By counting frames; the segments here have whole ones."""
    a = set(range(int(truth.start[g]), int(truth.end[g])))
    b = set(range(int(predicted.start[p]), int(predicted.end[p])))
    return len(a & b) / len(a | b)


def slow_kind(truth: Segments, predicted: Segments, p: int) -> str:
    overlaps = [(slow_iou(truth, g, predicted, p), truth.label[g] == predicted.label[p]) for g in range(len(truth))]
    overlap, same = max(overlaps, default=(0.0, False))
    if overlap < 0.1:
        return "background"
    if overlap >= 0.3:
        return "double" if same else "wrong class"
    return "poor boundary" if same else "both"


@given(segment_lists(), segment_lists())
@settings(max_examples=2000, deadline=None)
def test_equals_a_slow_twin(truth, predicted):
    matches = slow_matches(truth, predicted)
    assert strict_matches(truth, predicted).tolist() == matches
    wanted = ["hit" if m >= 0 else slow_kind(truth, predicted, p) for p, m in enumerate(matches)]
    assert judge(truth, predicted).kind.tolist() == wanted


@given(segment_lists(), segment_lists())
@settings(max_examples=300, deadline=None)
def test_every_segment_and_every_gesture_is_accounted_for(truth, predicted):
    verdict = judge(truth, predicted)
    hits, num_predicted, num_true = repaired(verdict, "")
    assert hits == strict_hits(truth, predicted) == (verdict.kind == "hit").sum()
    assert (num_predicted, num_true) == (len(predicted), len(truth))
    assert not (verdict.is_found & verdict.is_missed).any()
    f1 = summarise([verdict])["f1"]
    for kind in KINDS:
        found, predicted_then, true = repaired(verdict, kind)
        assert found <= min(predicted_then, true)
        assert 2 * found / max(predicted_then + true, 1) >= f1 - 1e-12  # a repair never harms
    # With all kinds repaired at once everything is right.
    pointed = verdict.gesture[np.isin(verdict.kind, FALSE_KINDS[:2])]
    assert (verdict.is_found | verdict.is_missed | np.isin(np.arange(len(truth)), pointed)).all()


def test_groups():
    verdicts = {"v": judge(TRUTH, FOUND)}
    rows = by_group(verdicts, {"v": TRUTH.label.astype(str)}, {"v": FOUND.label.astype(str)})
    assert rows["0"] == {"gestures": 2, "segments": 5, "recall": 0.5, "precision": 0.2, "f1": pytest.approx(2 / 7)}
    assert rows["2"]["f1"] == 0.0
    thirds = length_group(make_segments([0, 0, 0, 0], [5, 10, 15, 40], [0] * 4), np.array([10.0, 20.0]))
    assert [name[0] for name in thirds] == ["1", "1", "2", "3"]
    number = np.array([5, 0, 9, 1])
    named = frequency_group(make_segments([0] * 4, [1] * 4, [0, 1, 2, 3]), number)
    assert [name[2:] for name in named] == ["medium", "no gesture", "frequent", "rare"]
