"""Where the next trial of a blend search looks: near the best trial so far.

The value of a blend hardly changes with most single weights, and there are dozens of weights and temperatures: a model
of the whole space (as Optuna's default sampler fits one) costs more than a trial and learns little in a few hundred of
them. Small changes to the best known blend, begun at good starts, find more in less time.
"""

from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, IntDistribution

SHARE_SWITCHED_OFF = 0.2  # of changed weights and alphas: sparse blends are found only by trying zero
STEP = 0.15  # of a weight's range: standard deviation of a change
LARGEST_GRID_STEP = 2  # of a temperature


class NearBestSampler(optuna.samplers.BaseSampler):
    """Change a few parameters of the best finished trial; without one, draw uniformly.

    Args:
        space: every parameter of the study, floats beginning at 0 or ints.
        seed: of this process; processes that share a study need different ones.
    """

    def __init__(self, space: dict[str, BaseDistribution], seed: int):
        self._space = space
        self._rng = np.random.default_rng(seed)

    def infer_relative_search_space(
        self, study: optuna.Study, trial: optuna.trial.FrozenTrial
    ) -> dict[str, BaseDistribution]:
        return self._space

    def sample_relative(
        self, study: optuna.Study, trial: optuna.trial.FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        finished = study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,))
        if not finished:
            return {name: self._uniform(one) for name, one in search_space.items()}
        params = dict(max(finished, key=lambda trial: trial.values[0]).params)
        names = list(search_space)
        num_changed = min(len(names), 1 + self._rng.geometric(0.5))
        for name in self._rng.choice(names, num_changed, replace=False):
            params[str(name)] = self._near(params[str(name)], search_space[str(name)])
        return params

    def sample_independent(
        self,
        study: optuna.Study,
        trial: optuna.trial.FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        return self._uniform(param_distribution)

    def _uniform(self, one: Any) -> float | int:
        if isinstance(one, IntDistribution):
            return int(self._rng.integers(one.low, one.high + 1))
        return float(self._rng.uniform(one.low, one.high))

    def _near(self, value: float | int, one: Any) -> float | int:
        if isinstance(one, IntDistribution):
            step = self._rng.integers(-LARGEST_GRID_STEP, LARGEST_GRID_STEP + 1)
            return int(np.clip(value + step, one.low, one.high))
        if self._rng.random() < SHARE_SWITCHED_OFF:
            return 0.0
        return float(np.clip(value + STEP * one.high * self._rng.normal(), one.low, one.high))
