"""Settings of the trees, one instance a profile."""

from dataclasses import dataclass, replace

from miga.training.config import EntryConfig


@dataclass(frozen=True)
class TreesConfig(EntryConfig):
    """Of the settings that every training shares, only `seed` is used: nothing here is fitted by steps."""

    num_steps: int = 16  # T, frames a clip is resized to
    mirrored: bool = True  # train on mirror images too, and predict by both; where clips may be mirrored
    num_trees: int = 300  # extremely randomised trees
    max_share: float = 0.1  # of the numbers, looked at for every split of such a tree
    min_clips: int = 2  # clips in a leaf of such a tree, mirror images counted
    num_rounds: int = 60  # of boosting; each grows a tree a class
    learning_rate: float = 0.1  # of boosting
    num_leaves: int = 15  # of a boosted tree
    column_share: float = 0.1  # of the numbers, that a boosted tree may use
    boosted_share: float = 0.5  # of the boosted trees in the mean of probabilities; the others' is the rest


SMALL = TreesConfig()
PROFILES = {
    "smoke": replace(SMALL, num_steps=4, num_trees=10, num_rounds=2),
    "demo": SMALL,
    "bench": SMALL,
    "paper": replace(SMALL, num_trees=500, num_rounds=150, num_leaves=31),
}
