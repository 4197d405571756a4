"""Which recipe ships: python -m pytest tests/ensemble/test_choose.py"""

from dataclasses import replace

import numpy as np
import pytest

from ensemble.blend import blend
from ensemble.choose import challengers, choose, compare, estimate, spread
from ensemble.join_parts import read_parts
from ensemble.recipes import CrossFit, Material, Recipe
from ensemble.tune import Search
from oof.artifacts import write_oof
from tests.ensemble.planted import an_entry, entries_of, part_of

SEARCH = Search(trials=60)


def test_noise_entries_are_weighted_away(tmp_path):
    noise = {f"noise{i}": an_entry(0, 10 + i, 400) for i in range(4)}
    entries = entries_of(tmp_path, {"good": an_entry(2.5, 1, 400), **noise})
    for seed in (0, 1, 2):
        crossfit, recipe, steps = blend(Material(entries), replace(SEARCH, seed=seed))
        assert recipe == Recipe(weights="pooled") and steps[0].accepted and steps[0].gain > steps[0].spread
        for one in (recipe, Recipe(weights="tuned")):
            weights = crossfit.blend(one).weights
            assert weights[0] > 0.9 * weights.sum()


def test_a_pool_and_tuned_weights_take_each_others_place(tmp_path):
    crossfit = CrossFit(
        Material(entries_of(tmp_path, {name: an_entry(1, seed) for seed, name in enumerate("ab")})), SEARCH
    )
    assert list(challengers(crossfit, Recipe()))[:2] == [Recipe(weights="pooled"), Recipe(weights="tuned")]
    assert next(challengers(crossfit, Recipe(weights="pooled"))) == Recipe(weights="tuned")
    assert not any(one.weights == "pooled" for one in challengers(crossfit, Recipe(weights="tuned")))


def test_clones_gain_nothing_but_better_probabilities(tmp_path):
    entries = entries_of(tmp_path, {name: an_entry(1.5, 1) for name in "abc"})
    crossfit, recipe, _ = blend(Material(entries), SEARCH)
    assert recipe in (Recipe(), Recipe(weights="pooled"))
    named = crossfit.probabilities(recipe).argmax(1)
    np.testing.assert_array_equal(named, crossfit.probabilities(Recipe()).argmax(1))


def test_a_pool_is_judged_by_likelihood_and_all_else_by_the_score(tmp_path):
    """On few clips of like entries a pool is taken for its likelihood where top-1 cannot tell."""
    oofs = {name: an_entry(1.2, seed, 160) for seed, name in enumerate("abcd")}
    crossfit = CrossFit(Material(entries_of(tmp_path, oofs)), SEARCH)
    step = compare(crossfit, Recipe(), Recipe(weights="pooled"), crossfit.material.folds)
    label, every = crossfit.material.entries.label, np.arange(160)
    given = [crossfit.probabilities(recipe)[every, label] for recipe in (step.challenger, step.current)]
    assert step.measure == "log-likelihood" and step.gain == pytest.approx(np.log(given[0] / given[1]).mean())
    assert step.accepted == (step.gain > step.spread)
    score = compare(crossfit, Recipe(weights="pooled"), Recipe(weights="tuned"), crossfit.material.folds)
    right = [(crossfit.probabilities(one).argmax(1) == label).mean() for one in (score.challenger, score.current)]
    assert score.measure == "score" and score.gain == pytest.approx(right[0] - right[1])


def test_the_spread_of_a_gain_is_an_error_of_its_mean():
    """Of four folds it is their standard deviation; four times as many folds that differ as much halve it."""
    gains = [0.1, 0.3, -0.1, 0.2]
    assert spread(gains, 0.01) == pytest.approx(np.std(gains))
    assert spread(4 * gains, 0.01) == pytest.approx(np.std(gains) / 2)
    assert spread(gains, 0.5) == 0.5


def test_one_entry_and_one_fold_ship_what_there_is(tmp_path):
    entries = entries_of(tmp_path / "one", {"a": an_entry(1.5, 1)})
    crossfit, recipe, _ = blend(Material(entries), SEARCH)
    np.testing.assert_array_equal(crossfit.probabilities(recipe).argmax(1), entries.logits[0].argmax(1))
    single_fold = {name: replace(an_entry(1.5, seed), fold=np.zeros(200)) for name, seed in (("a", 1), ("b", 2))}
    crossfit, recipe, steps = blend(Material(entries_of(tmp_path / "fold", single_fold)), SEARCH)
    assert recipe == Recipe() and not steps  # nothing can be cross-fitted
    np.testing.assert_array_equal(estimate(crossfit), crossfit.probabilities(Recipe()))


