"""What a network on the joint graph is shown: a clip's joints and what is derived from them, resampled in time."""

from typing import Protocol

import numpy as np

from miga.clips import Clips
from miga.training.assembly import Batch
from miga.training.dataset import Sample
from miga.transforms.graph import GraphAugment, GraphTransform, with_score


class GraphSettings(Protocol):
    """The settings that say how a clip becomes a graph; see `models.gecn.config`."""

    @property
    def num_frames(self) -> int: ...
    @property
    def crop_min(self) -> float: ...
    @property
    def rotation(self) -> float: ...
    @property
    def scale(self) -> float: ...
    @property
    def flip(self) -> float: ...
    @property
    def unit(self) -> str: ...
    @property
    def num_test_clips(self) -> int: ...
    @property
    def flip_test(self) -> bool: ...


def graph_transform(
    clips: Clips, config: GraphSettings, streams: tuple[str, ...], keep_path: bool = False
) -> GraphTransform:
    """Clips to the input of a network on these streams; mirrored only where the class of a mirrored clip is known."""
    augment = GraphAugment(
        crop=(config.crop_min, 1.0),
        min_frames=config.num_frames,
        rotation=config.rotation,
        scale=config.scale,
        flip=config.flip if clips.may_mirror else 0.0,
    )
    return GraphTransform(
        clips.skeleton,
        config.num_frames,
        augment,
        with_score(streams),
        config.unit,
        keep_path=keep_path,
        num_clips=config.num_test_clips,
        flip_views=config.flip_test and clips.may_mirror,
    )


class GraphViews:
    """Train and test views of a `GraphTransform` over the clips of a table."""

    def __init__(self, clips: Clips, transform: GraphTransform):
        self.clips, self.transform = clips, transform
        self.sizes = clips.table[["width", "height"]].to_numpy()

    def train_view(self, row: int, rng: np.random.Generator) -> Sample:
        width, height = self.sizes[row]
        return self.transform.train_view(self.clips.joints_of(row), width, height, rng)

    def test_views(self, row: int) -> Sample:
        return self.transform.test_views(self.clips.joints_of(row), *self.sizes[row])

    def to_input(self, batch: Batch, is_train: bool) -> Batch:
        return {"joints": batch["joints"]}
