"""A model as a value: everything that trains it and shows it clips, put together by `models/<name>/entry.py`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, NoReturn, Protocol, TypeVar

import numpy as np
import torch
from torch import nn

from miga.clips import Clips
from miga.errors import InputError
from miga.training.config import EntryConfig
from miga.training.dataset import Sample

if TYPE_CHECKING:
    from miga.training.verbs import Place

Batch = dict[str, torch.Tensor]
Settings = TypeVar("Settings", bound=EntryConfig)


class ToInput(Protocol):
    def __call__(self, batch: Batch, is_train: bool) -> Batch: ...


def _nothing_to_join(*networks: nn.Module) -> None:
    """Of an assembly without stages."""


@dataclass(frozen=True)
class Assembly:
    """A network, what it is shown, and what it minimises.

    network: as built and started, not trained.
    config: how it is fitted.
    train_view: (row of the clip table, rng) -> named arrays of one training sample; `mirrored` says whether it is.
    test_views: row -> all test views of a clip, stacked in front.
    to_input: (batch on the device, is it for training) -> named arguments of `network.forward`.
    loss: (output of forward, batch, epoch) -> scalar. A module is moved to the device.
    stages: what is trained alone before, in this order; see `Stage`.
    join_stages: (trained network of each stage, in their order) -> the network begins with what they learnt.
    """

    network: nn.Module
    config: EntryConfig
    train_view: Callable[[int, np.random.Generator], Sample]
    test_views: Callable[[int], Sample]
    to_input: ToInput
    loss: Callable[[Any, Batch, int], torch.Tensor]
    stages: tuple[Stage, ...] = ()
    join_stages: Callable[..., None] = _nothing_to_join


@dataclass(frozen=True)
class Stage:
    """A training that comes before that of the whole network.

    name: of the folder that it is kept in.
    assemble: makes its assembly. It is called after the generator of new weights was seeded for this stage.
    made_of: plain values that say all that its result depends on but clips, folds and number of the fold. Entries whose
        stages are made of the same share one training. None: it is this entry's own, kept beside its weights.
    """

    name: str
    assemble: Callable[[], Assembly]
    made_of: dict | None = None


@dataclass(frozen=True)
class Entry(Generic[Settings]):
    """One folder of models/: the answer to what a network is, for any clips and settings.

    folder: of models/.
    needs: what it looks at, see `miga.training.inputs`.
    profiles: settings by the name of the profile.
    name: (settings, those of the profile) -> name of the entry, as in oof/<run>/<name>.npz.
    check: raises InputError for settings that do not fit together.
    assemble: (clips, settings) -> the assembly of one fold; `no_network` of an entry that is none.
    log_probs: of an entry that is no network: (clips, settings, training rows, rows to predict, place) -> (rows to
        predict, K) log-probabilities. Steps that make something of a network leave it out.
    """

    folder: str
    needs: tuple[str, ...]
    profiles: dict[str, Settings]
    name: Callable[[Settings, Settings], str]
    assemble: Callable[[Clips, Settings], Assembly]
    check: Callable[[Settings], None]
    log_probs: Callable[[Clips, Settings, np.ndarray, np.ndarray, Place], np.ndarray] | None = None

    @property
    def is_network(self) -> bool:
        return self.log_probs is None


def no_network(clips: Clips, config: EntryConfig) -> NoReturn:
    """In place of `assemble` in an entry that is no network.

    Raises:
        InputError: always; somebody asked for its network.
    """
    raise InputError(f"settings of {type(config).__name__}: this entry is no network; leave it out of --entries")
