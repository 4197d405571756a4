"""Stage 1 at work: the frames of a video to one token each.

The extractor looks at 8-frame clips that overlap by a quarter; a frame's token is the mean over the clips that show it.

Source: MiGA 2024 track 2 (NPU). It concatenates the clips' tokens, overlaps and all; averaging the duplicates is our
reading, because then a token is a frame.
"""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

Describe = Callable[[NDArray[np.int64], slice], torch.Tensor]


def clip_starts(num_frames: int, clip_len: int, overlap: float) -> NDArray[np.int64]:
    """First frames of the clips; the last clip ends with the video. A shorter video gives one clip."""
    stride = max(1, round(clip_len * (1 - overlap)))
    last = max(0, num_frames - clip_len)
    return np.unique(np.append(np.arange(0, last + 1, stride, dtype=np.int64), last))


def average_overlaps(tokens: NDArray[np.float32], starts: NDArray[np.int64], num_frames: int) -> NDArray[np.float32]:
    """Tokens of clips (N, L, D) to tokens of frames (num_frames, D): the mean where clips overlap.

    Frames past the end of the video, in the one clip of a video shorter than a clip, are dropped.
    """
    length, width = tokens.shape[1:]
    total = np.zeros((max(num_frames, int(starts[-1]) + length), width), np.float64)
    count = np.zeros(len(total))
    for i in range(length):  # starts are distinct, so each pass adds to a frame at most once
        total[starts + i] += tokens[:, i]
        count[starts + i] += 1
    return (total / np.maximum(count, 1)[:, None])[:num_frames].astype(np.float32)


@torch.no_grad()
def frame_features(
    describe: Describe, starts: NDArray[np.int64], num_frames: int, clip_len: int, batch_clips: int
) -> NDArray[np.float32]:
    """Features of each frame of a video, (num_frames, C).

    Args:
        describe: (frames (N, L) of clips, which of `starts` they are) -> (N, L, C), a network's features.
        starts: first frames of the video's clips. clip_len: frames of each. batch_clips: clips at a time.
    """
    parts = []
    for i in range(0, len(starts), batch_clips):
        part = slice(i, i + batch_clips)
        indexes = np.minimum(starts[part, None] + np.arange(clip_len), num_frames - 1)
        parts.append(describe(indexes, part).float().cpu().numpy())
    return average_overlaps(np.concatenate(parts), starts, num_frames)


@torch.no_grad()
def class_scores(classifier: nn.Module, features: NDArray[np.float32], device: torch.device) -> NDArray[np.float32]:
    """Scores of each frame: (T, C) features to (T, 2 (K + 1)), log-probabilities and probabilities, about -1 to 2."""
    log_probs = classifier(torch.from_numpy(features).to(device)).float().log_softmax(1).cpu().numpy()
    floor = -8.0  # below one in 3,000 nothing more is told
    return np.concatenate([1 + np.maximum(log_probs, floor) / 4, 2 * np.exp(log_probs)], axis=1).astype(np.float32)
