"""PoseC3D with a second head that predicts the word vector of the class name, put together."""

import torch

from miga.clips import Clips
from miga.training.assembly import Assembly, Entry
from miga.training.inputs import JOINTS
from miga.training.weights import load_weights
from miga.transforms.heatmap_input import check_input, num_channels, stem_map
from models.layers.pose_views import PoseViews
from models.semantic.config import PROFILES, SemanticConfig
from models.semantic.loss import SemanticLoss
from models.semantic.model import SemanticPoseC3D
from models.semantic.vectors import name_vectors

FITTING = "a PoseC3D (SlowOnly-R50 on heatmaps) of pyskl or mmaction2, or weights.pt of an own fold"


def assemble(clips: Clips, config: SemanticConfig) -> Assembly:
    """The network for the skeleton of `clips` and the names of their classes."""
    vectors = torch.from_numpy(name_vectors(clips.classes, config.vectors))  # (K, 300)
    network = SemanticPoseC3D(
        num_channels(clips.skeleton, config.input),
        clips.num_classes,
        vectors.shape[1],
        base_channels=config.base_channels,
        blocks=config.blocks,
        dropout=config.dropout,
    )
    if config.weights:
        load_weights(network, config.weights, stem_map=stem_map(clips.skeleton, config.input), fits=FITTING)
    views, loss = PoseViews(clips, config), SemanticLoss(vectors, config.semantic_weight)
    return Assembly(network, config, views.train_view, views.test_views, views.to_input, loss)


def name(config: SemanticConfig, profile: SemanticConfig) -> str:
    return f"semantic_{config.input}"


def check(config: SemanticConfig) -> None:
    check_input(config.input)


ENTRY = Entry("semantic", (JOINTS,), PROFILES, name, assemble, check)
