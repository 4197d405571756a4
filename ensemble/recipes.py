"""The few ways to make a blend, and what each would have said of every clip without having seen its fold.

A recipe is fitted on some clips (weights, temperatures, alphas, tau: whatever it tunes) and says probabilities of
others. Cross-fitted means: every fold by what was fitted on the other folds only, stackers included.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from ensemble.adjust import TAUS
from ensemble.join import ADAPTED, RETRAINED, Entries
from ensemble.join_parts import Parts
from ensemble.merge import Tail
from ensemble.mixture import Blend, blend_probabilities, blend_test_probabilities, log_probabilities, softmax
from ensemble.pool import fit_pool
from ensemble.stackers import Stack
from ensemble.tune import Search, tune
from oof.prior import class_prior

Weights = Literal["equal", "pooled", "tuned"]

UNTUNED_READING = "R4"  # a mixture that is safe without any alpha tuned


@dataclass(frozen=True)
class Recipe:
    """How the entries are weighed, and what is added to them."""

    weights: Weights = "equal"  # pooled: by likelihood, probabilities multiplied; tuned: searched, with temperatures
    adapted: bool = False  # entries that took in each person's statistics, in place of the same without
    parts: bool = False  # tail models; alphas searched with the weights, else reading R4 with all 1
    retrained: bool = False  # classifiers trained again with balanced sampling, beside the entries they come from
    stack: bool = False  # the stackers as further entries
    adjusted: bool = False  # tau times the log prior taken out of the result; tau chosen from a few

    @property
    def title(self) -> str:
        extras = [name for name in ("adapted", "parts", "retrained", "stack", "adjusted") if getattr(self, name)]
        return " + ".join(["pooled" if self.weights == "pooled" else f"{self.weights} weights", *extras])


@dataclass(frozen=True)
class Material:
    """What recipes are made from: the entries, the tail models and the stackers where there are some."""

    entries: Entries
    parts: Parts | None = None
    stack: Stack | None = None

    @property
    def folds(self) -> list[int]:
        return np.unique(self.entries.fold).tolist()

    @property
    def adapted(self) -> dict[int, int]:
        """Position of an entry -> that of its adapted twin."""
        names = self.entries.names
        twins = {name.removesuffix(ADAPTED): i for i, name in enumerate(names) if name.endswith(ADAPTED)}
        return {i: twins[name] for i, name in enumerate(names) if name in twins}

    @property
    def retrained(self) -> list[int]:
        """Positions of the entries that are another's features under a classifier trained again, beside that other."""
        names = self.entries.names
        return [i for i, name in enumerate(names) if name.endswith(RETRAINED) and name.removesuffix(RETRAINED) in names]


