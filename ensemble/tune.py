"""Search blend weights and temperatures with Optuna, and score the search honestly by cross-fitting.

A blend is sum_e w_e softmax(logits_e / t_e), w non-negative and summing to one.
"""

from dataclasses import dataclass

import numpy as np
import optuna

MIN_TEMPERATURE, MAX_TEMPERATURE = 0.5, 4.0
LOG_LOSS_SHARE = (
    1e-3  # of the objective: breaks ties of top-1, too small to outweigh a clip in sets of under 1000 clips
)


@dataclass(frozen=True)
class Blend:
    """Weights (E,) summing to one and temperatures (E,) of the entries."""

    weights: np.ndarray
    temperatures: np.ndarray

    @staticmethod
    def equal(num_entries: int) -> "Blend":
        return Blend(np.full(num_entries, 1 / num_entries), np.ones(num_entries))

    @staticmethod
    def single(num_entries: int, index: int) -> "Blend":
        return Blend(np.eye(num_entries)[index], np.ones(num_entries))


def softmax(logits: np.ndarray) -> np.ndarray:
    """Softmax over the last axis."""
    exponent = np.exp(logits - logits.max(-1, keepdims=True))
    return exponent / exponent.sum(-1, keepdims=True)


def blend_probabilities(logits: np.ndarray, blend: Blend) -> np.ndarray:
    """(E, N, K) logits -> (N, K) probabilities."""
    mixed = np.zeros(logits.shape[1:])
    for entry, weight, temperature in zip(logits, blend.weights, blend.temperatures, strict=True):
        if weight > 0:
            mixed += weight * softmax(entry / temperature)
    return mixed


def blend_test_probabilities(test_logits: tuple[np.ndarray, ...], blend: Blend) -> np.ndarray:
    """E arrays (F, M, K) -> (M, K): probabilities averaged over the fold models of each entry, then blended."""
    return sum(
        weight * softmax(logits / temperature).mean(0)
        for logits, weight, temperature in zip(test_logits, blend.weights, blend.temperatures, strict=True)
    )


def objective_value(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Top-1, ties broken by log-loss; larger is better."""
    own = probabilities[np.arange(len(labels)), labels]
    log_loss = -np.log(np.maximum(own, 1e-12)).mean()
    return float((probabilities.argmax(1) == labels).mean() - LOG_LOSS_SHARE * log_loss)


def tune(logits: np.ndarray, labels: np.ndarray, num_trials: int, seed: int) -> Blend:
    """Search with a seeded TPE sampler in one process, so the same input gives the same blend.

    The first trials are equal weights and each entry alone, so the result is never worse than those on this data.
    """
    num_entries = len(logits)
    if num_entries == 1:
        return Blend.equal(1)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
    starts = [np.ones(num_entries), *np.eye(num_entries)]
    for start in starts:
        study.enqueue_trial({f"w{e}": float(start[e]) for e in range(num_entries)} | _unit_temperatures(num_entries))

    def objective(trial: optuna.Trial) -> float:
        raw = np.array([trial.suggest_float(f"w{e}", 0.0, 1.0) for e in range(num_entries)])
        temperatures = np.array(
            [trial.suggest_float(f"t{e}", MIN_TEMPERATURE, MAX_TEMPERATURE, log=True) for e in range(num_entries)]
        )
        if raw.sum() <= 0:
            raise optuna.TrialPruned  # all weights zero: not a blend
        return objective_value(blend_probabilities(logits, Blend(raw / raw.sum(), temperatures)), labels)

    study.optimize(objective, n_trials=num_trials, n_jobs=1)
    best = study.best_params
    weights = np.array([best[f"w{e}"] for e in range(num_entries)])
    return Blend(weights / weights.sum(), np.array([best[f"t{e}"] for e in range(num_entries)]))


def _unit_temperatures(num_entries: int) -> dict[str, float]:
    return {f"t{e}": 1.0 for e in range(num_entries)}


def cross_fit(logits: np.ndarray, labels: np.ndarray, fold: np.ndarray, num_trials: int, seed: int) -> np.ndarray:
    """(N, K) probabilities in which every fold is blended by weights tuned on the other folds only."""
    mixed = np.zeros(logits.shape[1:])
    for held_out in np.unique(fold):
        inside = fold == held_out
        blend = tune(logits[:, ~inside], labels[~inside], num_trials, seed)
        mixed[inside] = blend_probabilities(logits[:, inside], blend)
    return mixed
