"""How sure a score is, by drawing people again: clips of one person are alike, so people are the unit, not clips."""

import numpy as np

DRAWS = 4000
INTERVAL = (2.5, 97.5)  # percent


def sums_by_subject(values: np.ndarray, subject: np.ndarray) -> np.ndarray:
    """Sum (A, N) values over the clips of each subject: (A, S)."""
    _, number = np.unique(subject, return_inverse=True)
    return np.stack([np.bincount(number, weights=row, minlength=number.max() + 1) for row in values])


def drawn_top1(right: np.ndarray, subject: np.ndarray, num_subjects: int, seed: int, draws: int = DRAWS) -> np.ndarray:
    """Top-1 of A systems on `draws` sets of `num_subjects` people drawn with replacement.

    Args:
        right: (A, N) bool. subject: (N,) text.
    Returns:
        (draws, A); a row is one set of people, the same for every system.
    """
    sums = sums_by_subject(np.concatenate([right, np.ones((1, right.shape[1]))]), subject)
    counts = _drawn_counts(sums.shape[1], num_subjects, seed, draws)
    totals = counts @ sums.T
    return totals[:, :-1] / totals[:, -1:]


def drawn_class_average(
    right: np.ndarray, labels: np.ndarray, subject: np.ndarray, num_subjects: int, seed: int, draws: int = DRAWS
) -> np.ndarray:
    """(draws,) class average of one system, (N,) bool, over the classes that occur in each draw."""
    classes = np.unique(labels)
    is_class = labels == classes[:, None]
    counts = _drawn_counts(len(np.unique(subject)), num_subjects, seed, draws)
    clips = counts @ sums_by_subject(is_class.astype(float), subject).T
    hits = counts @ sums_by_subject((is_class & right).astype(float), subject).T
    return np.nanmean(np.divide(hits, clips, out=np.full(clips.shape, np.nan), where=clips > 0), axis=1)


def interval(draws: np.ndarray) -> list[float]:
    """[low, high] that holds 95 % of the draws."""
    return np.percentile(draws, INTERVAL).tolist()


def leaderboard_interval(right: np.ndarray, subject: np.ndarray, num_test_subjects: int, seed: int) -> list[float]:
    """[low, high] for the top-1 on so many new people: our error in the estimate and their luck, both.

    Args:
        right: (N,) bool, cross-fitted.
    """
    num_subjects = len(np.unique(subject))
    ours = drawn_top1(right[None], subject, num_subjects, seed)[:, 0]
    theirs = drawn_top1(right[None], subject, num_test_subjects, seed + 1)[:, 0]
    return np.clip(interval(theirs + (right.mean() - ours)), 0, 1).tolist()


def chance_of_beating(drawn: np.ndarray) -> np.ndarray:
    """(A, A): how often the row's system beats the column's on the same people; a tie counts half. (draws, A) in."""
    better = (drawn[:, :, None] > drawn[:, None, :]).mean(0)
    return better + (drawn[:, :, None] == drawn[:, None, :]).mean(0) / 2


def _drawn_counts(num_from: int, num_drawn: int, seed: int, draws: int) -> np.ndarray:
    """(draws, S): how often each person was drawn."""
    return np.random.default_rng(seed).multinomial(num_drawn, np.full(num_from, 1 / num_from), size=draws)
