"""The picture stream: stored pictures of short clips, and the tokens of a video's frames made of them.

Every picture of a video shows the same square, that around the person in all of it: one scale, as in the paper.
"""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from miga.clips import Clips
from miga.rgb_store import clips_with_pictures, open_rgb_store, pictures_sha256
from miga.training.assembly import Batch
from miga.training.losses import cross_entropy
from miga.transforms.crop import Box, random_resized_crop
from miga.transforms.rgb_clip import normalise, recolour, resize_box
from spotting.config import RgbConfig, SpottingConfig
from spotting.extractor import FrameExtractor, rgb_extractor
from spotting.features import class_scores, clip_starts, frame_features
from spotting.trimmed import TrimmedClips
from spotting.views import View, resampled_frames


class RgbStream:
    """Pictures; see `spotting.streams` for what a stream is. Clips are cut and labelled as those of the joints."""

    loss = staticmethod(cross_entropy)
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
        video_id, indexes, view = trimmed.draw(row, rng)
        rgb, _ = self.random_clip(video_id, indexes, view.mirror, rng)
        return {"rgb": rgb, "mirrored": np.array(view.mirror)}

    def random_clip(
        self, video_id: str, indexes: NDArray[np.int64], mirror: bool, rng: np.random.Generator
    ) -> tuple[NDArray[np.uint8], Box]:
        """Frames (L,) of a video for training, cut at random, and the box of the stored picture that they show."""
        config, store = self.config, self.store
        frames = store.read(self.row[video_id], indexes)
        box = random_resized_crop((store.size, store.size), rng)
        frames = resize_box(frames, box, config.train_size)
        if config.colour:
            frames = recolour(frames, config.colour, rng)
        return np.ascontiguousarray(frames[:, :, ::-1]) if mirror else frames, box

    def whole_clips(self, video_id: str, indexes: NDArray[np.int64], mirror: bool) -> NDArray[np.uint8]:
        """Frames (N, L) of a video as wholes, (N, L, test_size, test_size, 3); clips overlap, each is read once."""
        store = self.store
        wanted, inverse = np.unique(indexes, return_inverse=True)
        pictures = resize_box(
            store.read(self.row[video_id], wanted), (0, 0, store.size, store.size), self.config.test_size
        )
        pictures = pictures[:, :, ::-1] if mirror else pictures
        return pictures[inverse.reshape(indexes.shape)]

    def to_input(self, batch: Batch) -> Batch:
        return {"x": normalise(batch["rgb"], self.config.static)}

    @torch.no_grad()
    def describe(self, model: FrameExtractor, video_id: str, view: View, device: torch.device) -> NDArray[np.float32]:
        """Tokens (T / speed, D) of a video seen in some view; of the view, only speed and mirror change pictures."""
        model.eval()
        cv2.setNumThreads(1)
        shared, config, row = self.shared, self.config, self.row[video_id]
        frames = resampled_frames(int(self.store.first_frame[row + 1] - self.store.first_frame[row]), view.speed)
        starts = clip_starts(len(frames), shared.clip_len, shared.overlap)

        def of_clips(indexes: NDArray[np.int64], part: slice) -> torch.Tensor:
            clips = torch.from_numpy(self.whole_clips(video_id, frames[indexes], view.mirror)).to(device)
            return model.forward_frames(normalise(clips, config.static))

        features = frame_features(of_clips, starts, len(frames), shared.clip_len, shared.batch_clips)
        return features if shared.tokens == "features" else class_scores(model.cls_head, features, device)
