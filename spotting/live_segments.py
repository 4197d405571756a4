"""Segments as they end: windows of tokens to candidates, and those of them that nothing to come can change.

With a look-ahead of a window or more the windows are those of a recording, and a candidate is decided once no window to
come can touch it: the segments are the recording's. With less, a window ends at each hop with the newest token, and
says what ended `look_ahead` frames ago; what is said once suppresses what comes later.
"""

import numpy as np
import torch
from numpy.typing import NDArray

from spotting.config import DetectorConfig
from spotting.decode import FrameScores, average_models, decode_window, of_plain_view
from spotting.detectors import points_of
from spotting.nms import MAX_CANDIDATES
from spotting.samples import padded_window
from spotting.segments import Segments, concatenate, empty_segments, temporal_iou


class SegmentStream:
    """Decides about the segments of one stream of tokens.

    Args:
        detectors: in eval mode; detector i // (tokens a frame / detectors) looks at token i.
        threshold, nms_iou: as the run chose them.
        mirror: (K,) of `Clips`; of the views that a detector looks at, the second is mirrored.
        look_ahead: frames of tokens after the end of a segment; at least a window = as in a recording.
    """

    def __init__(
        self, detectors: list[torch.nn.Module], config: DetectorConfig, num_classes: int, threshold: float,
        nms_iou: float, look_ahead: int, mirror: NDArray[np.int64] | None = None,
    ) -> None:  # fmt: skip
        self.detectors, self.config, self.num_classes = detectors, config, num_classes
        self.threshold, self.nms_iou, self.look_ahead = threshold, nms_iou, look_ahead
        self.mirror = mirror
        self.is_exact = look_ahead >= config.window
        self.hop = config.window // 2 if self.is_exact else max(1, look_ahead // 2)
        self.points = points_of(config)
        self.tokens: NDArray | None = None  # (streams, n, D) from frame `first`
        self.first, self.count = 0, 0  # frame of the oldest token, number of tokens so far
        self.next_start, self.said_to = 0, 0.0  # start of the next window; frame up to which ends are decided
        self.scores_first, self.scores = 0, np.zeros((0, num_classes + 1))  # sums of frame probabilities
        self.open: Segments = empty_segments()  # whose scores may still change
        self.known: Segments = empty_segments()  # rescored; decided or not
        self.state = np.zeros(0, np.int8)  # of known: 0 undecided, 1 kept, -1 suppressed

    def push(self, tokens: NDArray) -> Segments:
        """Take in tokens (streams, n, D) of the next n frames; the segments that are certain now."""
        self.tokens = tokens if self.tokens is None else np.concatenate([self.tokens, tokens], axis=1)
        self.count += tokens.shape[1]
        window, parts = self.config.window, []
        if self.is_exact:
            while self.count > self.next_start + window:
                self._look(self.next_start)
                self.next_start += self.hop
            parts.append(self._decide(min(self.next_start, self.count - window)))
        else:
            while self.count - self.look_ahead >= self.said_to + self.hop:
                to = int(self.said_to) + self.hop
                parts.append(self._say(to, to + self.look_ahead))
        self._forget(self.next_start if self.is_exact else self.count - window - self.hop)
        return concatenate(parts)

    def finish(self) -> Segments:
        """What is left when no frame comes any more."""
        if self.count == 0:
            return empty_segments()
        if not self.is_exact:
            return self._say(np.inf, self.count)
        self._look(max(0, self.count - self.config.window))
        return self._decide(np.inf)

    @torch.no_grad()
    def _run(self, start: int, num_frames: int) -> tuple[Segments, list[dict]]:
        """Candidates of the window from frame `start` of a video that has `num_frames`."""
        assert self.tokens is not None  # it runs when tokens came
        outputs, each = [], len(self.tokens) // len(self.detectors)
        for i, tokens in enumerate(self.tokens):
            padded, is_frame = padded_window(tokens[: num_frames - self.first], start - self.first, self.config.window)
            output = self.detectors[i // each](torch.from_numpy(padded)[None], torch.from_numpy(is_frame)[None])
            outputs.append(of_plain_view(output, self.mirror) if i % each == 1 else output)
        probabilities, distances = average_models(outputs)
        is_point = outputs[0]["is_point"][0]
        return decode_window(self.points, probabilities[0], distances[0], is_point, start, num_frames), outputs

    def _look(self, start: int) -> None:
        """Candidates and frame probabilities of a window of the recording's grid."""
        candidates, outputs = self._run(start, self.count)
        oldest = int(self.open.start.min(initial=start)) // 2 * 2  # even: halves round to even numbers
        self.scores, self.scores_first = self.scores[oldest - self.scores_first :], oldest
        length = min(start + self.config.window, self.count) - self.scores_first
        scores = FrameScores(length, self.num_classes)
        scores.total[: len(self.scores)] = self.scores
        scores.add(start - self.scores_first, outputs)
        self.scores = scores.total
        self.open = concatenate([self.open, candidates])

    def _decide(self, future: float) -> Segments:
        """Segments that are certain when every window to come begins at frame `future` or later."""
        is_final = self.open.end <= future
        final = self.open[is_final]
        self.open = self.open[~is_final]
        if len(final):
            scores = FrameScores(len(self.scores), self.num_classes)
            scores.total = self.scores
            shifted = Segments(final.start - self.scores_first, final.end - self.scores_first, final.label, final.score)
            final = Segments(final.start, final.end, final.label, scores.rescore(shifted).score)
            final = final[final.score > self.threshold]
            self.known = concatenate([self.known, final])
            self.state = np.append(self.state, np.zeros(len(final), np.int8))
        known = self.known
        if not (self.state == 0).any():
            return self._remember(empty_segments(), known)
        rivals = self._rivals(known, known)
        waits = np.asarray(self._rivals(known, self.open).any(1))  # a score that may still change
        order, said = np.lexsort((known.label, known.end, known.start, -known.score)), []
        for place, i in enumerate(order.tolist()):
            if self.state[i]:
                continue
            better = self.state[order[:place]][np.asarray(rivals)[i, order[:place]]]
            if (better == 1).any():
                self.state[i] = -1
            elif not waits[i] and not (better == 0).any():
                self.state[i] = 1
                said.append(i)
        return self._remember(known[np.array(said, np.int64)], known)

    def _remember(self, said: Segments, known: Segments) -> Segments:
        """Keep what is undecided, and what was said and overlaps something undecided."""
        undecided = self.state == 0
        others = concatenate([known[undecided], self.open])
        keep = undecided | ((self.state == 1) & self._rivals(known, others).any(1))
        self.known, self.state = known[keep], self.state[keep]
        return said

    def _rivals(self, a: Segments, b: Segments) -> NDArray[np.bool_]:
        """(N, M): of one class, and overlap too much for both to stay."""
        return (temporal_iou(a.start, a.end, b.start, b.end) > self.nms_iou) & (a.label[:, None] == b.label[None])

    def _say(self, to: float, num_frames: int) -> Segments:
        """Segments that end between `said_to` and `to`, by the window that ends with frame `num_frames`."""
        start = max(0, num_frames - self.config.window)
        candidates, outputs = self._run(start, num_frames)
        scores = FrameScores(num_frames - start, self.num_classes)
        scores.add(0, outputs)
        shifted = Segments(candidates.start - start, candidates.end - start, candidates.label, candidates.score)
        candidates = Segments(candidates.start, candidates.end, candidates.label, scores.rescore(shifted).score)
        is_due = (candidates.end > self.said_to) & (candidates.end <= to) & (candidates.score > self.threshold)
        due = candidates[is_due]
        order = np.lexsort((due.label, due.end, due.start, -due.score))[:MAX_CANDIDATES]
        said = empty_segments()
        for i in order.tolist():
            one = due[i : i + 1]
            if not self._rivals(one, concatenate([self.known, said])).any():
                said = concatenate([said, one])
        recent = self.known[self.known.end > start]
        self.known, self.said_to = concatenate([recent, said]), to
        return said

    def _forget(self, first: int) -> None:
        assert self.tokens is not None
        first = min(max(first, self.first), max(self.first, self.count - self.config.window))
        self.tokens, self.first = self.tokens[:, first - self.first :], first