class CrossFit:
    """Blends of one material by any recipe. What is asked for twice is made once.

    Args:
        title: names run and data in a journal file that several processes share.
    """

    def __init__(self, material: Material, search: Search, title: str = "blend"):
        self.material, self.search, self._title = material, search, title
        self._blends: dict[tuple[Recipe, int | None], Blend] = {}
        self._probabilities: dict[Recipe, np.ndarray] = {}

    @property
    def _parts(self) -> Parts:
        """Of recipes with parts, which are made only where there are some."""
        assert self.material.parts is not None
        return self.material.parts

    @property
    def _stack(self) -> Stack:
        """Of recipes with stackers, likewise."""
        assert self.material.stack is not None
        return self.material.stack

    def names(self, recipe: Recipe) -> tuple[str, ...]:
        """Of the entries that the weights of a blend belong to."""
        stack = self._stack.names if recipe.stack else ()
        return (*(self.material.entries.names[i] for i in self._positions(recipe)), *stack)

    def blend(self, recipe: Recipe, held_out: int | None = None) -> Blend:
        """The recipe fitted on every fold but `held_out`; on all of them for None."""
        key = (recipe, held_out)
        if key not in self._blends:
            self._blends[key] = self._fit(recipe, held_out)
        return self._blends[key]

    def fitted(self, recipe: Recipe, held_out: int | None, rows: np.ndarray) -> np.ndarray:
        """(rows, K) probabilities by the blend fitted without fold `held_out`."""
        logits = [entry[rows] for entry in self._logits(recipe, held_out)]
        return blend_probabilities(logits, self.blend(recipe, held_out), self._tails(recipe, rows))

    def probabilities(self, recipe: Recipe) -> np.ndarray:
        """(N, K) cross-fitted probabilities."""
        if recipe not in self._probabilities:
            entries = self.material.entries
            mixed = np.zeros(entries.logits.shape[1:])
            for fold in self.material.folds:
                rows = np.flatnonzero(entries.fold == fold)
                mixed[rows] = self.fitted(recipe, fold, rows)
            self._probabilities[recipe] = mixed
        return self._probabilities[recipe]

    def without(self, recipe: Recipe, name: str) -> np.ndarray:
        """(N, K) cross-fitted probabilities when an entry is taken out of every blend; nothing is searched again."""
        entries, position = self.material.entries, self.names(recipe).index(name)
        mixed = np.zeros(entries.logits.shape[1:])
        for fold in self.material.folds:
            rows = np.flatnonzero(entries.fold == fold)
            blend = self.blend(recipe, fold)
            weights = np.where(np.arange(len(blend.weights)) == position, 0, blend.weights)
            if not weights.any():  # it was alone in this blend: the others share its place
                weights = 1.0 * (np.arange(len(weights)) != position)
            logits = [entry[rows] for entry in self._logits(recipe, fold)]
            rest = replace(blend, weights=weights / weights.sum())
            mixed[rows] = blend_probabilities(logits, rest, self._tails(recipe, rows))
        return mixed

    def test_probabilities(self, recipe: Recipe) -> np.ndarray:
        """(M, K) by the blend fitted on every fold."""
        entries, positions = self.material.entries, self._positions(recipe)
        logits, has_input = [entries.test_logits[i] for i in positions], entries.test_has_input[positions]
        if recipe.stack:
            stack = self._stack
            logits += list(stack.test_logits)
            reads_all = np.tile(entries.test_has_input.all(0), (len(stack.names), 1))  # a stacker reads every entry
            has_input = np.concatenate([has_input, reads_all])
        tails = self._parts.test_tails if recipe.parts else ()
        prior = class_prior(entries.label, len(entries.classes))
        return blend_test_probabilities(logits, has_input, prior, self.blend(recipe), tails)

    def _fit(self, recipe: Recipe, held_out: int | None) -> Blend:
        entries = self.material.entries
        rows = np.flatnonzero(entries.fold != held_out)
        if recipe.adjusted:
            return self._with_tau(recipe, held_out, rows)
        tails = self._tails(recipe, rows)
        if recipe.weights == "pooled":
            logits = np.stack([entry[rows] for entry in self._logits(recipe, held_out)])
            weights = fit_pool(log_probabilities(softmax(logits)), entries.label[rows])
            return replace(self._untuned(recipe, tails), weights=weights, pooled=True)
        if recipe.weights == "equal":
            return self._untuned(recipe, tails)
        plainer = self._plainer(recipe)
        begin = self._begin(recipe, plainer, held_out) if plainer else None
        logits = np.stack([entry[rows] for entry in self._logits(recipe, held_out)])
        title = f"{self._title}: {recipe.title} without fold {held_out}"
        found = tune(logits, entries.label[rows], self.search, tails, title, begin)
        # Where the search has no use for what the recipe adds, the plainer recipe's blend stands, so that two recipes
        # are compared by what one adds and not by the luck of two searches.
        if plainer is None or begin is None:
            return found
        new = found.alphas if plainer.parts != recipe.parts else found.weights[len(self.names(plainer)) :]
        return found if new.any() else begin

    def _untuned(self, recipe: Recipe, tails: tuple[Tail, ...]) -> Blend:
        equal = Blend.equal(len(self.names(recipe)))
        return replace(equal, alphas=np.ones(len(tails)), reading=UNTUNED_READING)

    def _plainer(self, recipe: Recipe) -> Recipe | None:
        """The recipe without what was added to it last; None where there is nothing but tuned weights."""
        if recipe.stack:
            return replace(recipe, stack=False)
        if recipe.retrained:
            return replace(recipe, retrained=False)
        return replace(recipe, parts=False) if recipe.parts else None

    def _begin(self, recipe: Recipe, plainer: Recipe, held_out: int | None) -> Blend:
        """The plainer recipe's blend in the form of this one: new entries and tails with weight 0."""
        blend, num_new = self.blend(plainer, held_out), len(self.names(recipe)) - len(self.names(plainer))
        return replace(
            blend,
            weights=np.append(blend.weights, np.zeros(num_new)),
            temperatures=np.append(blend.temperatures, np.ones(num_new)),
            alphas=blend.alphas if plainer.parts == recipe.parts else np.zeros(len(self._parts.tails)),
        )

    def _with_tau(self, recipe: Recipe, held_out: int | None, rows: np.ndarray) -> Blend:
        """The blend of the recipe before adjustment, with the tau that scores best on the clips it was fitted on."""
        entries, plain = self.material.entries, replace(recipe, adjusted=False)
        blend, labels = self.blend(plain, held_out), entries.label[rows]
        blend = replace(blend, prior=class_prior(labels, len(entries.classes)))
        logits, tails = [entry[rows] for entry in self._logits(recipe, held_out)], self._tails(recipe, rows)
        scores = [
            self.search.objective.score(blend_probabilities(logits, replace(blend, tau=tau), tails), labels)
            for tau in TAUS
        ]
        return replace(blend, tau=TAUS[int(np.argmax(scores))])

    def _logits(self, recipe: Recipe, held_out: int | None) -> list[np.ndarray]:
        """E arrays (N, K); those of the stackers are by stackers that never saw a label of fold `held_out`."""
        stack = self._stack.logits[held_out] if recipe.stack else ()
        return [*(self.material.entries.logits[i] for i in self._positions(recipe)), *stack]

    def _positions(self, recipe: Recipe) -> list[int]:
        """Of the recipe's entries among those of the material; what an addition brings comes last."""
        retrained, adapted = self.material.retrained, self.material.adapted
        beside = {*retrained, *adapted.values()}
        first = [i for i in range(len(self.material.entries.names)) if i not in beside]
        if recipe.adapted:
            first = [adapted.get(i, i) for i in first]
        return first + retrained if recipe.retrained else first

    def _tails(self, recipe: Recipe, rows: np.ndarray) -> tuple[Tail, ...]:
        if not recipe.parts:
            return ()
        return tuple(Tail(tail.classes, tail.probs[rows]) for tail in self._parts.tails)
