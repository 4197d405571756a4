"""Every score of a track 1 prediction, in one place."""

import numpy as np


def top_k_accuracy(logits: np.ndarray, labels: np.ndarray, k: int = 1) -> float:
    """Share of clips whose label is among the k largest logits.

    A class tied with the label counts as ranked before it only when its number is lower, as argmax would choose.

    Args:
        logits: (N, K).
        labels: (N,) ints in [0, K).
    """
    own = logits[np.arange(len(labels)), labels][:, None]
    before = (logits > own) | ((logits == own) & (np.arange(logits.shape[1]) < labels[:, None]))
    return float((before.sum(1) < k).mean())


def class_recalls(predicted: np.ndarray, labels: np.ndarray, num_classes: int) -> np.ndarray:
    """(K,) recall of each class; NaN for a class that has no clip here."""
    counts = np.bincount(labels, minlength=num_classes)
    right = np.bincount(labels[predicted == labels], minlength=num_classes)
    return np.divide(right, counts, out=np.full(num_classes, np.nan), where=counts > 0)


def class_average(predicted: np.ndarray, labels: np.ndarray, num_classes: int) -> float:
    """Mean recall over the classes that occur (M2HEN, eq. 8)."""
    return float(np.nanmean(class_recalls(predicted, labels, num_classes)))


def macro_f1(predicted: np.ndarray, labels: np.ndarray, num_classes: int) -> float:
    """Mean F1 over the classes that occur in `labels`."""
    counts = np.bincount(labels, minlength=num_classes)
    chosen = np.bincount(predicted, minlength=num_classes)
    right = np.bincount(labels[predicted == labels], minlength=num_classes)
    present = counts > 0
    return float((2 * right[present] / (counts[present] + chosen[present])).mean())


def scores(logits: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Top-1, top-5, class average and macro-F1 of (N, K) logits."""
    predicted = logits.argmax(1)
    num_classes = logits.shape[1]
    return {
        "top1": top_k_accuracy(logits, labels, 1),
        "top5": top_k_accuracy(logits, labels, min(5, num_classes)),
        "class_average": class_average(predicted, labels, num_classes),
        "macro_f1": macro_f1(predicted, labels, num_classes),
    }
