"""The picture stream: stored pictures of short clips, and the tokens of a video's frames made of them.

Every picture of a video shows the same square, that around the person in all of it: one scale, as in the paper.
"""

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from miga.clips import Clips
from miga.rgb_store import clips_with_pictures, open_rgb_store, pictures_sha256
from miga.training.assembly import Batch
from miga.transforms.crop import random_resized_crop
from miga.transforms.rgb_clip import normalise, recolour, resize_box
from spotting.config import RgbConfig, SpottingConfig
from spotting.extractor import FrameExtractor, rgb_extractor
from spotting.features import class_scores, clip_starts, frame_features
from spotting.trimmed import TrimmedClips
from spotting.views import View, resampled_frames


class RgbStream:
    """Pictures; see `spotting.streams` for what a stream is. Clips are cut and labelled as those of the joints."""

    name = "rgb"

    def __init__(self, clips: Clips, config: SpottingConfig):
        self.clips, self.shared, self.config = clips, config.extractor, config.rgb
        size = config.rgb.picture_size
        self.store = open_rgb_store(clips.run, size, "track2")
        has_pictures = clips_with_pictures(clips.run, size, "track2")
        self.row = {video: row for row, video in enumerate(clips.videos.video_id) if has_pictures[row]}

    @property
    def settings(self) -> RgbConfig:
        return self.config

    def made_of(self) -> dict[str, str]:
        return {
            "clips": self.clips.meta["content_sha256"],
            "pictures": pictures_sha256(self.clips.run, self.config.picture_size, "track2"),
        }

    def shows(self, video_id: str) -> bool:
        return video_id in self.row

    def network(self) -> FrameExtractor:
        config = self.config
        num_classes = self.clips.num_classes + (self.shared.background_share > 0)  # and background
        return rgb_extractor(num_classes, config.base_channels, config.blocks, config.pool_stride, config.dropout)

    def draw(self, trimmed: TrimmedClips, row: int, rng: np.random.Generator) -> dict[str, NDArray]:
        """One random training clip as `rgb` (L, train_size, train_size, 3) uint8."""
        config = self.config
        video_id, indexes, view = trimmed.draw(row, rng)
        frames = self.store.read(self.row[video_id], indexes)
        frames = resize_box(frames, random_resized_crop((self.store.size, self.store.size), rng), config.train_size)
        if config.colour:
            frames = recolour(frames, config.colour, rng)
        rgb = np.ascontiguousarray(frames[:, :, ::-1]) if view.mirror else frames
        return {"rgb": rgb, "mirrored": np.array(view.mirror)}

    def to_input(self, batch: Batch) -> Batch:
        return {"x": normalise(batch["rgb"], self.config.static)}

    def loss(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(logits.float(), labels)

    @torch.no_grad()
    def describe(self, model: FrameExtractor, video_id: str, view: View, device: torch.device) -> NDArray[np.float32]:
        """Tokens (T / speed, D) of a video seen in some view; of the view, only speed and mirror change pictures."""
        model.eval()
        cv2.setNumThreads(1)
        shared, config, row = self.shared, self.config, self.row[video_id]
        frames = resampled_frames(int(self.store.first_frame[row + 1] - self.store.first_frame[row]), view.speed)
        starts = clip_starts(len(frames), shared.clip_len, shared.overlap)

        def of_clips(indexes: NDArray[np.int64], part: slice) -> torch.Tensor:
            wanted, inverse = np.unique(frames[indexes], return_inverse=True)  # clips overlap; each is read once
            whole = (0, 0, self.store.size, self.store.size)
            pictures = resize_box(self.store.read(row, wanted), whole, config.test_size)
            pictures = pictures[:, :, ::-1] if view.mirror else pictures
            clips = torch.from_numpy(pictures[inverse.reshape(indexes.shape)]).to(device)
            return model.forward_frames(normalise(clips, config.static))

        features = frame_features(of_clips, starts, len(frames), shared.clip_len, shared.batch_clips)
        return features if shared.tokens == "features" else class_scores(model.cls_head, features, device)
