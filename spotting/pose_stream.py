"""The skeleton stream: heatmaps of short clips, and the tokens of a video's frames made of them."""

import numpy as np
import torch
from numpy.typing import NDArray

from miga.clips import Clips
from miga.training.assembly import Batch
from miga.training.losses import cross_entropy
from miga.transforms.crop import is_present
from miga.transforms.heatmaps import joint_heatmaps
from miga.transforms.reused_memory import ReusedMemory
from spotting.boxes import clip_boxes, frame_bounds
from spotting.config import ExtractorConfig, SpottingConfig
from spotting.extractor import FrameExtractor, pose_extractor
from spotting.features import class_scores, clip_starts, frame_features
from spotting.pose_tokens import pose_tokens
from spotting.trimmed import TrimmedClips
from spotting.views import View, change_keypoints, resampled_frames


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


class PoseStream:
    """Joints as heatmaps; see `spotting.streams` for what a stream is."""

    loss = staticmethod(cross_entropy)
    name = "joint"

    def __init__(self, clips: Clips, config: SpottingConfig):
        self.clips, self.config, self.memory = clips, config.extractor, ReusedMemory()
        self.videos = clips.videos.set_index("video_id")

    @property
    def settings(self) -> ExtractorConfig:
        return self.config

    def made_of(self) -> dict[str, str]:
        return {"clips": self.clips.meta["content_sha256"]}

    def shows(self, video_id: str) -> bool:
        return self.clips.is_seen(video_id)

    def network(self) -> FrameExtractor:
        config = self.config
        num_classes = self.clips.num_classes + (config.background_share > 0)  # and background
        return pose_extractor(
            self.clips.skeleton.num_joints, num_classes, config.base_channels, config.blocks, config.dropout
        )

    def draw(self, trimmed: TrimmedClips, row: int, rng: np.random.Generator) -> dict[str, NDArray]:
        """One random training clip as `keypoints` (L, M, V, 3) in heatmap pixels."""
        config = self.config
        video_id, indexes, view = trimmed.draw(row, rng)
        size = (self.videos.height[video_id], self.videos.width[video_id])
        box = clip_boxes(trimmed.bounds[video_id], indexes[:1], config.clip_len, config.box_frames, size)
        keypoints = clip_keypoints(self.clips.joints_of_video(video_id), indexes[None], box, config.heatmap_size)[0]
        changed = change_keypoints(keypoints, view, config.heatmap_size, self.clips.skeleton.flip_index)
        return {"keypoints": changed, "mirrored": np.array(view.mirror)}

    def to_input(self, batch: Batch) -> Batch:
        return {"x": draw(batch["keypoints"], self.config.heatmap_size, self.config.sigma, self.memory)}

    @torch.no_grad()
    def describe(self, model: FrameExtractor, video_id: str, view: View, device: torch.device) -> NDArray[np.float32]:
        """Tokens (T / speed, D) of a video seen in some view: features, or the scores the classifier gives them."""
        model.eval()
        config, skeleton = self.config, self.clips.skeleton
        joints = self.clips.joints_of_video(video_id)
        size = (self.videos.height[video_id], self.videos.width[video_id])
        shown = np.asarray(joints[resampled_frames(len(joints), view.speed)])
        starts = clip_starts(len(shown), config.clip_len, config.overlap)
        boxes = clip_boxes(frame_bounds(shown), starts, config.clip_len, config.box_frames, size)

        def of_clips(indexes: NDArray[np.int64], part: slice) -> torch.Tensor:
            keypoints = clip_keypoints(shown, indexes, boxes[part], config.heatmap_size)
            keypoints = change_keypoints(keypoints, view, config.heatmap_size, skeleton.flip_index)
            return model.forward_frames(
                draw(torch.from_numpy(keypoints).to(device), config.heatmap_size, config.sigma, self.memory)
            )

        features = frame_features(of_clips, starts, len(shown), config.clip_len, config.batch_clips)  # (T / speed, C)
        if config.tokens == "features":
            return features
        scores = class_scores(model.cls_head, features, device)
        if config.tokens == "scores":
            return scores
        return np.concatenate([scores, pose_tokens(shown, view, skeleton)], axis=1)
