"""What a network on pictures alone is shown: windows of a clip's stored pictures."""

from dataclasses import dataclass

import numpy as np

from miga.clips import Clips
from miga.rgb_store import RgbStore
from miga.training.assembly import Batch
from miga.training.dataset import Sample
from miga.transforms.rgb_clip import RgbClipTransform, normalise


@dataclass(frozen=True)
class RgbViews:
    """Train and test views of an `RgbClipTransform` over the pictures of `store`.

    static: share of a view's mean picture that is kept, see `miga.transforms.rgb_clip.normalise`.
    argument: name of the pictures among the arguments of the network's forward.
    """

    clips: Clips
    store: RgbStore
    transform: RgbClipTransform
    static: float
    argument: str = "rgb"

    def train_view(self, row: int, rng: np.random.Generator) -> Sample:
        return self.transform.train_view(self.store, row, self._num_frames(row), rng)

    def test_views(self, row: int) -> Sample:
        return self.transform.test_views(self.store, row, self._num_frames(row))

    def to_input(self, batch: Batch, is_train: bool) -> Batch:
        return {self.argument: normalise(batch["rgb"], self.static)}

    def _num_frames(self, row: int) -> int:
        return self.clips.num_frames_of(row)
