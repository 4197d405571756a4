"""EHCT, put together: joints, bones and their motions over hyperedges."""

from miga.clips import Clips
from miga.errors import InputError
from miga.training.assembly import Assembly, Entry
from miga.training.inputs import JOINTS
from miga.training.losses import SmoothedCrossEntropy
from miga.training.weights import load_weights
from miga.transforms.graph import GraphTransform
from models.ehct.config import PROFILES, EHCTConfig
from models.ehct.model import EHCT
from models.layers.graph_views import GraphViews, graph_transform

STREAMS = ("joint", "bone", "motion", "bonemotion")


def build_transform(clips: Clips, config: EHCTConfig) -> GraphTransform:
    """Clips to the network's input."""
    return graph_transform(clips, config, config.stream, keep_path=True)


def build_network(clips: Clips, config: EHCTConfig, in_channels: int) -> EHCT:
    """The network for these clips' skeleton, classes and people."""
    return EHCT(
        clips.skeleton,
        clips.num_classes,
        num_persons=clips.joints.shape[1],
        in_channels=in_channels,
        num_heads=config.num_heads,
        head_dim=config.head_dim,
        strides=config.strides,
        grouping=config.hyperedges,
        alpha=config.alpha,
        enhanced=config.enhanced,
        token_block=config.token_block,
        dropout=config.dropout,
    )


def assemble(clips: Clips, config: EHCTConfig) -> Assembly:
    """EHCT for the skeleton and the classes of `clips`."""
    transform = build_transform(clips, config)
    network = build_network(clips, config, transform.num_channels)
    if config.weights:
        load_weights(network, config.weights)
    views, loss = GraphViews(clips, transform), SmoothedCrossEntropy(config.smoothing)
    return Assembly(network, config, views.train_view, views.test_views, views.to_input, loss)


def name(config: EHCTConfig, profile: EHCTConfig) -> str:
    return f"ehct_{'_'.join(config.stream)}"


def check(config: EHCTConfig) -> None:
    in_order = tuple(stream for stream in STREAMS if stream in config.stream)
    if not in_order or in_order != config.stream:
        raise InputError(f"--stream {','.join(config.stream)}: expected some of {','.join(STREAMS)}, in this order")
    if config.unit not in ("picture", "body"):
        raise InputError(f"--unit {config.unit}: expected picture or body")


ENTRY = Entry("ehct", (JOINTS,), PROFILES, name, assemble, check)
