"""Search weights, temperatures and tail alphas together with Optuna.

In memory with one worker the same input and seed give the same blend. With a journal file, any number of processes or
machines search one study; which of them reports first then decides where the next looks, so that does not repeat.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import optuna
from joblib import Parallel, delayed
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState
from threadpoolctl import threadpool_limits

from ensemble.evaluate import TEMPERATURES, TOP1, Evaluator, Objective
from ensemble.merge import Tail, tail_terms
from ensemble.mixture import Blend
from ensemble.sampler import NearBestSampler
from ensemble.starts import drop_dead, warm_starts

MAX_ALPHA = 0.5  # where the primary has weight 1; M2HEN prints no alphas, this range is our choice


@dataclass(frozen=True)
class Search:
    """How to search: what for, how long, and where the trials are kept."""

    objective: Objective = TOP1
    trials: int = 200  # of one search, its warm starts included
    seed: int = 0
    study: Path | None = None  # a journal file that processes share; None = in memory
    workers: int = 1  # processes of this command


def tune(
    logits: np.ndarray,
    labels: np.ndarray,
    search: Search,
    tails: Sequence[Tail] = (),
    title: str = "blend",
    begin: Blend | None = None,
) -> Blend:
    """The best blend found, without its dead entries.

    Args:
        logits: (E, N, K). labels: (N,). tails: what each tail model thinks of the same clips.
        title: tells the searches in one journal file apart; it must name the data.
        begin: a blend that the search starts from besides its own warm starts; temperatures on the grid.
    """
    num_entries, num_tails = len(logits), len(tails)
    if num_entries == 1 and not num_tails:
        return Blend.equal(1)
    terms = tail_terms(np.zeros(logits.shape[1:]), tails) if num_tails else None
    # One thread: a product split among threads may round otherwise, and a tie then falls otherwise.
    with threadpool_limits(1):
        evaluator = Evaluator(logits, labels, search.objective, terms)
        starts = warm_starts(evaluator)
        if begin is not None:
            starts.append((begin.weights, np.searchsorted(TEMPERATURES, begin.temperatures), begin.alphas))
        begins = [params_of(*start) for start in starts]
        if search.workers > 1:
            shared = delayed(_search_shared)
            jobs = (shared(logits, labels, terms, search, begins, title, i) for i in range(search.workers))
            Parallel(n_jobs=search.workers)(jobs)
        best = run_study(evaluator, search, begins, title, worker=0)
        weights, steps, alphas = drop_dead(evaluator, *arrays_of(best, num_entries, num_tails))
    return Blend(weights, np.array(TEMPERATURES)[steps], alphas)


def _search_shared(logits, labels, terms, search: Search, starts: list[dict], title: str, worker: int) -> None:
    """One process of several on a study in a journal file."""
    run_study(Evaluator(logits, labels, search.objective, terms), search, starts, title, worker)


def run_study(evaluator: Evaluator, search: Search, starts: list[dict], title: str, worker: int) -> dict:
    """Add trials until the study has as many as asked; return the parameters of the best."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    space = search_space(evaluator.num_entries, evaluator.num_tails)
    storage = None
    if search.study is not None:
        search.study.parent.mkdir(parents=True, exist_ok=True)
        storage = JournalStorage(JournalFileBackend(str(search.study)))
    study = optuna.create_study(
        storage=storage,
        study_name=title,
        load_if_exists=True,
        direction="maximize",
        sampler=NearBestSampler(space, search.seed + 1000 * worker),
    )
    for start in starts:
        study.enqueue_trial(start, skip_if_exists=True)

    def objective(trial: optuna.Trial) -> float:
        for name, one in space.items():
            if isinstance(one, IntDistribution):
                trial.suggest_int(name, one.low, one.high)
            elif isinstance(one, FloatDistribution):
                trial.suggest_float(name, one.low, one.high)
        weights, steps, alphas = arrays_of(trial.params, evaluator.num_entries, evaluator.num_tails)
        if weights.sum() <= 0:
            raise optuna.TrialPruned  # all weights zero: not a blend
        return evaluator.value(weights, steps, alphas)

    ended = (TrialState.COMPLETE, TrialState.PRUNED)
    num_wanted = max(search.trials, len(starts))
    num_left = num_wanted - len(study.get_trials(deepcopy=False, states=ended))
    if num_left > 0:
        stop = [optuna.study.MaxTrialsCallback(num_wanted, states=ended)] if storage is not None else []
        study.optimize(objective, n_trials=num_left, callbacks=stop)
    return study.best_params


def search_space(num_entries: int, num_tails: int) -> dict[str, BaseDistribution]:
    """Names and ranges of the parameters: a weight and a temperature step an entry, an alpha a tail."""
    return {
        **{f"weight{e}": FloatDistribution(0.0, 1.0) for e in range(num_entries)},
        **{f"step{e}": IntDistribution(0, len(TEMPERATURES) - 1) for e in range(num_entries)},
        **{f"alpha{i}": FloatDistribution(0.0, MAX_ALPHA) for i in range(num_tails)},
    }


def params_of(weights: np.ndarray, steps: np.ndarray, alphas: np.ndarray) -> dict[str, float | int]:
    """Arrays as Optuna's parameters; the largest weight becomes 1, so that each can still move."""
    return {
        **{f"weight{e}": float(w) for e, w in enumerate(weights / weights.max())},
        **{f"step{e}": int(step) for e, step in enumerate(steps)},
        **{f"alpha{i}": float(alpha) for i, alpha in enumerate(alphas)},
    }


def arrays_of(params: dict[str, float | int], num_entries: int, num_tails: int) -> tuple[np.ndarray, ...]:
    """Optuna's parameters as weights (E,), temperature steps (E,) and alphas (I,)."""
    return (
        np.array([params[f"weight{e}"] for e in range(num_entries)]),
        np.array([params[f"step{e}"] for e in range(num_entries)]),
        np.array([params[f"alpha{i}"] for i in range(num_tails)]),
    )
