"""What is done with an assembly: train it, tail-train it, show it clips, show it clips person by person."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn

from miga.clips import Clips
from miga.errors import InputError, naming
from miga.files import holding
from miga.paths import start_dir
from miga.training.adapt import adapted, clips_by_person
from miga.training.assembly import Assembly, Batch, Stage
from miga.training.checkpoint import fill, load_checkpoint
from miga.training.dataset import TrainRows, TrainSamples, ViewSamples
from miga.training.fit import fit
from miga.training.predict import predict
from miga.training.seeding import make_deterministic, seed_torch


@dataclass(frozen=True)
class Place:
    """Where one training is kept, and what it is made of.

    fold: the one that is held out; None where nothing is: a refit, on every training clip.
    fingerprint: plain values that say what is trained on what: `config`, and whatever else it depends on.
    """

    run: str
    name: str  # of the entry, as in oof/<run>/<name>.npz
    fold: int | None
    folder: Path  # for checkpoints
    fingerprint: dict
    device: torch.device

    @property
    def title(self) -> str:
        return f"{self.name} {'all clips' if self.fold is None else f'fold {self.fold}'}"

    @property
    def seeds(self) -> tuple[int, ...]:
        """Whole numbers that first weights are drawn by, of each place other ones."""
        return tuple(b"all") if self.fold is None else (self.fold,)


def train(assembly: Assembly, clips: Clips, rows: TrainRows, place: Place) -> nn.Module:
    """The network of `assembly`, trained on these rows, its stages first; in eval mode.

    What is finished is loaded, what was killed resumes.
    """
    if assembly.stages and not (place.folder / "weights.pt").exists():
        seed = assembly.config.seed
        assembly.join_stages(*(train_stage(stage, clips, rows, place, seed) for stage in assembly.stages))
    return _fit(assembly, clips, rows, place, place.title)


def train_stage(stage: Stage, clips: Clips, rows: TrainRows, place: Place, seed: int) -> nn.Module:
    """A stage of this place, trained once for all entries whose stages are made of the same.

    Args:
        seed: of the entry; its first weights are drawn by it, the place and the stage's name.
    """
    folder, fingerprint = place.folder / stage.name, place.fingerprint
    if stage.made_of is not None:
        digest = hashlib.sha256(json.dumps(stage.made_of, sort_keys=True).encode()).hexdigest()
        folder = start_dir(place.run, f"{stage.name}_{digest[:8]}", place.fold)
        fingerprint = {**place.fingerprint, "config": stage.made_of}
    own = replace(place, folder=folder, fingerprint=fingerprint)
    folder.mkdir(parents=True, exist_ok=True)
    with naming(f"stage {stage.name}"), holding(folder):  # another entry that wants the same start finds it made
        # Seed 0 adds no part, so that its bytes are those of runs before the seed was one.
        seed_torch(*place.seeds, *stage.name.encode(), *([seed] if seed else []))
        return _fit(stage.assemble(), clips, rows, own, f"{place.title} {stage.name}")


def fit_tail(
    assembly: Assembly, start: dict[str, torch.Tensor], clips: Clips, rows: TrainRows, place: Place
) -> nn.Module:
    """The whole network, from the tensors `start`; what they lack, the classifier, stays as it was drawn."""
    missing, unexpected = assembly.network.load_state_dict(start, strict=False)
    names: tuple[str, ...] = getattr(assembly.network, "HEADS")  # noqa: B009 -- a network's own, unknown to nn.Module
    heads = tuple(f"{name}." for name in names)
    wrong = [name for name in missing if not name.startswith(heads)] + unexpected
    if wrong:
        raise InputError(
            f"{place.title}: its start does not fit the network, first at {wrong[0]}; train the entry again"
        )
    return _fit(assembly, clips, rows, place, place.title)


def load_trained(assembly: Assembly, weights: Path, device: torch.device) -> nn.Module:
    """The network of `assembly` with the weights that a training left; in eval mode.

    Raises:
        InputError: they do not fit.
    """
    make_deterministic(device)
    fill(assembly.network, load_checkpoint(weights, device), weights)
    return network_on(assembly, device).eval()


def predict_rows(
    assembly: Assembly, network: nn.Module, clips: Clips, rows: np.ndarray, device: torch.device, batch_size: int = 0
) -> np.ndarray:
    """Log-probabilities (len(rows), K) float32 of these clips, over all their test views."""
    config = assembly.config
    return predict(
        network,
        ViewSamples(rows, assembly.test_views),
        prepare=partial(assembly.to_input, is_train=False),
        batch_size=batch_size or config.test_batch_size,
        precision=config.precision,
        device=device,
        num_workers=config.num_workers,
        mirror=clips.mirror,
    )


def predict_by_person(
    assembly: Assembly, network: nn.Module, clips: Clips, rows: np.ndarray, tells: np.ndarray, device: torch.device
) -> np.ndarray:
    """The same, each person by a network with their own batch statistics, see `miga.training.adapt`.

    Args:
        tells: (len(rows),) bool, whether a clip shows its person: where nobody is in view there is nothing to adapt to.
    """
    log_probs = np.empty((len(rows), clips.num_classes), np.float32)
    for places in clips_by_person(clips.table, rows):
        own = rows[places[tells[places]]]
        batch_size = even_batch(max(len(own), 1), assembly.config.test_batch_size)
        show = partial(predict_rows, assembly, clips=clips, rows=own, device=device, batch_size=batch_size)
        log_probs[places] = predict_rows(assembly, adapted(network, show, len(own)), clips, rows[places], device)
    return log_probs


def even_batch(num_clips: int, largest: int) -> int:
    """A batch size that divides the clips into batches of like size: each counts alike in the mean over batches."""
    return -(-num_clips // -(-num_clips // largest))


def _fit(assembly: Assembly, clips: Clips, rows: TrainRows, place: Place, title: str) -> nn.Module:
    return fit(
        assembly.network,
        train_samples(assembly, clips, rows),
        assembly.config,
        prepare=partial(assembly.to_input, is_train=True),
        loss_fn=loss_on(assembly, place.device),
        folder=place.folder,
        fingerprint=place.fingerprint,
        title=title,
        device=place.device,
        clip_ids=clips.table.clip_id.tolist(),
    )


def train_samples(assembly: Assembly, clips: Clips, rows: TrainRows) -> TrainSamples:
    """The training clips as the network is shown them."""
    labels = clips.table.label.to_numpy()
    return TrainSamples(rows, labels, assembly.train_view, assembly.config.seed, clips.mirror)


def loss_on(assembly: Assembly, device: torch.device) -> Callable[[object, Batch, int], torch.Tensor]:
    """The loss, with what it keeps on the device."""
    return assembly.loss.to(device) if isinstance(assembly.loss, nn.Module) else assembly.loss


def network_on(assembly: Assembly, device: torch.device) -> nn.Module:
    """The network on the device, in its memory format."""
    network = assembly.network.to(device)
    if assembly.config.channels_last:
        network = network.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
    return network
