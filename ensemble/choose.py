"""Which recipe ships, and an estimate that the choice itself does not flatter.

The plainest recipe is equal weights. Another takes its place only when it is better, cross-fitted, by more than the
spread of that difference: two standard errors over folds (of four folds: their standard deviation), or the standard
error over clips where that is larger, because a few folds can agree by chance. In errors of the mean the question is
the same whatever the number of folds. Better is a higher score of the objective. A pool in place of equal weights,
and entries adapted to each person in place of the same without, are judged by likelihood: it says with a few hundred
clips what top-1 says with many thousand (`benchmarks.pool_or_equal`). The estimate holds out the choice too: the folds
other than k choose, and what they chose is scored on k.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace

import numpy as np

from ensemble.recipes import CrossFit, Recipe

BY_LIKELIHOOD = {("weights", "pooled"), ("adapted", True)}


@dataclass(frozen=True)
class Step:
    """One question that was asked: does `challenger` take the place of `current`?"""

    current: Recipe
    challenger: Recipe
    measure: str  # score: of the objective; log-likelihood: mean over the clips, in nats
    gain: float  # of the cross-fitted measure
    spread: float  # what the gain must exceed, in the same unit
    accepted: bool


def challengers(crossfit: CrossFit, current: Recipe) -> Iterator[Recipe]:
    """What may be added to the current recipe, plainest first."""
    material = crossfit.material
    if material.adapted and not current.adapted:
        yield replace(current, adapted=True)
    if current.weights == "equal":
        yield replace(current, weights="pooled")
    if current.weights != "tuned":
        yield replace(current, weights="tuned")
    if material.parts is not None and not current.parts:
        yield replace(current, parts=True)
    if material.retrained and not current.retrained:
        yield replace(current, retrained=True)
    if material.stack is not None and not current.stack:
        yield replace(current, stack=True)
    if not current.adjusted:
        yield replace(current, adjusted=True)


def choose(crossfit: CrossFit, folds: list[int] | None = None) -> tuple[Recipe, list[Step]]:
    """Go through the challengers once, looking at the labels of `folds` only (default: all).

    With one fold nothing can be cross-fitted, and equal weights ship.
    """
    folds = crossfit.material.folds if folds is None else folds
    current, steps, asked = Recipe(), [], set()
    while len(folds) > 1:
        waiting = [one for one in challengers(crossfit, current) if _added(current, one) not in asked]
        if not waiting:
            break
        asked.add(_added(current, waiting[0]))
        step = compare(crossfit, current, waiting[0], folds)
        steps.append(step)
        current = step.challenger if step.accepted else current
    return current, steps


def compare(crossfit: CrossFit, current: Recipe, challenger: Recipe, folds: list[int]) -> Step:
    """Is the challenger better, cross-fitted, by more than the spread?"""
    by_likelihood = _added(current, challenger) in BY_LIKELIHOOD
    measure, gain_of = ("log-likelihood", likelihood_gain) if by_likelihood else ("score", score_gain)
    gain, needed = gain_of(crossfit, current, challenger, folds)
    return Step(current, challenger, measure, gain, needed, gain > needed)


def score_gain(crossfit: CrossFit, current: Recipe, challenger: Recipe, folds: list[int]) -> tuple[float, float]:
    """By how much the challenger scores higher on the objective, cross-fitted, and the spread of that."""
    label, fold = crossfit.material.entries.label, crossfit.material.entries.fold
    ours, theirs = crossfit.probabilities(challenger), crossfit.probabilities(current)
    objective = crossfit.search.objective

    def gain(rows: np.ndarray) -> float:
        return objective.score(ours[rows], label[rows]) - objective.score(theirs[rows], label[rows])

    inside = np.isin(fold, folds)
    right = (ours.argmax(1) == label).astype(int) - (theirs.argmax(1) == label)
    over_clips = float(np.linalg.norm(objective.gains(label[inside], ours.shape[1]) * right[inside]))
    return gain(inside), spread([gain(fold == one) for one in folds], over_clips)


def likelihood_gain(crossfit: CrossFit, current: Recipe, challenger: Recipe, folds: list[int]) -> tuple[float, float]:
    """By how many nats a clip the challenger's log-likelihood is higher, cross-fitted, and the spread of that."""
    label, fold = crossfit.material.entries.label, crossfit.material.entries.fold
    ours, theirs = crossfit.probabilities(challenger), crossfit.probabilities(current)
    gain = log_likelihood(ours, label) - log_likelihood(theirs, label)
    inside = gain[np.isin(fold, folds)]
    over_clips = inside.std() / np.sqrt(len(inside))
    return float(inside.mean()), spread([gain[fold == one].mean() for one in folds], over_clips)


def spread(gain_of_folds: list[float], over_clips: float) -> float:
    """What a gain must exceed: two standard errors over folds, or its standard error over clips if that is larger."""
    return float(max(2 * np.std(gain_of_folds) / np.sqrt(len(gain_of_folds)), over_clips))


def log_likelihood(probabilities: np.ndarray, label: np.ndarray) -> np.ndarray:
    """(N,) logarithm of what each clip's class was given, in nats."""
    return np.log(np.maximum(probabilities[np.arange(len(label)), label], np.finfo(float).tiny))


def estimate(crossfit: CrossFit) -> np.ndarray:
    """(N, K) probabilities of the whole procedure: each fold by the recipe that the other folds chose.

    With fewer than three folds the others cannot choose: the recipe that all folds chose is used.
    """
    entries, folds = crossfit.material.entries, crossfit.material.folds
    shipped, _ = choose(crossfit)
    mixed = np.zeros(entries.logits.shape[1:])
    for fold in folds:
        recipe = choose(crossfit, [other for other in folds if other != fold])[0] if len(folds) > 2 else shipped
        inside = entries.fold == fold
        mixed[inside] = crossfit.probabilities(recipe)[inside]
    return mixed


def _added(current: Recipe, challenger: Recipe) -> tuple[str, object]:
    """The first field in which they differ, and what the challenger makes of it."""
    names = (one.name for one in fields(Recipe))
    return next(
        (name, getattr(challenger, name)) for name in names if getattr(current, name) != getattr(challenger, name)
    )
