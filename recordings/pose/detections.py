"""What a single-shot detector says -> detections: anchors, decoding, weighted suppression of doubles.

Sources: MediaPipe's calculators `SsdAnchors`, `TensorsToDetections`, `NonMaxSuppression` (google-ai-edge/mediapipe) and
BlazeFace (arXiv 1907.05047), section 3.2, for the weighted mean in place of the best box.
"""

from dataclasses import dataclass
from itertools import groupby

import numpy as np

MIN_SCORE = 0.5
MAX_OVERLAP = 0.3  # of boxes, intersection over union, above which two are one
CLIP = 100.0  # of raw scores, before the sigmoid


@dataclass(frozen=True)
class Detections:
    """N detections, best first, in shares of the detector's square input.

    boxes: (N, 4) left, top, right, bottom. points: (N, P, 2). scores: (N,).
    """

    boxes: np.ndarray
    points: np.ndarray
    scores: np.ndarray

    def __len__(self) -> int:
        return len(self.scores)


def ssd_anchors(side: int, strides: tuple[int, ...]) -> np.ndarray:
    """(A, 2) centers of the anchors of a detector with a square input, in shares of it.

    All anchors have the size of the input. A layer has two a place; layers of one stride that follow one another are
    one grid, with the anchors of all of them at a place.
    """
    anchors = []
    for stride, layers in groupby(strides):
        cells = -(-side // stride)
        centers = (np.arange(cells) + 0.5) / cells
        y, x = np.meshgrid(centers, centers, indexing="ij")
        grid = np.stack([x.ravel(), y.ravel()], axis=1)  # (cells ** 2, 2)
        anchors.append(np.repeat(grid, 2 * len(list(layers)), axis=0))
    return np.concatenate(anchors)


def decode(raw: np.ndarray, logits: np.ndarray, anchors: np.ndarray, side: int) -> Detections:
    """Every anchor's box and points that are sure enough.

    Args:
        raw: (A, 4 + 2P) x, y of the middle, width, height, then points, in pixels from the anchor.
        logits: (A,).
    """
    scores = 1 / (1 + np.exp(-np.clip(logits.astype(np.float64), -CLIP, CLIP)))
    kept = np.flatnonzero(scores >= MIN_SCORE)
    kept = kept[np.argsort(-scores[kept], kind="stable")]
    values = raw[kept].astype(np.float64) / side
    middle, half = values[:, :2] + anchors[kept], values[:, 2:4] / 2
    points = values[:, 4:].reshape(len(kept), (raw.shape[1] - 4) // 2, 2) + anchors[kept, None]
    return Detections(np.concatenate([middle - half, middle + half], axis=1), points, scores[kept])


def weighted_suppression(found: Detections) -> Detections:
    """One detection for each group that overlaps its best one: the mean, weighted with scores; the best score."""
    boxes, points, scores = [], [], []
    left = np.arange(len(found))
    while len(left):
        same = overlaps(found.boxes[left[0]], found.boxes[left]) > MAX_OVERLAP
        same[0] = True  # also a box of no area
        group = left[same]
        weights = found.scores[group] / found.scores[group].sum()
        boxes.append(weights @ found.boxes[group])
        points.append(np.tensordot(weights, found.points[group], 1))
        scores.append(found.scores[group[0]])
        left = left[~same]
    if not boxes:
        return found
    return Detections(np.stack(boxes), np.stack(points), np.array(scores))


def overlaps(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(N,) intersection over union of a box (4,) with others (N, 4); 0 where both have no area."""
    sides = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    shared = np.clip(sides, 0, None).prod(axis=1)
    area = np.clip(box[2:] - box[:2], 0, None).prod() + np.clip(others[:, 2:] - others[:, :2], 0, None).prod(axis=1)
    union = area - shared
    return np.divide(shared, union, out=np.zeros_like(union), where=union > 0)
