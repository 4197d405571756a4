"""F1 over people. Alone: python -m pytest -n 0 tests/spotting/test_people.py"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student

from spotting.people import by_person, chance_of_beating, deviation, f1_of, interval, linearised


@st.composite
def people(draw, min_people: int = 2):
    """(S, 3) hits, predicted, true."""
    rows = draw(st.lists(st.tuples(*[st.integers(0, 20)] * 2, st.integers(1, 20)), min_size=min_people, max_size=9))
    return np.array([[min(h, p, t), p, t] for h, p, t in rows])


@given(people())
def test_values_sum_to_zero_and_agree_with_leaving_one_person_out(counts):
    values = linearised(counts)
    assert values.sum() == pytest.approx(0, abs=1e-9)
    many = np.concatenate([counts] * 40)  # the jackknife agrees to first order: with many people closely
    without = np.array([f1_of(np.delete(many, i, axis=0)) for i in range(len(counts))])
    np.testing.assert_allclose((f1_of(many) - without) * (len(many) - 1), values, atol=0.1)


def test_equal_people_have_students_interval():
    hits = np.array([10, 12, 14, 16])
    counts = np.stack([hits, np.full(4, 20), np.full(4, 20)], axis=1)
    f1 = hits / 20
    reach = student.ppf(0.975, 3) * f1.std(ddof=1) * np.sqrt(1 / 4 + 1 / 2)
    assert f1_of(counts) == pytest.approx(0.65)
    np.testing.assert_allclose(interval(counts, 2), [0.65 - reach, min(1, 0.65 + reach)])
    assert interval(counts, None)[0] > interval(counts, 2)[0]


@given(people(), people())
@settings(max_examples=50)
def test_chances_of_two_systems_sum_to_one(a, b):
    size = min(len(a), len(b))
    a, b = a[:size], b[:size]
    assert chance_of_beating(a, b, 2) + chance_of_beating(b, a, 2) == pytest.approx(1)
    assert chance_of_beating(a, a, 2) == 0.5
    low, high = interval(a, 3)
    assert 0 <= low <= f1_of(a) <= high <= 1


def test_one_person_tells_nothing():
    one = np.array([[3, 5, 5]])
    assert interval(one, 2) is None and chance_of_beating(one, one, 2) is None


def test_videos_of_a_person_are_summed():
    counts = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]])
    assert by_person(counts, np.array(["b", "a", "b"])).tolist() == [[4, 5, 6], [8, 10, 12]]


def test_intervals_hold_as_often_as_they_say():
    """Synthetic people whose skill differs: the F1 of three new ones lies in the 95 % interval nearly always."""
    rng, inside, num_trials = np.random.default_rng(0), 0, 400

    def draw(number):
        skill = np.clip(rng.normal(0.5, 0.15, number), 0.05, 0.95)
        true = rng.integers(15, 40, number)
        predicted = np.maximum(1, rng.binomial(true, 0.9))
        return np.stack([np.minimum(rng.binomial(predicted, skill), true), predicted, true], axis=1)

    for _ in range(num_trials):
        low, high = interval(draw(6), 3)
        inside += low <= f1_of(draw(3)) <= high
    assert 0.91 <= inside / num_trials <= 0.99
    assert deviation(np.array([-1.0, 1.0]), None) == pytest.approx(1.0)
