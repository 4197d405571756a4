"""The oracles of a benchmark. Alone: python -m pytest -n 0 tests/benchmarks/test_spotting_causes.py"""

from benchmarks.spotting_causes import with_true_boundary, with_true_class, without_classes
from spotting.segments import make_segments


def test_oracles_of_a_worked_example():
    truth = make_segments([0, 20], [20, 40], [0, 1])
    found = make_segments([5, 25, 60], [15, 60, 70], [1, 1, 2], [0.9, 0.8, 0.7])
    assert with_true_class(found, truth).label.tolist() == [0, 1, 2]  # the last touches nothing
    snapped = with_true_boundary(found, truth)
    assert snapped.start.tolist() == [5, 20, 60] and snapped.end.tolist() == [15, 40, 70]  # the first: another class
    assert without_classes(found).label.tolist() == [0, 0, 0]
    nothing = make_segments([], [], [])
    assert len(with_true_class(nothing, truth)) == 0 and len(with_true_boundary(found, nothing)) == 3
