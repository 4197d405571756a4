"""Merge tail models into the primary one: eq. 5 of M2HEN (MiGA 2024), in the five ways in which it can be read.

A tail model knows the classes of the rarest parts and one class OTHERS for all the rest (see ensemble/parts.py). The
paper adds its scores to the primary ones "when the model predicts a tail category" and leaves open what that means:

    R1  if the tail model's best class is not OTHERS, add all its tail entries; else add nothing (closest to the text)
    R2  always add all its tail entries
    R3  add 1 at its best class unless that is OTHERS (a vote)
    R4  a proper mixture: what the tail model gives to OTHERS is shared among the head classes as the primary shares it
    R5  add the part of each tail entry that exceeds the entry of OTHERS

each times alpha. Everything works on probabilities: logits of networks with other classes have other scales.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

READINGS = ("R1", "R2", "R3", "R4", "R5")


@dataclass(frozen=True)
class Tail:
    """What a tail model thinks of N clips.

    classes: (K_i,) int, which of the K classes its outputs are; at least one of the K is not among them.
    probs: (N, K_i + 1), rows sum to one, last column OTHERS.
    has_input: (N,) bool, false for a clip that it has no input for, to which it then adds nothing; None: all have.
    """

    classes: np.ndarray
    probs: np.ndarray
    has_input: np.ndarray | None = None


def merge(
    primary: np.ndarray, tails: Sequence[Tail], alphas: Sequence[float] | np.ndarray, reading: str = "R1"
) -> np.ndarray:
    """Scores of the K classes; the largest is the prediction.

    Args:
        primary: (N, K) probabilities.
        alphas: one non-negative weight a tail; the primary has weight 1. Where nothing can be tuned, R4 with all 1.
    Returns:
        (N, K). With R4 they are probabilities: the mixture is divided by the sum of its weights.
    Raises:
        ValueError: an unknown reading, shapes that disagree, or a tail that leaves no head class.
    """
    alphas = np.asarray(alphas, dtype=float)
    if alphas.shape != (len(tails),):
        raise ValueError(f"{len(tails)} tails need as many alphas, got {alphas.shape}")
    merged = primary + np.tensordot(alphas, tail_terms(primary, tails, reading), 1)
    return merged / (1 + alphas.sum()) if reading == "R4" else merged


def tail_terms(primary: np.ndarray, tails: Sequence[Tail], reading: str = "R1") -> np.ndarray:
    """(tails, N, K): what each alpha is multiplied with. A search over alphas computes this once.

    Of the five readings only R4 looks at `primary`. `merge` says what is raised.
    """
    if reading not in READINGS:
        raise ValueError(f"reading {reading!r}: expected one of {', '.join(READINGS)}")
    terms = np.zeros((len(tails), *primary.shape))
    for term, tail in zip(terms, tails, strict=True):
        _check(primary, tail)
        entries, others = tail.probs[:, :-1], tail.probs[:, -1:]
        best = tail.probs.argmax(1)
        if reading == "R1":
            term[:, tail.classes] = entries * (best < len(tail.classes))[:, None]
        elif reading == "R2":
            term[:, tail.classes] = entries
        elif reading == "R3":
            term[:, tail.classes] = np.eye(tail.probs.shape[1])[best][:, :-1]
        elif reading == "R4":
            term[:] = others * _head_shares(primary, tail.classes)
            term[:, tail.classes] = entries
        else:
            term[:, tail.classes] = np.maximum(0, entries - others)
        if tail.has_input is not None:
            term[~tail.has_input] = 0
    return terms


def _head_shares(primary: np.ndarray, tail_classes: np.ndarray) -> np.ndarray:
    """(N, K): the primary's probabilities given a head class; even where it gives the head nothing at all."""
    is_head = np.ones(primary.shape[1])
    is_head[tail_classes] = 0
    head = primary * is_head
    total = head.sum(1, keepdims=True)
    return np.divide(head, total, out=np.tile(is_head / is_head.sum(), (len(primary), 1)), where=total > 0)


def _check(primary: np.ndarray, tail: Tail) -> None:
    num_clips, num_classes = primary.shape
    expected = (num_clips, len(tail.classes) + 1)
    if tail.probs.shape != expected:
        raise ValueError(f"probabilities of a tail have shape {tail.probs.shape}, expected {expected}")
    if len(np.unique(tail.classes)) != len(tail.classes) or len(tail.classes) >= num_classes:
        raise ValueError(f"{len(tail.classes)} tail classes: expected each once, and fewer than all {num_classes}")
