"""Figures of the page beside slow twins: python -m pytest -n 0 tests/report/test_figures.py"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from report.blocks import NONE, Table
from report.found_segments import matches, person_values
from report.training import read_log_csv
from report.trust import COVERAGES, selective
from spotting.score import score_videos, strict_hits
from tests.spotting.strategies import segment_lists


@given(segment_lists(), segment_lists())
def test_matches_are_those_of_the_score(truth, found):
    is_found, is_right = matches(truth, found)
    assert is_found.sum() == is_right.sum() == strict_hits(truth, found)
    assert len(is_found) == len(truth) and len(is_right) == len(found)


@given(st.lists(st.tuples(segment_lists(), segment_lists(), st.sampled_from("abc")), min_size=1, max_size=5))
def test_values_of_people_have_the_f1_as_their_mean(videos):
    truth = {str(i): one[0] for i, one in enumerate(videos)}
    found = {str(i): one[1] for i, one in enumerate(videos)}
    values = person_values(truth, found, np.array([one[2] for one in videos]))
    assert len(values) == len({one[2] for one in videos})
    assert values.mean() == pytest.approx(score_videos(truth, found)["strict"]["f1"], abs=1e-6)


@given(st.lists(st.tuples(st.integers(0, 1000), st.booleans()), min_size=1, max_size=60, unique_by=lambda one: one[0]))
def test_selective_accuracy_beside_its_definition(clips):
    confidence, right = np.array([c / 1000 for c, _ in clips]), np.array([r for _, r in clips])
    accuracy, area = selective(confidence, right)
    ranked = [r for _, r in sorted(clips, reverse=True)]
    for share, value in zip(COVERAGES, accuracy, strict=True):
        kept = ranked[: max(1, int(np.ceil(share * len(ranked))))]
        assert value == pytest.approx(sum(kept) / len(kept))
    assert accuracy[-1] == pytest.approx(right.mean()) and 0 <= area <= 1


def test_a_log_that_is_being_written(workdir):
    path = workdir / "log.csv"
    for text, rows in (("", 0), ("epoch,loss\n", 0), ("epoch,loss\n1,2.0\n2,", 1), ("epoch,loss\n1,2.0\n2,1.5\n", 2)):
        path.write_text(text)
        assert len(read_log_csv(path)) == rows


def test_columns_of_numbers():
    table = Table("", ["name", "n", "mixed", "share"], [["a", "1.5", "x", "5.0 %"], ["b", NONE, "2", "0.1 to 0.2"]])
    assert table.is_number == [False, True, False, True]
