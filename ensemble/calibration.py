"""Does a stated probability come true? Expected calibration error, and one temperature that lowers it.

Source: Guo et al., On calibration of modern neural networks (ICML 2017), sections 2 and 4.2.
"""

import numpy as np

from ensemble.mixture import softmax

NUM_BINS = 15
TEMPERATURES_TO_TRY = np.geomspace(0.2, 5, 65)


def expected_calibration_error(probabilities: np.ndarray, labels: np.ndarray, num_bins: int = NUM_BINS) -> float:
    """Mean over clips of |confidence - accuracy| of the clip's bin; bins divide confidence into equal widths.

    Args:
        probabilities: (N, K), rows summing to one. labels: (N,).
    """
    confidence = probabilities.max(1)
    right = probabilities.argmax(1) == labels
    bin_of = np.minimum((confidence * num_bins).astype(int), num_bins - 1)
    gap = np.bincount(bin_of, weights=confidence - right, minlength=num_bins)
    return float(np.abs(gap).sum() / len(labels))


def best_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The temperature of least log-loss, from a few."""
    every = np.arange(len(labels))
    losses = [-np.log(np.maximum(softmax(logits / t)[every, labels], 1e-12)).mean() for t in TEMPERATURES_TO_TRY]
    return float(TEMPERATURES_TO_TRY[int(np.argmin(losses))])


def cross_calibrated(logits: np.ndarray, labels: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """(N, K) probabilities: each fold at the temperature that is best for the other folds."""
    calibrated = np.zeros(logits.shape)
    for held_out in np.unique(fold):
        inside = fold == held_out
        others = ~inside if not inside.all() else inside  # one fold alone has no others; its figure is in-sample
        calibrated[inside] = softmax(logits[inside] / best_temperature(logits[others], labels[others]))
    return calibrated