def test_the_fold_that_is_scored_is_never_looked_at(tmp_path):
    """Its labels, wrong or right, change neither its own cross-fitted probabilities nor the choice made for it."""
    oofs = {"good": an_entry(2.5, 1), "noise": an_entry(0, 2), "weak": an_entry(1, 3)}
    truth = entries_of(tmp_path, oofs)
    held_out = truth.fold == 2
    spoilt = replace(truth, label=np.where(held_out, (truth.label + 1) % 5, truth.label))
    every = [CrossFit(Material(entries), SEARCH) for entries in (truth, spoilt)]
    for recipe in (
        Recipe(weights="tuned"),
        Recipe(weights="pooled"),
        Recipe(weights="tuned", adjusted=True),
        Recipe(adjusted=True),
    ):
        one, other = (crossfit.probabilities(recipe)[held_out] for crossfit in every)
        assert one.tobytes() == other.tobytes()
        assert (
            every[0].probabilities(recipe)[~held_out].tobytes() != every[1].probabilities(recipe)[~held_out].tobytes()
        )


def test_tail_models_enter_only_when_they_pay(tmp_path):
    base = an_entry(0.8, 1, 400)
    entries = entries_of(tmp_path, {"a": base, "b": an_entry(0.8, 2, 400)})
    for strength, expected in ((6, True), (0, False)):
        path = tmp_path / "a_part2.npz"
        write_oof(path, part_of(base, [3, 4], strength, 5))
        crossfit, recipe, _ = blend(Material(entries, read_parts([path], entries)), SEARCH)
        assert recipe.parts is expected
        test = crossfit.test_probabilities(recipe)
        np.testing.assert_allclose(test.sum(1), 1)


def test_a_classifier_trained_again_enters_only_when_it_pays(tmp_path):
    """Until then it has no part in the blend, equal weights included; alone it is an entry like any other."""
    base = an_entry(0.8, 1, 400)
    for strength, expected in ((3, True), (0, False)):
        oofs = {"a": base, "a_crt": an_entry(strength, 2, 400), "b": an_entry(0.8, 3, 400)}
        entries = entries_of(tmp_path, oofs)
        crossfit, recipe, _ = blend(Material(entries), SEARCH)
        assert recipe.retrained is expected
        assert crossfit.names(recipe) == (("a", "b", "a_crt") if expected else ("a", "b"))
        np.testing.assert_allclose(crossfit.test_probabilities(recipe).sum(1), 1)
        plain = CrossFit(Material(entries_of(tmp_path, {"a": base, "b": oofs["b"]})), SEARCH)
        assert crossfit.probabilities(Recipe()).tobytes() == plain.probabilities(Recipe()).tobytes()
    alone = Material(entries_of(tmp_path, {"a_crt": base, "b": base}))
    assert not alone.retrained and CrossFit(alone, SEARCH).names(Recipe()) == ("a_crt", "b")


def test_adapted_entries_take_the_place_of_their_twins_only_when_they_pay(tmp_path):
    """Until then they have no part in the blend; alone they are entries like any other."""
    a, b = an_entry(0.8, 1, 400), an_entry(0.8, 3, 400)
    for strength, expected in ((2, True), (0, False)):
        oofs = {"a": a, "a_adapted": an_entry(strength, 2, 400), "b": b}
        crossfit, recipe, steps = blend(Material(entries_of(tmp_path, oofs)), SEARCH)
        assert recipe.adapted is expected and steps[0].measure == "log-likelihood"
        assert crossfit.names(recipe) == (("a_adapted", "b") if expected else ("a", "b"))
        np.testing.assert_allclose(crossfit.test_probabilities(recipe).sum(1), 1)
        plain = CrossFit(Material(entries_of(tmp_path, {"a": a, "b": b})), SEARCH)
        assert crossfit.probabilities(Recipe()).tobytes() == plain.probabilities(Recipe()).tobytes()
    alone = Material(entries_of(tmp_path, {"a_adapted": a, "b": b}))
    assert not alone.adapted and CrossFit(alone, SEARCH).names(Recipe()) == ("a_adapted", "b")


def test_the_choice_is_held_out_too(tmp_path):
    """With the labels of one fold spoilt, the others choose for it as before."""
    noise = {f"noise{i}": an_entry(0, 10 + i, 400) for i in range(4)}
    truth = entries_of(tmp_path, {"good": an_entry(2.5, 1, 400), **noise})
    folds = [fold for fold in range(4) if fold != 1]
    crossfit = CrossFit(Material(truth), SEARCH)
    chosen, _ = choose(crossfit, folds)
    held_out = truth.fold == 1
    np.testing.assert_array_equal(estimate(crossfit)[held_out], crossfit.probabilities(chosen)[held_out])


def test_a_class_that_never_occurs_is_left_out_of_averages(tmp_path):
    oofs = {}
    for name, seed in (("a", 1), ("b", 2)):
        oof = an_entry(2, seed)
        oofs[name] = replace(oof, label=np.where(oof.label == 4, 3, oof.label))
    entries = entries_of(tmp_path, oofs)
    crossfit, recipe, _ = blend(Material(entries), SEARCH)
    assert np.isfinite(crossfit.probabilities(recipe)).all()
    assert np.isfinite(crossfit.probabilities(Recipe(weights="tuned", adjusted=True))).all()
