"""The trees as an entry without a network."""

import dataclasses

from miga.errors import InputError
from miga.training.assembly import Entry, no_network
from miga.training.config import FitConfig
from miga.training.inputs import JOINTS
from models.trees.config import PROFILES, TreesConfig
from models.trees.learn import log_probs

USED = ("seed", "num_workers")  # of what networks share


def name(config: TreesConfig, profile: TreesConfig) -> str:
    return "trees"


def check(config: TreesConfig) -> None:
    for field in dataclasses.fields(FitConfig):
        if field.name not in USED and getattr(config, field.name) != field.default:
            raise InputError(f"--{field.name}: a setting of networks, which trees have no use for; leave it out")
    for count in ("num_trees", "num_rounds", "min_clips"):
        if getattr(config, count) < 1:
            raise InputError(f"--{count} {getattr(config, count)}: expected 1 or more")
    if config.num_steps < 2 or config.num_leaves < 2:
        raise InputError("--num_steps and --num_leaves: expected 2 or more")
    for share in ("max_share", "column_share", "learning_rate"):
        if not 0 < getattr(config, share) <= 1:
            raise InputError(f"--{share} {getattr(config, share)}: expected more than 0 and at most 1")
    if not 0 <= config.boosted_share <= 1:
        raise InputError(f"--boosted_share {config.boosted_share}: expected 0 to 1")


ENTRY = Entry("trees", (JOINTS,), PROFILES, name, no_network, check, log_probs)
