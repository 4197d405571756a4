"""What a network on the joint graph is shown: a clip's joints and what is derived from them, resampled in time."""

import numpy as np

from datasets.clips import Clips
from training.assembly import Batch
from training.dataset import Sample
from transforms.graph import GraphTransform


class GraphViews:
    """Train and test views of a `GraphTransform` over the clips of a table."""

    def __init__(self, clips: Clips, transform: GraphTransform):
        self.clips, self.transform = clips, transform
        self.sizes = clips.table[["width", "height"]].to_numpy()

    def train_view(self, row: int, rng: np.random.Generator) -> Sample:
        return self.transform.train_view(self.clips.joints_of(row), *self.sizes[row], rng)

    def test_views(self, row: int) -> Sample:
        return self.transform.test_views(self.clips.joints_of(row), *self.sizes[row])

    def to_input(self, batch: Batch, is_train: bool) -> Batch:
        return {"joints": batch["joints"]}
