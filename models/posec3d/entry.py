"""PoseC3D, put together: heatmaps of joints or limbs, cross entropy."""

from miga.clips import Clips
from miga.training.assembly import Assembly, Entry
from miga.training.inputs import JOINTS
from miga.training.losses import cross_entropy
from miga.training.weights import load_weights
from miga.transforms.heatmap_input import check_input, num_channels, stem_map
from models.layers.pose_views import PoseViews
from models.posec3d.config import PROFILES, PoseC3DConfig
from models.posec3d.model import PoseC3D

FITTING = "a PoseC3D (SlowOnly-R50 on heatmaps) of pyskl or mmaction2, or weights.pt of an own fold"


def assemble(clips: Clips, config: PoseC3DConfig) -> Assembly:
    """PoseC3D for the skeleton and the classes of `clips`."""
    network = PoseC3D(
        num_channels(clips.skeleton, config.input),
        clips.num_classes,
        base_channels=config.base_channels,
        blocks=config.blocks,
        dropout=config.dropout,
    )
    if config.weights:
        load_weights(network, config.weights, stem_map=stem_map(clips.skeleton, config.input), fits=FITTING)
    views = PoseViews(clips, config)
    return Assembly(network, config, views.train_view, views.test_views, views.to_input, cross_entropy)


def name(config: PoseC3DConfig, profile: PoseC3DConfig) -> str:
    return f"posec3d_{config.input}"


def check(config: PoseC3DConfig) -> None:
    check_input(config.input)


ENTRY = Entry("posec3d", (JOINTS,), PROFILES, name, assemble, check)
