"""What micro F1 over new people will be, and how sure that is. Gestures of one person are alike: people are the unit.

F1 = 2 hits / (predicted + true) is a ratio of sums over people. Linearised, each person adds

    e_i = (2 hits_i - F1 (predicted_i + true_i)) / mean of (predicted + true)

which sum to zero; their standard deviation s gives Student's interval F1 +- t(S - 1) s sqrt(1/S + 1/M) for M new people
after S seen. Two systems are compared on the same people: the differences of their e_i.

Source: the ratio estimator (Cochran, Sampling Techniques, 1977, chapter 6); the jackknife over people gives the same to
first order.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

COVERAGE = 0.95


def f1_of(counts: NDArray) -> float:
    """Micro F1 of (N, 3) hits, predicted, true; 0 where nothing is predicted or true."""
    hits, predicted, true = counts.sum(0)
    return float(2 * hits / max(predicted + true, 1))


def by_person(counts: NDArray, person: NDArray) -> NDArray[np.int64]:
    """(S, 3) sums over the videos (N, 3) of each person (N,), in the order of their names."""
    names, number = np.unique(person, return_inverse=True)
    total = np.zeros((len(names), 3), np.int64)
    np.add.at(total, number, counts)
    return total


def linearised(counts: NDArray) -> NDArray[np.float64]:
    """(S,) what each person adds to micro F1, around zero; (S, 3) hits, predicted, true."""
    size = counts[:, 1] + counts[:, 2]
    return (2 * counts[:, 0] - f1_of(counts) * size) / max(size.mean(), 1e-12)


def deviation(values: NDArray, num_new: int | None) -> float:
    """Standard error of the mean of `num_new` new people around that of these; None: of all people there are."""
    return float(values.std(ddof=1) * np.sqrt(1 / len(values) + (0 if num_new is None else 1 / num_new)))


def interval(counts: NDArray, num_new: int | None) -> list[float] | None:
    """[low, high] that holds micro F1 over new people 95 times of 100; None where one person was seen."""
    if len(counts) < 2:
        return None
    reach = student.ppf((1 + COVERAGE) / 2, len(counts) - 1) * deviation(linearised(counts), num_new)
    return np.clip(f1_of(counts) + np.array([-reach, reach]), 0, 1).tolist()


def chance_of_beating(counts: NDArray, others: NDArray, num_new: int | None) -> float | None:
    """That the first system has the higher micro F1 on new people, both seen on the same; None with one person."""
    if len(counts) < 2:
        return None
    gain, spread = f1_of(counts) - f1_of(others), deviation(linearised(counts) - linearised(others), num_new)
    if spread < 1e-12:
        return 0.5 if abs(gain) < 1e-12 else float(gain > 0)
    return float(student.cdf(gain / spread, len(counts) - 1))
