"""Score a blend of fixed clips as often as a search wants, without allocating anything in a trial.

A blend is sum_e w_e softmax(logits_e / t_e) + sum_i alpha_i tail_i. Temperatures lie on a grid, so the softmax of an
entry at a temperature is computed once, when a trial first asks for it, and kept. Arrays lie class by class, (K, N), so
that the largest class of every clip is found by whole rows at a time.
"""

from dataclasses import dataclass

import numpy as np

from miga.errors import InputError

# 0.5 to 8 in half octaves: a softmax changes little in between. A high temperature turns the mean of probabilities
# into the mean of logits, which is what independent entries want; hence the wide end.
TEMPERATURES = tuple(2.0 ** (step / 2) for step in range(-2, 7))
UNIT_STEP = TEMPERATURES.index(1.0)
SMALLEST_PROBABILITY = 1e-12
LARGEST_LOG_LOSS = -np.log(SMALLEST_PROBABILITY)


@dataclass(frozen=True)
class Objective:
    """What a search maximises: top1_share * top-1 + (1 - top1_share) * class average; log-loss breaks ties."""

    top1_share: float = 1.0

    @staticmethod
    def parse(text: str) -> "Objective":
        """`top1`, `class_average`, or `mix:0.7` for 0.7 of top-1 and 0.3 of class average.

        Raises:
            InputError: anything else.
        """
        named = {"top1": 1.0, "class_average": 0.0}
        kind, _, share = text.partition(":")
        try:
            top1_share = float(share) if kind == "mix" else named[text]
        except (KeyError, ValueError) as error:
            raise InputError(f"--objective {text}: expected top1, class_average or mix:0.7") from error
        if not 0 <= top1_share <= 1:
            raise InputError(f"--objective {text}: the share of top-1 must be from 0 to 1")
        return Objective(top1_share)

    def gains(self, labels: np.ndarray, num_classes: int) -> np.ndarray:
        """(N,) what each clip adds to the score when it is right; classes without a clip do not count."""
        counts = np.bincount(labels, minlength=num_classes)
        of_class = self.top1_share / len(labels) + (1 - self.top1_share) / (np.count_nonzero(counts) * counts[labels])
        return of_class.astype(np.float64)

    def score(self, probabilities: np.ndarray, labels: np.ndarray) -> float:
        """The score of (N, K) probabilities without the tie-breaking log-loss."""
        return float(self.gains(labels, probabilities.shape[1]) @ (probabilities.argmax(1) == labels))


TOP1 = Objective(1.0)


class Evaluator:
    """The score of any blend of E entries and I tails over the same N clips.

    Args:
        logits: (E, N, K). labels: (N,) ints in [0, K). tails: (I, N, K) what each tail adds at alpha 1.
    """

    def __init__(self, logits: np.ndarray, labels: np.ndarray, objective: Objective, tails: np.ndarray | None = None):
        self.num_entries, num_clips, num_classes = logits.shape
        self.labels = labels
        self.gains = objective.gains(labels, num_classes)
        # Smaller than what the smallest change of the score is worth, so that log-loss can only break ties.
        self._tie_share = 1 / (LARGEST_LOG_LOSS * num_clips * num_classes)
        self._logits = [np.ascontiguousarray(entry.T, np.float32) for entry in logits]
        self._tables: dict[tuple[int, int], np.ndarray] = {}
        tails = np.zeros((0, num_clips, num_classes)) if tails is None else tails
        self.num_tails = len(tails)
        self._tail_mass = tails.sum(2)
        # What a trial mixes: a row an entry at the temperature it was last asked for, then a row a tail. A trial is one
        # product of a vector with this matrix, and copies a row where a temperature changed.
        self._rows = np.zeros((self.num_entries + self.num_tails, num_classes * num_clips), np.float32)
        self._row_steps = np.full(self.num_entries, -1)
        for row, tail in zip(self._rows[self.num_entries :], tails, strict=True):
            row[:] = tail.T.ravel()
        self._own_index = labels * num_clips + np.arange(num_clips)
        self._mixed = np.zeros((num_classes, num_clips), np.float32)
        self._is_best = np.zeros((num_classes, num_clips), bool)
        self._best, self._own = np.zeros(num_clips, np.float32), np.zeros(num_clips, np.float32)

    def table(self, entry: int, step: int) -> np.ndarray:
        """(K * N,) softmax of an entry at TEMPERATURES[step], class by class."""
        if (entry, step) not in self._tables:
            exponent = self._logits[entry] / np.float32(TEMPERATURES[step])
            exponent -= exponent.max(0)
            np.exp(exponent, out=exponent)
            exponent /= exponent.sum(0)
            self._tables[entry, step] = exponent.ravel()
        return self._tables[entry, step]

    def value(self, weights: np.ndarray, steps: np.ndarray, alphas: np.ndarray | None = None) -> float:
        """Score minus a tie-breaking share of log-loss; larger is better.

        Args:
            weights: (E,) non-negative, not all zero; their sum does not matter. steps: (E,) indices of TEMPERATURES.
            alphas: (I,) what each tail adds to primary probabilities that sum to one.
        """
        right = self.right(weights, steps, alphas)
        mass = 1.0 if alphas is None else 1 + alphas @ self._tail_mass
        log_loss = -np.log(np.maximum(self._own / mass, SMALLEST_PROBABILITY)).mean(dtype=np.float64)
        return float(self.gains @ right - self._tie_share * log_loss)

    def right(self, weights: np.ndarray, steps: np.ndarray, alphas: np.ndarray | None = None) -> np.ndarray:
        """(N,) bool: which clips a blend gets right, by the rule of argmax: of tied classes the first is predicted."""
        for entry in np.flatnonzero((self._row_steps != steps) & (weights > 0)):
            self._rows[entry] = self.table(int(entry), int(steps[entry]))
            self._row_steps[entry] = steps[entry]
        alphas = np.zeros(self.num_tails) if alphas is None else alphas
        shares = np.concatenate([weights / weights.sum(), alphas]).astype(np.float32)
        np.dot(shares, self._rows, out=self._mixed.reshape(-1))
        np.max(self._mixed, axis=0, out=self._best)
        np.take(self._mixed.reshape(-1), self._own_index, out=self._own)
        right = self._own >= self._best
        np.equal(self._mixed, self._best, out=self._is_best)
        if np.count_nonzero(self._is_best) > len(self._best):
            right &= self._is_best.argmax(0) == self.labels
        return right
