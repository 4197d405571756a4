"""Does the forecast cover? Synthetic competitions of few people, whose test score we know.

A competition has six entries alike in quality. One of them ships: either the first, named beforehand, or the one with
the best top-1 on the training people, which flatters. Its forecast is made as `ensemble.forecast` makes it, the choice
held out too. Printed: how often the 95 % interval held the top-1 on new people, in percent with its standard error over
competitions, by the number of training people (rows), of new people (columns), and how much people differ.

reads: nothing
writes: nothing (prints tables)

    python -m benchmarks.forecast_coverage                       # two minutes
    python -m benchmarks.forecast_coverage --competitions 100    # rougher
"""

import argparse

import numpy as np

from benchmarks.competition import Competition, Setting, make_competition
from ensemble.forecast import best_single
from ensemble.prediction import predict

TRAINING_PEOPLE = (4, 6, 10, 20, 40)
NEW_PEOPLE = (2, 5, 20)
SPREADS = {"small": 0.0, "medium": 0.25, "large": 0.6}  # of people
STRENGTHS = (2.6,) * 6
PICKED = ("named", "chosen")


def competition_of(num_subjects: int, person_spread: float, seed: int) -> Competition:
    setting = Setting(
        num_subjects=num_subjects,
        clips_per_subject=30,
        num_test_subjects=max(NEW_PEOPLE),
        num_classes=6,
        num_folds=min(num_subjects, 5),
        strengths=STRENGTHS,
        person_spread=person_spread,
        clips_spread=0.7,
    )
    return make_competition(setting, seed)


def play(game: Competition) -> tuple[np.ndarray, np.ndarray]:
    """What became of the forecasts of one competition.

    Returns:
        (2, M) of PICKED and NEW_PEOPLE: the share of forecasts that held, over as many groups of new people as there
        are. (2, 2): of PICKED, top-1 on the training people as the forecast states it and as the choice saw it, each
        less top-1 on all test people.
    """
    entries = game.entries
    right = entries.logits.argmax(2) == entries.label
    test_right = np.stack([logits.mean(0).argmax(1) == game.test_label for logits in entries.test_logits])
    best = right.mean(1).argmax()
    held_out = best_single(entries).argmax(1) == entries.label
    held, errors = [], []
    for forecast_right, shipped in ((right[0], 0), (held_out, best)):
        held.append([share_held(forecast_right, game, test_right[shipped], number) for number in NEW_PEOPLE])
        stated = np.array([forecast_right.mean(), right[shipped].mean()])
        errors.append(stated - test_right[shipped].mean())
    return np.array(held), np.array(errors)


def share_held(right: np.ndarray, game: Competition, test_right: np.ndarray, num_new: int) -> float:
    """Over the groups of `num_new` test people: how often their top-1 lies in the interval forecast for it."""
    people, number, clips = np.unique(game.test_subject, return_inverse=True, return_counts=True)
    hits = np.bincount(number, weights=test_right)
    held = []
    for group in np.arange(len(people)).reshape(-1, num_new):
        low, high = predict(right, game.subject, clips[group]).interval()
        top1 = hits[group].sum() / clips[group].sum()
        held.append(low - 1e-9 <= top1 <= high + 1e-9)  # both are whole numbers of clips
    return float(np.mean(held))


def main() -> None:
    parser = argparse.ArgumentParser(description="Does the forecast cover?")
    parser.add_argument("--competitions", type=int, default=200, help="of each kind; default %(default)s")
    args = parser.parse_args()
    every = []
    for title, person_spread in SPREADS.items():
        print(f"people differ: {title}; {args.competitions} competitions a row, 30 clips a person on average")
        columns = "".join(f"{number:>5} new    " for number in NEW_PEOPLE)
        print(f"  training   {'entry named beforehand':39}{'best of six, chosen on them':39}stated - test, points")
        print(f"  people   {columns}{columns}held out  as chosen")
        for num_subjects in TRAINING_PEOPLE:
            games = (competition_of(num_subjects, person_spread, seed) for seed in range(args.competitions))
            held, errors = (np.stack(one) for one in zip(*map(play, games), strict=True))
            every.append(held)
            flattery = 100 * errors.mean(0)[PICKED.index("chosen")]
            print(f"  {num_subjects:<8} {cells(held)}{flattery[0]:+8.1f}   {flattery[1]:+8.1f}", flush=True)
    print(f"  every    {cells(np.concatenate(every))}")


def cells(held: np.ndarray) -> str:
    """Mean over competitions and its standard error, in percent, of (C, 2, M) shares."""
    mean, error = 100 * held.mean(0), 100 * held.std(0, ddof=1) / np.sqrt(len(held))
    return "".join(f"{one:6.1f} +-{of:4.1f}" for one, of in zip(mean.ravel(), error.ravel(), strict=True))


if __name__ == "__main__":
    main()
