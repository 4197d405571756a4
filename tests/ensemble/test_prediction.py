"""Predictions for new people: python -m pytest tests/ensemble/test_prediction.py"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.special import ndtr

from benchmarks.forecast_coverage import competition_of, play
from ensemble.prediction import class_average_values, predict


def clips_of(shares: list[float], clips: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Right or not, and whose: each person has that share of that many clips right."""
    right = np.concatenate([np.arange(c) < round(s * c) for s, c in zip(shares, clips, strict=True)])
    return right, np.repeat(np.arange(len(clips)), clips).astype(str)


@pytest.mark.parametrize("num_people", [5, 8])
@pytest.mark.parametrize("num_new", [2, 20])
def test_with_equal_numbers_of_clips_it_is_students_interval(num_people, num_new):
    shares = np.linspace(0.5, 0.7, num_people)
    right, subject = clips_of(shares, [100] * num_people)
    prediction = predict(right, subject, np.full(num_new, 100))
    error = shares.std(ddof=1) * np.sqrt(1 / num_people + 1 / num_new)
    for t in (-2.5, -1.0, 1.0, 2.5):
        expected = stats.t.cdf(t, num_people - 1)
        assert ndtr(t * error / prediction.deviations).mean() == pytest.approx(expected, abs=0.004)
    assert prediction.mean == pytest.approx(shares.mean(), abs=0.003)


def test_fewer_people_seen_or_new_make_it_less_sure():
    def width(num_people: int, num_new: int | None) -> float:
        right, subject = clips_of([0.5, 0.8] * (num_people // 2), [40] * num_people)
        return float(np.ptp(predict(right, subject, num_new and np.full(num_new, 40)).interval()))

    assert width(40, None) < width(40, 20) < width(40, 2) < width(4, 2)
    assert width(4, 2) > 0.5


@given(st.lists(st.tuples(st.integers(1, 60), st.floats(0, 1)), min_size=1, max_size=12), st.integers(1, 30))
def test_any_people_give_an_interval_of_shares_around_the_mean(people, num_new):
    right, subject = clips_of([share for _, share in people], [clips for clips, _ in people])
    for new_clips in (None, np.arange(1, num_new + 1)):
        prediction = predict(right, subject, new_clips)
        low, high = prediction.interval()
        half_a_clip = 0.5 / new_clips.sum() if new_clips is not None else 1e-9
        assert 0 <= low <= prediction.mean + half_a_clip and prediction.mean - half_a_clip <= high <= 1
        assert (prediction.deviations > 0).all()


def test_all_right_does_not_make_sure():
    right, subject = clips_of([1, 1, 1, 1], [25] * 4)
    low, high = predict(right, subject, np.full(2, 25)).interval()
    assert 0.85 < low < 0.99 and high == 1


def test_one_person_tells_nothing_of_how_people_differ():
    right, subject = clips_of([0.6], [200])
    low, high = predict(right, subject, np.array([200])).interval()
    assert low < 0.02 and high > 0.98


def test_chance_of_beating_on_new_people():
    """B is A with twelve of 1,000 clips more, whoever the person: surer than with three, and never for the same."""
    rng = np.random.default_rng(0)
    subject = rng.integers(0, 50, 1000).astype(str)
    a = (rng.random(1000) < 0.7).astype(int)
    better = [a.copy(), a.copy()]
    for one, number in zip(better, (3, 12), strict=True):
        one[np.flatnonzero(a == 0)[:number]] = 1
    few, many = (predict(one - a, subject, np.full(50, 20)).chance_above_zero() for one in better)
    assert 0.75 < few < 0.95 < many
    assert few + predict(a - better[0], subject, np.full(50, 20)).chance_above_zero() == pytest.approx(1)
    assert predict(a - a, subject, np.full(50, 20)).chance_above_zero() == 0.5


def test_class_average_varies_as_drawing_people_again_says():
    rng = np.random.default_rng(0)
    subject, labels = np.repeat(np.arange(60), 20), rng.choice(3, 1200, p=[0.7, 0.2, 0.1])
    right = rng.random(1200) < np.array([0.8, 0.6, 0.4])[labels] + rng.normal(0, 0.1, 60)[subject]

    def class_average(rows: np.ndarray) -> float:
        return float(np.mean([right[rows][labels[rows] == k].mean() for k in range(3)]))

    values = class_average_values(right, labels)
    assert values.mean() == pytest.approx(class_average(np.arange(1200)))
    rows_of = [np.flatnonzero(subject == person) for person in range(60)]
    drawn = [class_average(np.concatenate([rows_of[p] for p in rng.integers(0, 60, 60)])) for _ in range(400)]
    assert np.ptp(predict(values, subject).interval()) == pytest.approx(
        np.ptp(np.percentile(drawn, [2.5, 97.5])), rel=0.2
    )


def test_the_forecast_holds_as_often_as_it_says():
    """A few small competitions; benchmarks/forecast_coverage.py is the full measurement."""
    held = np.stack([play(competition_of(people, 0.25, seed))[0] for people in (4, 10) for seed in range(20)])
    assert 0.9 < held.mean() < 0.99
