"""What a network on heatmaps is shown: windows of a clip's joints, drawn as heatmaps on the training device."""

from typing import Protocol

import numpy as np

from miga.clips import Clips
from miga.training.assembly import Batch
from miga.training.dataset import Sample
from miga.transforms.heatmap_input import heatmap_input
from miga.transforms.pose_clip import PoseClipTransform


class HeatmapSettings(Protocol):
    """The settings that say how heatmaps are made; see `models.posec3d.config`."""

    @property
    def input(self) -> str: ...
    @property
    def clip_len(self) -> int: ...
    @property
    def train_size(self) -> int: ...
    @property
    def test_size(self) -> int: ...
    @property
    def sigma(self) -> float: ...
    @property
    def num_test_clips(self) -> int: ...


class PoseViews:
    """Train views, test views and heatmaps of PoseC3D.

    Args:
        with_mirrored: whether each test view is also shown mirrored, where the class of a mirrored clip is known.
    """

    def __init__(self, clips: Clips, config: HeatmapSettings, with_mirrored: bool = True):
        self.clips = clips
        self.transform = PoseClipTransform(
            clips.skeleton.flip_index,
            clip_len=config.clip_len,
            full_size=config.test_size,
            crop_size=config.train_size,
            num_clips=config.num_test_clips,
            flip_views=with_mirrored and clips.may_mirror,
            flip_train=clips.may_mirror,
        )
        self.sizes = clips.table[["height", "width"]].to_numpy()
        self.draw_train = heatmap_input(clips.skeleton, config.input, config.train_size, config.sigma)
        self.draw_test = heatmap_input(clips.skeleton, config.input, config.test_size, config.sigma)

    def train_view(self, row: int, rng: np.random.Generator) -> Sample:
        return self.transform.train_view(self.clips.joints_of(row), tuple(self.sizes[row]), rng)

    def test_views(self, row: int) -> Sample:
        return self.transform.test_views(self.clips.joints_of(row), tuple(self.sizes[row]))

    def to_input(self, batch: Batch, is_train: bool) -> Batch:
        return self.draw_train(batch) if is_train else self.draw_test(batch)
