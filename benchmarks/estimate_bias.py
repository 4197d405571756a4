"""Is the estimate of the leaderboard score true? Twenty synthetic competitions whose test labels we know.

For each seed the blend is decided on the training people alone, as `ensemble.blend` does it. Printed, in points of
top-1: the mean over seeds of estimate minus test, and its standard error, for the cross-fitted estimate of what ships
and for the figure of tuned weights on the clips they were tuned on.

With --fold-noise every fold model errs on its own: a test clip is then predicted by the mean of all of them, a training
clip by one, and the test score is better than the estimate by what the averaging is worth.

reads: nothing
writes: nothing (prints a table)

    python -m benchmarks.estimate_bias                          # 20 seeds, 2,000 clips of 40 people
    python -m benchmarks.estimate_bias --subjects 12 --fold-noise 0.5
"""

import argparse
from dataclasses import dataclass

import numpy as np

from benchmarks.competition import Setting, make_competition
from ensemble.choose import choose, estimate
from ensemble.prediction import predict
from ensemble.recipes import CrossFit, Material, Recipe
from ensemble.tune import Search

TUNED = Recipe(weights="tuned")


@dataclass(frozen=True)
class Outcome:
    """Of one competition: errors of the figures in points of top-1, and what happened."""

    cross_fitted: float  # estimate of what ships, minus its test score
    tuned_cross_fitted: float  # of tuned weights whether they ship or not
    tuned_in_sample: float
    gain: float  # test score of what ships minus that of equal weights
    test: float
    tuned_shipped: bool
    inside: bool  # whether the test score lies in the interval stated for it


def play(setting: Setting, seed: int, trials: int) -> Outcome:
    """One competition from its entries to the opened test labels."""
    game = make_competition(setting, seed)
    label, every = game.entries.label, np.arange(len(game.entries.label))
    crossfit = CrossFit(Material(game.entries), Search(trials=trials, seed=seed))
    recipe, _ = choose(crossfit)

    def on_test(one: Recipe) -> float:
        return float((crossfit.test_probabilities(one).argmax(1) == game.test_label).mean())

    def on_train(probabilities: np.ndarray) -> float:
        return float((probabilities.argmax(1) == label).mean())

    right = estimate(crossfit).argmax(1) == label
    low, high = predict(right, game.subject, np.unique(game.test_subject, return_counts=True)[1]).interval()
    shipped, tuned = on_test(recipe), on_test(TUNED)
    return Outcome(
        cross_fitted=100 * (right.mean() - shipped),
        tuned_cross_fitted=100 * (on_train(crossfit.probabilities(TUNED)) - tuned),
        tuned_in_sample=100 * (on_train(crossfit.fitted(TUNED, None, every)) - tuned),
        gain=100 * (shipped - on_test(Recipe())),
        test=100 * shipped,
        tuned_shipped=recipe.weights == "tuned",
        inside=low <= shipped <= high,
    )


def mean_and_error(values: list[float]) -> tuple[float, float]:
    """Mean, and its standard error."""
    return float(np.mean(values)), float(np.std(values, ddof=1) / np.sqrt(len(values)))


def main() -> None:
    parser = argparse.ArgumentParser(description="Is the estimate of the leaderboard score true?")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--subjects", type=int, default=40)
    parser.add_argument("--fold-noise", type=float, default=0.0, help="error that every fold model makes on its own")
    args = parser.parse_args()
    setting = Setting(num_subjects=args.subjects, fold_noise=args.fold_noise)
    outcomes = [play(setting, seed, args.trials) for seed in range(args.seeds)]
    print(
        f"{args.seeds} competitions of {args.subjects * setting.clips_per_subject} clips of {args.subjects} people, "
        f"{args.trials} trials a search, fold models' own error {args.fold_noise}"
    )
    print("  points of top-1 above the test score, mean over seeds and its standard error")
    for title, name in (
        ("estimate of what ships, cross-fitted", "cross_fitted"),
        ("tuned weights, cross-fitted", "tuned_cross_fitted"),
        ("tuned weights, in-sample", "tuned_in_sample"),
    ):
        bias, error = mean_and_error([getattr(one, name) for one in outcomes])
        print(f"  {title:42} {bias:+6.2f} +- {error:.2f}")
    gain, error = mean_and_error([one.gain for one in outcomes])
    print(f"  on test, what ships beats equal weights by {gain:.2f} +- {error:.2f}")
    print(
        f"  test score {np.mean([one.test for one in outcomes]):.2f}; tuned weights shipped in "
        f"{sum(one.tuned_shipped for one in outcomes)}, test score inside the 95 % interval in "
        f"{sum(one.inside for one in outcomes)} of {args.seeds}"
    )


if __name__ == "__main__":
    main()
