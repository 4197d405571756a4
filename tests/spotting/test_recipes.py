"""Fusing members and choosing how. Alone: python -m pytest -n 0 tests/spotting/test_recipes.py"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spotting.candidates import AVERAGE, Member
from spotting.config import SearchConfig
from spotting.fusion import Calibration, fuse
from spotting.people import f1_of
from spotting.recipes import Blend
from spotting.segments import Segments, concatenate, make_segments
from tests.spotting.strategies import segment_lists

SEARCH = SearchConfig()


def test_a_worked_example_of_fusion():
    a = make_segments([0, 50], [10, 60], [1, 0], [0.8, 0.5])
    b = make_segments([2, 50], [12, 60], [1, 1], [0.4, 0.6])
    found = fuse([a, b], np.array([0.5, 0.5]))
    rows = sorted(zip(found.start, found.end, found.label, found.score, strict=True))
    assert rows[0] == pytest.approx((2 / 3, 10 + 2 / 3, 1, 0.6))  # overlap 8 of 12; ends weighed 0.4 to 0.2
    assert rows[1] == pytest.approx((50, 60, 0, 0.25)) and rows[2] == pytest.approx((50, 60, 1, 0.3))


def test_a_member_is_in_a_group_once():
    twice = make_segments([0, 1], [10, 11], [0, 0], [0.9, 0.8])
    assert len(fuse([twice, make_segments([0], [10], [0], [0.5])], np.array([0.5, 0.5]))) == 2


@given(segment_lists(), segment_lists())
@settings(max_examples=100)
def test_fusion_is_bounded_and_does_not_depend_on_order(a, b):
    weights = np.array([0.3, 0.7])
    found = fuse([a, b], weights)
    assert (found.score <= 1 + 1e-9).all() and (found.end > found.start).all()
    assert found.score.sum() == pytest.approx(0.3 * a.score.sum() + 0.7 * b.score.sum())  # nothing is lost
    assert len(found) <= len(a) + len(b)
    alone = fuse([a, b], np.array([1.0, 0.0]))
    assert sorted(alone.score) == pytest.approx(sorted(a.score))


@given(st.integers(0, 5))
@settings(max_examples=6, deadline=None)
def test_calibration_keeps_the_order_and_tells_chances(seed):
    rng = np.random.default_rng(seed)
    score = rng.random(400)
    is_hit = rng.random(400) < score**2
    start = np.arange(400) * 20.0
    truth = {"v": make_segments(start[is_hit], start[is_hit] + 10, np.zeros(is_hit.sum()))}
    calibration = Calibration({"v": make_segments(start, start + 10, np.zeros(400), score)}, truth)
    told = calibration(make_segments(start, start + 10, np.zeros(400), score)).score
    assert (np.argsort(told, kind="stable") == np.argsort(np.clip(score, 1e-4, 1 - 1e-4), kind="stable")).all()
    assert told.mean() == pytest.approx(is_hit.mean(), abs=0.02)


def noisy(truth: Segments, rng: np.random.Generator, recall: float, false: int) -> Segments:
    """A member that finds a share of the gestures and some that are none."""
    is_found = rng.random(len(truth)) < recall
    hits = truth[is_found]
    start = rng.integers(0, 900, false)
    wrong = make_segments(start, start + 20, rng.integers(0, 3, false), rng.uniform(0.05, 0.6, false))
    return concatenate([make_segments(hits.start, hits.end, hits.label, rng.uniform(0.3, 0.9, len(hits))), wrong])


def blend_of(qualities: list[tuple[float, int]], seed: int = 0) -> Blend:
    rng = np.random.default_rng(seed)
    fold_of = {f"v{i}": i // 2 for i in range(8)} | {"test": AVERAGE}
    truth = {
        v: make_segments(np.arange(20) * 45, np.arange(20) * 45 + 20, rng.integers(0, 3, 20))
        for v, k in fold_of.items()
        if k >= 0
    }
    members = [
        Member(f"m{i}", fold_of, {(v, fold_of[v]): noisy(t, rng, *quality) for v, t in truth.items()}, {})
        for i, quality in enumerate(qualities)
    ]
    return Blend(members, truth, {v: v for v in fold_of}, SEARCH)


def test_members_that_complement_each_other_are_blended():
    blended = blend_of([(0.6, 8), (0.6, 8), (0.6, 8)])
    recipe, steps = blended.choose_recipe([0, 1, 2, 3])
    assert recipe in ("equal", "tuned") and steps[0]["gain"] > 0.03


def test_one_good_member_ships_alone_and_never_below_the_floor():
    blended = blend_of([(0.9, 4), (0.1, 60)])
    recipe, _ = blended.choose_recipe([0, 1, 2, 3])
    shipped = f1_of(blended.counts(blended.cross_fitted(recipe)))
    for one in range(2):
        alone = Blend(blended.members[one : one + 1], blended.truth, blended.person, SEARCH)
        assert shipped >= f1_of(alone.counts(alone.cross_fitted("single"))) - 1e-12
    assert np.argmax(blended.fit(recipe, [0, 1, 2, 3]).weights) == 0


def test_a_fold_has_no_say_in_how_it_is_scored():
    blended, other = blend_of([(0.6, 8), (0.5, 8)]), blend_of([(0.6, 8), (0.5, 8)])
    for member in other.members:  # other truths in fold 0: its own segments must stay
        assert member.folds == [0, 1, 2, 3]
    for video in ("v0", "v1"):
        other.truth[video] = make_segments([0], [5], [0])
    for recipe in ("single", "equal", "tuned"):
        for column in ("start", "end", "label", "score"):
            ours, theirs = (getattr(b.cross_fitted(recipe)["v0"], column) for b in (blended, other))
            np.testing.assert_array_equal(ours, theirs)
