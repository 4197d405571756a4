"""What the mean over new people will be, and how sure that is: clips of one person are alike, so people are the unit.

The error of such a prediction has two parts for either side, the people seen and the new ones: people differ (variance
between them, a mean over their clips takes in), and clips of one person differ (variance within). From a handful of
people the first is hardly known, so it is not one number here but many that are equally likely: with S people the sum
of squares between them, each in units of its own variance, is chi-squared with S - 1 degrees of freedom, and each
quantile of that gives one variance between. Where all people have the same number of clips this is Student's interval,
mean +- t(S - 1) s sqrt(1/S + 1/M); with unequal numbers it weighs each person by what they tell.

Source: generalized pivotal quantity of Iyer, Wang and Mathew (JASA 99, 2004) for one-way random effects; scaled down
where people differ less than their clips alone would make them, as Hartung and Knapp (Stat. Med. 20, 2001) do.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr
from scipy.stats import chi2

COVERAGE = 0.95
QUANTILES = (np.arange(1000) + 0.5) / 1000  # of chi-squared
VARIANCES = np.append(0, np.geomspace(1e-5, 1, 300))  # between people, as a share of the variance of all clips


@dataclass(frozen=True)
class Prediction:
    """Of the mean over new people: normal around `mean`, with one of `deviations`, all equally likely.

    num_seen: clips that it comes from. num_new: clips of the new people; None for the mean over all people there are.
    """

    mean: float
    deviations: np.ndarray
    num_seen: int
    num_new: int | None

    def interval(self) -> list[float]:
        """[low, high] that holds 95 % of new means, which are shares of clips: from 0 to 1.

        Shares near 0 or 1 vary less and to the inner side more; on the scale of arcsin(sqrt(share)) they do not. The
        share of a number of clips is a whole number of them: the interval ends on the nearest such share.
        """
        reach = brentq(lambda x: ndtr(x / self.deviations).mean() - (1 + COVERAGE) / 2, 0, 20 * self.deviations.max())
        inner = np.clip(self.mean, *(np.array([0.5, self.num_seen + 0.5]) / (self.num_seen + 1)))
        angle = np.arcsin(np.sqrt(self.mean)) + np.array([-1, 1]) * reach / (2 * np.sqrt(inner * (1 - inner)))
        ends = np.sin(np.clip(angle, 0, np.pi / 2)) ** 2
        if self.num_new is not None:
            ends = np.round(ends * self.num_new) / self.num_new
        return ends.tolist()

    def chance_above_zero(self) -> float:
        return float(ndtr(self.mean / self.deviations).mean())


def predict(values: np.ndarray, subject: np.ndarray, new_clips: np.ndarray | None = None) -> Prediction:
    """The mean over clips of new people, from the clips of people seen.

    Args:
        values: (N,) of each clip: whether it is right, or the difference of two such. subject: (N,) whose clip it is.
        new_clips: (M,) number of clips of each new person; None predicts the mean over all people there are.
    """
    _, number, clips = np.unique(subject, return_inverse=True, return_counts=True)
    num_seen, values = len(values), values.astype(float)
    means = np.bincount(number, weights=values) / clips
    # Clips that are all alike do not prove that there are no others: half a clip is counted as the other way.
    overall = max(values.var(), 0.5 / (num_seen + 1))
    within = ((values - means[number]) ** 2).sum() / max(num_seen - len(clips), 1) or overall
    between, scale = likely_variances_between(means, clips, within, overall)
    seen = [clips] if new_clips is None else [clips, new_clips]
    variance = sum(between * (one**2).sum() / one.sum() ** 2 + within / one.sum() for one in seen)
    num_new = None if new_clips is None else int(new_clips.sum())
    return Prediction(float(values.mean()), np.sqrt(scale * variance), num_seen, num_new)


def likely_variances_between(
    means: np.ndarray, clips: np.ndarray, within: float, overall: float
) -> tuple[np.ndarray, np.ndarray]:
    """Variances between people that are equally likely, and what the whole variance is multiplied by for each.

    The second is below one where people differ by less than the variance within explains, but they cannot be found
    nearer to each other than half a clip. One person tells nothing of how people differ: then it is as much as it can
    be, the variance of all clips.

    Args:
        means: (S,). clips: (S,). within: variance of one clip about its person's mean. overall: of all clips.
    """
    if len(means) == 1:
        return np.array([overall]), np.ones(1)
    tried = overall * VARIANCES
    weights = 1 / (tried[:, None] + within / clips)
    centre = (weights * means).sum(1) / weights.sum(1)
    squares = (weights * (means - centre[:, None]) ** 2).sum(1)  # falls as the variance grows
    wanted = chi2.ppf(QUANTILES, len(means) - 1)
    between = np.interp(wanted, squares[::-1], tried[::-1])
    rounding = (1 / (12 * within * clips)).sum()  # of means to whole clips: 1/12 of a clip squared, in the same units
    return between, np.minimum(1, max(squares[0], rounding) / wanted)


def class_average_values(right: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(N,) values whose mean is the class average and which vary over clips as the class average does, linearised."""
    _, number, clips = np.unique(labels, return_inverse=True, return_counts=True)
    recall = np.bincount(number, weights=right) / clips
    return recall.mean() + (right - recall[number]) * len(labels) / (len(clips) * clips[number])
