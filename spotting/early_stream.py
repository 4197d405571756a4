"""Early fusion as a stream: both pathways, joined by laterals and trained on together, make one token a frame.

Heatmaps and pictures show the same square with the same crop, so that their features lie pixel on pixel.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from miga.clips import Clips
from miga.training.assembly import Batch
from miga.transforms.reused_memory import ReusedMemory
from miga.transforms.rgb_clip import normalise
from models.layers.two_pathway import heatmap_size
from models.layers.two_pathway_entry import loss_of_both
from models.layers.two_pathway_net import TwoPathwayNet, mean_log_probs, merge_pathways
from spotting.config import EarlyConfig, SpottingConfig
from spotting.features import class_scores, clip_starts, frame_features
from spotting.pose_stream import PoseStream, clip_keypoints, draw
from spotting.rgb_stream import RgbStream
from spotting.trimmed import TrimmedClips
from spotting.views import View, change_keypoints, resampled_frames


class EarlyExtractor(TwoPathwayNet):
    """RGBPose-Conv3D with laterals, describing frames."""

    def forward_frames(self, rgb: Tensor, heatmaps: Tensor) -> Tensor:
        """(B, T, C_rgb + C_pose) features of the skeleton's frames; those of a picture stand for its frames."""
        of_rgb, of_pose = (features.mean(dim=(3, 4)).transpose(1, 2) for features in self.backbone(rgb, heatmaps))
        return torch.cat([of_rgb.repeat_interleave(self.backbone.speed_ratio, dim=1), of_pose], dim=2)


class MeanClassifier(nn.Module):
    """Both classifiers on features side by side: the logarithm of their mean probability."""

    def __init__(self, model: EarlyExtractor):
        super().__init__()
        self.model = model

    def forward(self, features: Tensor) -> Tensor:
        of_rgb, of_pose = features.split(list(self.model.backbone.out_channels), dim=1)
        return mean_log_probs(self.model.cls_head.fc_rgb(of_rgb), self.model.cls_head.fc_pose(of_pose))


class EarlyStream:
    """Joints and pictures at once; see `spotting.streams` for what a stream is."""

    loss = staticmethod(loss_of_both)
    name = "early"

    def __init__(self, clips: Clips, config: SpottingConfig):
        self.pose, self.rgb = PoseStream(clips, config), RgbStream(clips, config)
        self.clips, self.config, self.memory = clips, config, ReusedMemory()

    @property
    def settings(self) -> EarlyConfig:
        return self.config.early

    def made_of(self) -> dict[str, str]:
        return self.rgb.made_of()

    def shows(self, video_id: str) -> bool:
        return self.pose.shows(video_id) and self.rgb.shows(video_id)

    def network(self) -> EarlyExtractor:
        pose, rgb = self.config.extractor, self.config.rgb
        return EarlyExtractor(
            self.clips.skeleton.num_joints, self.clips.num_classes + (pose.background_share > 0),
            self.config.early.dropout, rgb_base=rgb.base_channels, rgb_blocks=rgb.blocks,
            pose_base=pose.base_channels, pose_blocks=pose.blocks, speed_ratio=self.config.early.speed_ratio,
            pool_stride=rgb.pool_stride,
        )  # fmt: skip

    def start(self, network: EarlyExtractor, weights: dict[str, dict[str, Tensor]]) -> None:
        """Begin with the pathways that were trained alone: stream -> its extractor's tensors."""
        alone = {"rgb": self.rgb.network(), "joint": self.pose.network()}
        for name, net in alone.items():
            net.load_state_dict(weights[name])
        merge_pathways(network, alone["rgb"], alone["joint"])

    def draw(self, trimmed: TrimmedClips, row: int, rng: np.random.Generator) -> dict[str, NDArray]:
        """One random training clip: `rgb` (L / ratio, S, S, 3) uint8 and `keypoints` (L, M, V, 3) in heatmap pixels."""
        video_id, indexes, view = trimmed.draw(row, rng)
        rgb, box = self.rgb.random_clip(video_id, self.pictures_of(indexes), view.mirror, rng)
        shares, size = np.array(box) / self.rgb.store.size, self.config.rgb.train_size
        keypoints = self.keypoints(video_id, indexes[None], shares, size, view.mirror)
        return {"rgb": rgb, "keypoints": keypoints[0], "mirrored": np.array(view.mirror)}

    def pictures_of(self, indexes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Of the frames (..., L) that the skeleton pathway sees, those whose pictures are seen: (..., L / ratio)."""
        ratio = self.config.early.speed_ratio
        return indexes[..., ratio // 2 :: ratio]

    def keypoints(
        self, video_id: str, indexes: NDArray[np.int64], crop: NDArray, size: int, mirror: bool
    ) -> NDArray[np.float32]:
        """Joints of clips (N, L) as heatmap pixels of a part of the stored square: (N, L, M, V, 3).

        crop: left, top, right, bottom as shares of the square. size: of the pictures, in pixels.
        """
        square = self.rgb.store.boxes[self.rgb.row[video_id]].astype(np.float64)
        extent = np.tile(square[2:] - square[:2], 2)
        box = np.tile(square[:2], 2) + crop * extent
        side = heatmap_size(size, self.config.rgb.pool_stride)
        boxes = np.repeat(box[None], len(indexes), axis=0)
        keypoints = clip_keypoints(self.clips.joints_of_video(video_id), indexes, boxes, side)
        return change_keypoints(keypoints, View(mirror=mirror), side, self.clips.skeleton.flip_index)

    def to_input(self, batch: Batch) -> Batch:
        side = heatmap_size(batch["rgb"].shape[2], self.config.rgb.pool_stride)
        return {
            "rgb": normalise(batch["rgb"], self.config.rgb.static),
            "heatmaps": draw(batch["keypoints"], side, self.config.extractor.sigma, self.memory),
        }

    @torch.no_grad()
    def describe(self, model: EarlyExtractor, video_id: str, view: View, device: torch.device) -> NDArray[np.float32]:
        """Tokens (T / speed, D): features of the chosen pathway, or the scores of both classifiers together."""
        model.eval()
        config, early, store, row = self.config.rgb, self.config.early, self.rgb.store, self.rgb.row[video_id]
        frames = resampled_frames(len(self.clips.joints_of_video(video_id)), view.speed)
        starts = clip_starts(len(frames), early.clip_len, self.config.extractor.overlap)
        whole, last = np.array([0.0, 0.0, 1.0, 1.0]), int(store.first_frame[row + 1] - store.first_frame[row]) - 1

        def of_clips(indexes: NDArray[np.int64], part: slice) -> torch.Tensor:
            shown = frames[indexes]
            pictures = np.minimum(self.pictures_of(shown), last)
            rgb = torch.from_numpy(self.rgb.whole_clips(video_id, pictures, view.mirror)).to(device)
            keypoints = torch.from_numpy(self.keypoints(video_id, shown, whole, config.test_size, view.mirror))
            return model.forward_frames(**self.to_input({"rgb": rgb, "keypoints": keypoints.to(device)}))

        shared = self.config.extractor
        features = frame_features(of_clips, starts, len(frames), early.clip_len, shared.batch_clips)
        if shared.tokens != "features":
            return class_scores(MeanClassifier(model), features, device)
        rgb_channels = model.backbone.out_channels[0]
        return features[:, :rgb_channels] if early.pathway == "rgb" else features[:, rgb_channels:]
