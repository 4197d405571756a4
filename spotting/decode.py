"""From the detector's outputs on windows to the candidate segments of a video.

Source: MiGA 2024 track 2 (NPU), section on inference; MSLT for one class a point and the pooling over windows.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spotting.detector import Points, decode_boundaries
from spotting.segments import Segments, concatenate, make_segments

MIN_SCORE = 0.01  # candidates below never pass a threshold (the smallest tried is 0.05)


def decode_window(
    points: Points, probabilities: Tensor, distances: Tensor, is_point: Tensor, start: int, num_frames: int
) -> Segments:
    """Candidates of one window: the best class of every point, clipped to the window and to the video.

    Args:
        points: P points.
        probabilities: (P, K). is_point: (P,) bool.
        distances: (P, 2) in strides, or (P, K, 2) where each class has its own.
        start: first frame of the window in its video. num_frames: of the video.
    Returns:
        Segments in frames of the video.
    """
    window = int((points.level == 0).sum())  # level 0 has one point a frame
    score, label = probabilities.max(-1)
    if distances.dim() == 3:
        distances = distances[torch.arange(len(label), device=label.device), label]
    boundary = decode_boundaries(points, distances).clamp(0, window) + start
    boundary = boundary.clamp(max=num_frames)
    keep = is_point & (score >= MIN_SCORE) & (boundary[:, 1] > boundary[:, 0])
    start_end = boundary[keep].double().cpu().numpy()
    return make_segments(
        start_end[:, 0], start_end[:, 1], label[keep].cpu().numpy(), score[keep].double().cpu().numpy()
    )


def pool_windows(parts: list[Segments]) -> Segments:
    """Candidates of all windows of a video together; overlapping windows repeat themselves, suppression merges them."""
    return concatenate(parts)


def average_models(outputs: list[dict[str, Tensor]]) -> tuple[Tensor, Tensor]:
    """Mean probability and mean distance over models that looked at the same points.

    Args:
        outputs: per model `class_logits` (B, P, K) and `distances` (B, P, 2) or (B, P, K, 2).
    Returns:
        (B, P, K) and the distances' shape.
    """
    probabilities = torch.stack([o["class_logits"].sigmoid() for o in outputs]).mean(0)
    return probabilities, torch.stack([o["distances"] for o in outputs]).mean(0)


def of_plain_view(output: dict[str, Tensor], mirror: NDArray[np.int64] | None) -> dict[str, Tensor]:
    """What a detector says of a mirrored view, in the classes of the plain one; `mirror`: (K,) of `Clips`."""
    if mirror is None or (mirror == np.arange(len(mirror))).all():
        return output
    index = torch.as_tensor(mirror, device=output["class_logits"].device)
    changed = {**output, "class_logits": output["class_logits"][..., index]}
    if output["distances"].dim() == 4:  # a distance for every class
        changed["distances"] = output["distances"][:, :, index]
    if "frame_logits" in output:  # background stays the last
        changed["frame_logits"] = output["frame_logits"][..., torch.cat([index, index.new_tensor([len(index)])])]
    return changed


class FrameScores:
    """Class probabilities of the frames of a video, gathered window by window, and what they say of candidates."""

    def __init__(self, num_frames: int, num_classes: int) -> None:
        self.total = np.zeros((num_frames, num_classes + 1))

    def add(self, start: int, outputs: list[dict[str, Tensor]]) -> None:
        """Take in a window that begins at frame `start`, as all models see it; models without frames say nothing."""
        for output in outputs:
            if "frame_logits" in output:
                part = self.total[start : start + output["frame_logits"].shape[1]]
                part += output["frame_logits"][0].softmax(-1).double().cpu().numpy()[: len(part)]

    def rescore(self, candidates: Segments) -> Segments:
        """Candidates with the geometric mean of their score and their class's mean probability over their frames."""
        if not self.total.any() or len(candidates) == 0:
            return candidates
        probability = self.total / self.total.sum(1, keepdims=True).clip(1e-12)
        summed = np.concatenate([np.zeros((1, probability.shape[1])), probability.cumsum(0)])  # (T + 1, K + 1)
        first = np.rint(candidates.start).astype(np.int64).clip(0, len(probability) - 1)
        last = np.rint(candidates.end).astype(np.int64).clip(first + 1, len(probability))
        mean = (summed[last, candidates.label] - summed[first, candidates.label]) / (last - first)
        return make_segments(candidates.start, candidates.end, candidates.label, np.sqrt(candidates.score * mean))
