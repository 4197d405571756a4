"""When should a pool take the place of equal weights? Synthetic competitions, small ones too, with known test labels.

Printed for each kind of competition: the test top-1 of equal weights, of the pool, and of what ships when the pool has
to be better, cross-fitted, by more than the spread in top-1 or in log-likelihood (`ensemble.choose` asks for that).

reads: nothing
writes: nothing (prints a table)

    python -m benchmarks.pool_or_equal                      # two minutes
    python -m benchmarks.pool_or_equal --num-folds 6
"""

import argparse

import numpy as np

from benchmarks.competition import Setting, make_competition
from ensemble.choose import likelihood_gain, score_gain
from ensemble.recipes import CrossFit, Material, Recipe
from ensemble.tune import Search

EQUAL, POOLED = Recipe(), Recipe(weights="pooled")
KINDS = {
    "three alike": (3.0, 2.9, 2.8),
    "eight good": (3.0, 3.0, 3.0, 2.8, 2.8, 2.8, 2.6, 2.6),
    "eight, two weak": (3.2, 3.0, 2.8, 2.6, 2.4, 1.8, 0.8, 0.0),
    "two good, many weak": (3.2, 3.0, 2.2, *[2.0] * 8, 1.0, 0.6, 0.2),
}
SIZES = {6: 45, 12: 50, 40: 50}  # people: clips of each
SEEDS = 24


def play(setting: Setting, seed: int) -> tuple[float, float, bool, bool]:
    """Test top-1 of equal weights and of the pool, and whether top-1 and log-likelihood take the pool."""
    game = make_competition(setting, seed)
    crossfit = CrossFit(Material(game.entries), Search(seed=seed))
    equal, pooled = ((crossfit.test_probabilities(one).argmax(1) == game.test_label).mean() for one in (EQUAL, POOLED))
    takes_pool = []
    for gain_of in (score_gain, likelihood_gain):
        gain, spread = gain_of(crossfit, EQUAL, POOLED, crossfit.material.folds)
        takes_pool.append(gain > spread)
    return equal, pooled, *takes_pool


def main() -> None:
    parser = argparse.ArgumentParser(description="When should a pool take the place of equal weights?")
    parser.add_argument("--num-folds", type=int, default=4, help="of people; default %(default)s")
    args = parser.parse_args()
    print(f"{'entries':20} people  clips   equal    pool  by top-1 (taken)  by log-likelihood (taken)")
    for title, strengths in KINDS.items():
        for people, clips in SIZES.items():
            setting = Setting(
                num_subjects=people, clips_per_subject=clips, num_test_subjects=100, num_folds=args.num_folds,
                fold_noise=0.5, strengths=strengths,
            )  # fmt: skip
            equal, pooled, by_top1, by_likelihood = np.array([play(setting, seed) for seed in range(SEEDS)]).T
            ships = [100 * np.where(taken, pooled, equal).mean() for taken in (by_top1, by_likelihood)]
            print(
                f"{title:20} {people:6d} {people * clips:6d} {100 * equal.mean():7.2f} {100 * pooled.mean():7.2f}"
                f" {ships[0]:9.2f} ({by_top1.mean():.2f}) {ships[1]:18.2f} ({by_likelihood.mean():.2f})",
                flush=True,
            )


if __name__ == "__main__":
    main()
