"""Logit adjustment by class prior: a cheap answer to a long tail, after training.

Source: Menon et al., Long-tail learning via logit adjustment (arXiv 2007.07314), section 4.1.
"""

import numpy as np

TAUS = (0.0, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5)  # to choose from; 0 changes nothing, 1 is the published default


def adjust_logits(logits: np.ndarray, prior: np.ndarray, tau: float) -> np.ndarray:
    """logits - tau * log(prior): what a network trained on these shares would say of evenly frequent classes.

    Args:
        logits: (..., K); logarithms of probabilities serve as well.
        prior: (K,) positive, of the clips that the network was trained on.
        tau: 0 leaves the logits, 1 takes the prior out.
    """
    return logits - tau * np.log(prior)
