"""Where a blend search begins, and how its result is cleaned."""

import numpy as np

from ensemble.evaluate import TEMPERATURES, UNIT_STEP, Evaluator

# Greedy selection at each of these common temperatures: a search seldom moves all of them together.
COMMON_STEPS = tuple(TEMPERATURES.index(temperature) for temperature in (1.0, 2.0, 4.0, 8.0))
ALPHA_TO_TRY = 0.2
MIN_WEIGHT = 0.005  # below it an entry decides no clip, and costs a whole model at test time

# Leaving an entry out hurts when it costs more standard errors than this: on planted blends of 300 to 3,000 clips noise
# that a search had let in goes, and the score of the rest on new clips stays within a tenth of a point.
MIN_STANDARD_ERRORS = 1.5

# (weights (E,), temperature steps (E,), alphas (I,)); weights sum to one
Start = tuple[np.ndarray, np.ndarray, np.ndarray]


def warm_starts(evaluator: Evaluator) -> list[Start]:
    """Equal weights, the best single entry, greedy forward selections, and the best of these with every tail."""
    num_entries = evaluator.num_entries
    unit, no_tail = np.full(num_entries, UNIT_STEP), np.zeros(evaluator.num_tails)
    every = np.eye(num_entries)
    best_single = max(every, key=lambda weights: evaluator.value(weights, unit))
    starts = [(np.full(num_entries, 1 / num_entries), unit, no_tail), (best_single, unit, no_tail)]
    for step in COMMON_STEPS:
        steps = np.full(num_entries, step)
        starts.append((greedy_selection(evaluator, steps), steps, no_tail))
    if evaluator.num_tails:
        weights, steps, _ = max(starts, key=lambda start: evaluator.value(*start))
        starts.append((weights, steps, np.full(evaluator.num_tails, ALPHA_TO_TRY)))
    return starts


def greedy_selection(evaluator: Evaluator, steps: np.ndarray) -> np.ndarray:
    """(E,) weights: add the entry that helps the sum most, again and again, until none helps.

    Source: Caruana et al., Ensemble selection from libraries of models (ICML 2004); selection with replacement.
    """
    counts, best = np.zeros(evaluator.num_entries), -np.inf
    for _ in range(2 * evaluator.num_entries):
        trials = counts + np.eye(evaluator.num_entries)
        values = [evaluator.value(trial, steps) for trial in trials]
        if max(values) <= best:
            break
        best, counts = max(values), trials[int(np.argmax(values))]
    return counts / counts.sum()


def drop_dead(evaluator: Evaluator, weights: np.ndarray, steps: np.ndarray, alphas: np.ndarray) -> Start:
    """The blend without what does nothing: entries under MIN_WEIGHT, and entries and tails whose removal does not hurt.

    One goes at a time, the least missed first. The loss is counted against the blend that came in, and its standard
    error is over the clips on which the two disagree.
    """
    num_entries = len(weights)
    weights = np.where(weights / weights.sum() < MIN_WEIGHT, 0, weights)
    shares = np.concatenate([weights / weights.sum(), alphas])
    whole = evaluator.right(shares[:num_entries], steps, alphas).astype(int)
    while True:
        excess = {}
        for one in np.flatnonzero(shares):
            rest = np.where(np.arange(len(shares)) == one, 0, shares)
            if not rest[:num_entries].any():
                continue  # the last entry stays
            lost = evaluator.gains * (whole - evaluator.right(rest[:num_entries], steps, rest[num_entries:]))
            excess[int(one)] = lost.sum() - MIN_STANDARD_ERRORS * np.sqrt((lost**2).sum())
        if not excess or min(excess.values()) > 0:
            break
        shares[min(excess, key=excess.__getitem__)] = 0
    weights, alphas = shares[:num_entries], shares[num_entries:]
    return weights / weights.sum(), steps, alphas
