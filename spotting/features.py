"""Stage 1 at work: the frames of a video to one token each.

The extractor looks at 8-frame clips that overlap by a quarter; a frame's token is the mean over the clips that show it.

Source: MiGA 2024 track 2 (NPU). It concatenates the clips' tokens, overlaps and all; averaging the duplicates is our
reading, because then a token is a frame.
"""

import numpy as np
import torch
from numpy.typing import NDArray

from miga.skeletons import Skeleton
from miga.transforms.crop import Size, is_present
from miga.transforms.heatmaps import joint_heatmaps
from miga.transforms.reused_memory import ReusedMemory
from spotting.boxes import clip_boxes, frame_bounds
from spotting.config import ExtractorConfig
from spotting.extractor import FrameExtractor
from spotting.pose_tokens import pose_tokens
from spotting.views import View, change_keypoints, resampled_frames


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


def clip_keypoints(joints: NDArray, indexes: NDArray[np.int64], boxes: NDArray, size: int) -> NDArray[np.float32]:
    """Joints of clips in the heatmap pixels of their boxes.

    Args:
        joints: (T, M, V, 3) of a video. indexes: (N, L) frames of the clips. boxes: (N, 4).
        size: side of the heatmap.
    Returns:
        (N, L, M, V, 3); missing joints are zero.
    """
    clips = np.array(joints[indexes], dtype=np.float32)  # (N, L, M, V, 3)
    is_seen = is_present(clips)
    low, extent = boxes[:, None, None, None, :2], (boxes[:, 2:] - boxes[:, :2])[:, None, None, None]
    clips[..., :2] = (clips[..., :2] - low) * (size / extent)
    clips[~is_seen] = 0
    return clips


def draw(keypoints: torch.Tensor, size: int, sigma: float, memory: ReusedMemory | None = None) -> torch.Tensor:
    """(B, L, M, V, 3) keypoints to (B, V, L, size, size) heatmaps; `memory` as in `joint_heatmaps`."""
    keypoints = keypoints.transpose(1, 2)  # (B, M, L, V, 3)
    return joint_heatmaps(keypoints[..., :2], keypoints[..., 2], (size, size), sigma, memory)


@torch.no_grad()
def extract_tokens(
    model: FrameExtractor, joints: NDArray, image_size: Size, view: View, config: ExtractorConfig,
    skeleton: Skeleton, device: torch.device,
) -> NDArray[np.float32]:  # fmt: skip
    """One token for each frame of a video seen in some view: features, or the scores the classifier gives them.

    Args:
        model: in eval mode, with temporal strides of one.
        joints: (T, M, V, 3) of the whole video. image_size: (height, width).
        view: its speed changes the number of frames.
    Returns:
        (T / speed, D) float32.
    """
    model.eval()
    frames = resampled_frames(len(joints), view.speed)
    shown = np.asarray(joints[frames])
    starts = clip_starts(len(frames), config.clip_len, config.overlap)
    boxes = clip_boxes(frame_bounds(shown), starts, config.clip_len, config.box_frames, image_size)
    parts, memory = [], ReusedMemory()
    for i in range(0, len(starts), config.batch_clips):
        part = slice(i, i + config.batch_clips)
        indexes = np.minimum(starts[part, None] + np.arange(config.clip_len), len(frames) - 1)
        keypoints = clip_keypoints(shown, indexes, boxes[part], config.heatmap_size)
        keypoints = change_keypoints(keypoints, view, config.heatmap_size, skeleton.flip_index)
        keypoints = torch.from_numpy(keypoints).to(device)
        features = model.forward_frames(draw(keypoints, config.heatmap_size, config.sigma, memory))
        parts.append(features.float().cpu().numpy())
    features = average_overlaps(np.concatenate(parts), starts, len(frames))  # (T / speed, C)
    if config.tokens == "features":
        return features
    scores = class_scores(model, features, device)
    if config.tokens == "scores":
        return scores
    return np.concatenate([scores, pose_tokens(shown, view, skeleton)], axis=1)


def class_scores(model: FrameExtractor, features: NDArray[np.float32], device: torch.device) -> NDArray[np.float32]:
    """Scores of each frame: (T, C) features to (T, 2 (K + 1)), log-probabilities and probabilities, about -1 to 2."""
    log_probs = model.cls_head(torch.from_numpy(features).to(device)).float().log_softmax(1).cpu().numpy()
    floor = -8.0  # below one in 3,000 nothing more is told
    return np.concatenate([1 + np.maximum(log_probs, floor) / 4, 2 * np.exp(log_probs)], axis=1).astype(np.float32)
