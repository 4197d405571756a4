"""Per-class non-maximum suppression of segments.

Source: models of MSLT and MiGA'24 track 2 use an IoU of 0.2 and keep the best 200 segments of a video.
"""

import numpy as np

from spotting.segments import Segments, temporal_iou

MAX_CANDIDATES = 2000  # best scores of a video that enter; more only cost memory, the tail never survives a threshold


def suppress(segments: Segments, iou_threshold: float, max_segments: int = 200) -> Segments:
    """Keep a segment unless a better one of the same class overlaps it by more than `iou_threshold`.

    Ties in score are broken by position, the earlier segment wins, so that the result does not depend on the sort.

    Args:
        segments: candidates of one video, in any order.
        iou_threshold: in [0, 1]; 1 keeps all.
        max_segments: at most that many are returned.
    Returns:
        The kept segments by descending score.
    """
    order = np.lexsort((segments.label, segments.end, segments.start, -segments.score))[:MAX_CANDIDATES]
    segments = segments[order]
    iou = temporal_iou(segments.start, segments.end, segments.start, segments.end)
    rivals = (iou > iou_threshold) & (segments.label[:, None] == segments.label[None])
    alive = np.ones(len(segments), dtype=bool)
    for i in range(len(segments)):
        if alive[i]:
            alive[i + 1 :] &= ~rivals[i, i + 1 :]
    return segments[np.flatnonzero(alive)[:max_segments]]
