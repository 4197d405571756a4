"""A test clip that some entries cannot see: python -m pytest -n 0 tests/ensemble/test_missing_inputs.py"""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ensemble.join import Entries
from ensemble.join_parts import Parts
from ensemble.merge import Tail, merge
from ensemble.missing_inputs import describe_missing, missing_inputs
from ensemble.mixture import Blend, blend_test_probabilities, shared_weights, softmax
from ensemble.recipes import CrossFit, Material, Recipe
from ensemble.stackers import fit_stack
from ensemble.tune import Search
from oof.artifacts import read_oof, write_oof
from oof.prior import class_prior
from tests.ensemble.planted import an_entry, entries_of, part_of

BAD = 7  # a test clip, by its place among the sorted ids


@given(st.lists(st.integers(0, 5), min_size=2, max_size=5).filter(any), st.integers(0, 2**5 - 1))
def test_weights_are_shared_by_those_that_see_the_clip(weights, seen):
    weights = np.array(weights) / sum(weights)
    has_input = np.array([[bool(seen >> e & 1)] for e in range(len(weights))])
    shared = shared_weights(weights, has_input)[:, 0]
    assert shared.sum() == pytest.approx(weights.sum())
    if not has_input.any() or has_input.all():
        np.testing.assert_array_equal(shared, weights)
        return
    assert not shared[~has_input[:, 0]].any()
    if (present := weights * has_input[:, 0]).any():
        np.testing.assert_allclose(shared, present / present.sum())
    else:
        np.testing.assert_allclose(shared, has_input[:, 0] / has_input.sum())


@pytest.mark.parametrize("pooled", [False, True])
def test_an_entry_is_left_out_of_the_clip_alone_that_it_cannot_see(pooled):
    logits = np.random.default_rng(0).normal(size=(3, 4, 10, 5))  # (E, F, M, K)
    blend = Blend(np.array([0.5, 0.3, 0.2]), np.array([1.0, 2.0, 0.5]), pooled=pooled)
    prior, every = np.array([0.4, 0.3, 0.1, 0.1, 0.1]), np.ones((3, 10), bool)
    whole = blend_test_probabilities(logits, every, prior, blend)
    has_input = every.copy()
    has_input[1, BAD], has_input[:, 2] = False, False
    blended = blend_test_probabilities(logits, has_input, prior, blend)
    others = [m for m in range(10) if m not in (BAD, 2)]
    np.testing.assert_array_equal(blended[others], whole[others])
    two = replace(blend, weights=blend.weights[[0, 2]] / 0.7, temperatures=blend.temperatures[[0, 2]])
    rest = blend_test_probabilities(logits[[0, 2]], every[:2], prior, two)
    np.testing.assert_allclose(blended[BAD], rest[BAD])
    np.testing.assert_array_equal(blended[2], prior)


@pytest.mark.parametrize("reading", ["R1", "R2", "R3", "R4", "R5"])
def test_a_tail_adds_nothing_to_a_clip_that_it_cannot_see(reading):
    rng = np.random.default_rng(1)
    primary, probs = softmax(rng.normal(size=(4, 5))), softmax(3 * rng.normal(size=(4, 3)))
    tail = Tail(np.array([3, 4]), probs, np.array([True, True, False, True]))
    merged = merge(primary, [tail], [0.7], reading)
    plain = merge(primary, [replace(tail, has_input=None)], [0.7], reading)
    np.testing.assert_array_equal(merged[[0, 1, 3]], plain[[0, 1, 3]])
    np.testing.assert_allclose(merged[2] / merged[2].sum(), primary[2])


def with_a_blind_spot(entries: Entries, entry: int | slice) -> Entries:
    has_input = entries.test_has_input.copy()
    has_input[entry, BAD] = False
    return replace(entries, test_has_input=has_input)


def test_stackers_are_left_out_where_they_lack_an_entry(tmp_path):
    entries = entries_of(tmp_path, {"a": an_entry(2.0, 1), "b": an_entry(2.0, 2)})
    blind = with_a_blind_spot(entries, 0)
    stack = fit_stack(entries, say=lambda _: None)
    recipe, search = Recipe(stack=True), Search(trials=2)
    whole = CrossFit(Material(entries, stack=stack), search).test_probabilities(recipe)
    blended = CrossFit(Material(blind, stack=stack), search).test_probabilities(recipe)
    np.testing.assert_allclose(blended[BAD], softmax(entries.test_logits[1][:, BAD]).mean(0))
    np.testing.assert_array_equal(np.delete(blended, BAD, 0), np.delete(whole, BAD, 0))


@pytest.mark.parametrize(
    "recipe", [Recipe(), Recipe("pooled"), Recipe(parts=True), Recipe(stack=True), Recipe(adjusted=True)]
)
def test_a_clip_that_nothing_sees_gets_the_class_shares(tmp_path, recipe):
    oof = an_entry(2.0, 1)
    entries = with_a_blind_spot(entries_of(tmp_path, {"a": oof, "b": an_entry(1.0, 2)}), slice(None))
    tail = Tail(np.array([3, 4]), softmax(part_of(oof, [3, 4], 1.0, 3).logits))
    test_tail = Tail(np.array([3, 4]), np.full((50, 3), 1 / 3), entries.test_has_input.any(0))
    parts = Parts(("part1",), (tail,), (test_tail,))
    material = Material(entries, parts, fit_stack(entries, say=lambda _: None))
    probabilities = CrossFit(material, Search(trials=2)).test_probabilities(recipe)
    np.testing.assert_allclose(probabilities[BAD], class_prior(entries.label, 5))


def test_older_files_see_every_clip(tmp_path):
    write_oof(tmp_path / "new.npz", replace(an_entry(1.0, 1), test_has_input=np.arange(50) != 3))
    assert np.flatnonzero(~read_oof(tmp_path / "new.npz").test_has_input).tolist() == [3]
    with np.load(tmp_path / "new.npz") as file:
        np.savez(tmp_path / "old.npz", **{name: file[name] for name in file.files if name != "test_has_input"})
    assert read_oof(tmp_path / "old.npz").test_has_input.all()


def test_the_lines_say_which_clips_and_without_what(tmp_path):
    entries = with_a_blind_spot(entries_of(tmp_path, {"a": an_entry(1.0, 1), "b": an_entry(1.0, 2)}), slice(None))
    unseen = str(entries.test_clip_id[BAD])
    without = {"joints": ["0054_1", unseen], "rgb": [unseen, *(f"0054_{i}" for i in range(20, 32))]}
    (tmp_path / "a.json").write_text(json.dumps({"test_clips_without": without}))
    lines = describe_missing(missing_inputs(entries, [tmp_path / "a.npz", tmp_path / "b.npz"]))
    assert lines[0] == "1 test clip (0054_1) answered without joints"
    assert lines[1].startswith("12 test clips (0054_20, ") and "and 2 more, all in weights.json" in lines[1]
    assert lines[2] == f"1 test clip ({unseen}) answered by the class shares: no entry had anything to look at"
    seen = entries_of(tmp_path, {"b": an_entry(1.0, 2)})
    assert describe_missing(missing_inputs(seen, [tmp_path / "b.npz"])) == []
