"""The blend that a run ships, with all that it needs to look at new clips: settings, weights, classes."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from ensemble.entries import entry_config, entry_folder, entry_of
from ensemble.join import ADAPTED, PART_NAME
from ensemble.mixture import Blend, shared_weights
from ensemble.parts import Trainset
from folds.make import load_folds
from miga.clips import Clips, load_clips
from miga.errors import InputError
from miga.files import read_json
from miga.paths import fold_checkpoint_dir, oof_npz, weights_json
from miga.skeletons import Skeleton
from miga.training.assembly import Entry
from miga.training.config import FitConfig
from miga.training.inputs import JOINTS, RGB
from oof.artifacts import read_oof
from oof.prior import class_prior

COMBINATIONS = (frozenset({JOINTS}), frozenset({RGB}), frozenset({JOINTS, RGB}))  # of inputs that a clip can have


@dataclass(frozen=True)
class Member:
    """An entry of the blend, or a tail model of one.

    classes: of its outputs. mirror: (K_i,) class of the mirror image of each; None where a clip must not be mirrored.
    weights: of the network of every fold, a file each, none where they cannot be loaded (a stacker).
    """

    name: str
    config: FitConfig
    classes: tuple[str, ...]
    mirror: np.ndarray | None
    weights: tuple[Path, ...]

    @property
    def entry(self) -> Entry:
        return entry_of(self.name)


@dataclass(frozen=True)
class Shipped:
    """What a run ships.

    members: the entries, in the order of the blend's weights. parts: the tail models of each part, in the order of its
    alphas. prior: (K,) what a clip gets that no entry has the input for. num_persons: that the networks look at.
    size: (height, width) of the picture that joints lie in where nothing else says so. notes: what is not as the run
    has it, a sentence each.
    """

    run: str
    members: tuple[Member, ...]
    parts: tuple[tuple[Member, ...], ...]
    blend: Blend
    prior: np.ndarray
    classes: tuple[str, ...]
    mirror: np.ndarray | None
    skeleton: Skeleton
    num_persons: int
    size: tuple[int, int]
    fps: float
    is_simulated: bool
    notes: tuple[str, ...] = ()

    def has_input(self, given: frozenset[str]) -> np.ndarray:
        """(E,) bool: which entries can look at a clip of which this is given."""
        return np.array([given.issuperset(member.entry.needs) for member in self.members])

    def weights_for(self, given: frozenset[str]) -> np.ndarray:
        """(E,) weights of the entries for such a clip; all zero where none can look at it."""
        has_input = self.has_input(given)
        return shared_weights(self.blend.weights, has_input[:, None])[:, 0] * has_input

    def used(self, given: frozenset[str]) -> list[Member]:
        """The entries and tail models that look at such a clip."""
        entries = [m for m, weight in zip(self.members, self.weights_for(given), strict=True) if weight > 0]
        return [*entries, *(m for part in self.parts for m in part if given.issuperset(m.entry.needs))]


def load_shipped(run: str) -> Shipped:
    """What ensemble/<run>/weights.json ships, with the networks of checkpoints/<run>/.

    What has no network, such as a stacker, is not kept and is left out. An adapted entry stands as it is without
    adaptation: one clip tells little of a person.

    Raises:
        InputError: the run has no blend, or an entry of it is not here.
    """
    path = weights_json(run)
    if not path.exists():
        raise InputError(f"{path}: no blend yet; run `python -m ensemble.blend --run {run}` first")
    facts = read_json(path, f"run `python -m ensemble.blend --run {run} --overwrite`")
    clips, folds = load_clips(run, "track1"), load_folds(run)
    names = [name for name in (*facts["blend"], *facts["dropped"]) if is_kept(name)]
    if not any(name in facts["blend"] for name in names):
        raise InputError(f"{path}: no entry of the blend has networks that are kept; nothing can look at a new clip")
    num_folds = int(folds.fold.max()) + 1
    plain_names = [name.removesuffix(ADAPTED) for name in names]
    members = tuple(_member(run, name, clips.classes, clips.mirror, num_folds) for name in plain_names)
    shares = [facts["blend"].get(name, {"weight": 0.0, "temperature": 1.0}) for name in names]
    weights = np.array([share["weight"] for share in shares])
    everything = sum(share["weight"] for share in facts["blend"].values())
    labels = folds.label[folds.fold >= 0].to_numpy()
    prior = class_prior(labels, clips.num_classes)
    parts = sorted((part for part, alpha in facts["alphas"].items() if alpha > 0), reverse=True)
    blend = Blend(
        weights=weights * everything / weights.sum(),
        temperatures=np.array([share["temperature"] for share in shares]),
        alphas=np.array([facts["alphas"][part] for part in parts]),
        reading=facts["reading"] or "R1",
        tau=facts["tau"],
        prior=prior,
        pooled=facts["shipped"].startswith("pooled"),
    )
    size = pd.Series(list(zip(clips.table.height, clips.table.width, strict=True))).mode()[0]
    return Shipped(
        run=run,
        members=members,
        parts=tuple(_tail_models(run, part, clips, num_folds) for part in parts),
        blend=blend,
        prior=prior,
        classes=clips.classes,
        mirror=clips.mirror,
        skeleton=clips.skeleton,
        num_persons=clips.joints.shape[1],
        size=(int(size[0]), int(size[1])),
        fps=float(clips.table.fps.mode()[0]),
        is_simulated=is_simulated(clips.meta),
        notes=tuple(left_out(facts)),
    )


def is_kept(name: str) -> bool:
    """Whether an entry has networks: stackers, trees and entries that another framework wrote have none here."""
    return entry_folder(name) is not None and entry_of(name).is_network


def left_out(facts: dict) -> Iterator[str]:
    """What of the blend in weights.json does not look at a new clip, a sentence each."""
    gone = [name for name in facts["blend"] if not is_kept(name)]
    if gone:
        yield f"{', '.join(gone)} left out, as no network of it is kept; the others share its weight"
    adapted = [name for name in facts["blend"] if name.endswith(ADAPTED)]
    if adapted:
        yield f"{', '.join(adapted)} without adaptation: one clip tells little of a person"


def is_simulated(meta: dict) -> bool:
    """Whether the recordings were generated: demo.json, which the generator writes, lies beside them."""
    return (Path(meta.get("source", "")).parent / "demo.json").exists()


def _member(
    run: str, name: str, classes: tuple[str, ...], mirror: np.ndarray | None, num_folds: int
) -> Member:  # fmt: skip
    weights = tuple((fold_checkpoint_dir(run, name, fold) / "weights.pt").resolve() for fold in range(num_folds))
    return Member(name, entry_config(run, name, entry_of(name)), classes, mirror, weights)


def _tail_models(run: str, part: str, clips: Clips, num_folds: int) -> tuple[Member, ...]:
    """The tail models of a part, e.g. "part2", with the classes that they tell apart."""
    found = []
    for path in sorted(oof_npz(run, "any").parent.glob(f"*_{part}.npz")):
        if not (PART_NAME.fullmatch(path.stem) and re.search(rf"_{part}$", path.stem)):
            continue
        classes = tuple(read_oof(path).classes.tolist())
        tail = np.array([clips.classes.index(name) for name in classes[:-1]])
        head = np.setdiff1d(np.arange(clips.num_classes), tail)
        mirror = Trainset(int(part.removeprefix("part")), tail, head, False).mirror_of(clips.mirror)
        found.append(_member(run, path.stem, classes, mirror, num_folds))
    if not found:
        raise InputError(f"{oof_npz(run, 'any').parent}: no tail model of {part}, which the blend has; blend again")
    return tuple(found)


def keeping(shipped: Shipped, members: list[Member]) -> Shipped:
    """The same blend without the entries that are not among these."""
    rows = [i for i, member in enumerate(shipped.members) if member in members]
    blend = replace(
        shipped.blend, weights=shipped.blend.weights[rows], temperatures=shipped.blend.temperatures[rows]
    )  # fmt: skip
    return replace(shipped, members=tuple(shipped.members[i] for i in rows), blend=blend)
