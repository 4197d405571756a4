"""How frequent the classes are: all that is known of a clip that nobody can see."""

import numpy as np


def class_prior(labels: np.ndarray, num_classes: int) -> np.ndarray:
    """(K,) share of each class among training labels; a class without a clip counts as if it had one."""
    counts = np.maximum(np.bincount(labels, minlength=num_classes), 1)
    return counts / counts.sum()
