"""The prototype network, put together: pictures and heatmaps, each pathway alone first, then with the refinement."""

import torch

from miga.clips import Clips
from miga.errors import InputError
from miga.training.assembly import Assembly, Batch, Entry
from miga.training.inputs import JOINTS, RGB
from miga.transforms.heatmap_input import num_channels
from models.layers.two_pathway_config import check_two_pathway_config
from models.layers.two_pathway_entry import assemble_two_pathways
from models.prototype.config import PROFILES, PrototypeConfig
from models.prototype.loss import prototype_loss
from models.prototype.model import PrototypeNet


def assemble(clips: Clips, config: PrototypeConfig) -> Assembly:
    """The prototype network for the skeleton and the classes of `clips`."""
    network = PrototypeNet(
        num_channels(clips.skeleton, config.input),
        clips.num_classes,
        dims=config.dims,
        prototype_factors=(config.prototype_factors[0], config.prototype_factors[1]),
        tokens=config.tokens,
        dropout=config.dropout,
        **config.trunk,
    )

    def loss(output: dict, batch: Batch, epoch: int) -> torch.Tensor:
        return prototype_loss(network, output, batch["label"], config.alpha, config.tau, config.hits_only)

    return assemble_two_pathways(network, loss, clips, config)


def name(config: PrototypeConfig, profile: PrototypeConfig) -> str:
    return f"prototype_{config.input}"


def check(config: PrototypeConfig) -> None:
    check_two_pathway_config(config)
    if config.tokens not in ("time", "channel"):
        raise InputError(f"--tokens {config.tokens}: expected time or channel")
    if len(config.prototype_factors) != 2:
        raise InputError(f"--prototype_factors {config.prototype_factors}: expected two numbers, for RGB and pose")


ENTRY = Entry("prototype", (JOINTS, RGB), PROFILES, name, assemble, check)
