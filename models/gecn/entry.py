"""GE-CN, put together: the joint graph, one direction a class."""

from miga.clips import Clips
from miga.errors import InputError
from miga.training.assembly import Assembly, Entry
from miga.training.inputs import JOINTS
from miga.training.weights import load_weights
from miga.transforms.graph import STREAM_CHANNELS, GraphTransform
from models.gecn.config import PROFILES, GECNConfig
from models.gecn.loss import GECNLoss
from models.gecn.model import GECN
from models.layers.graph_views import GraphViews, graph_transform


def build_transform(clips: Clips, config: GECNConfig) -> GraphTransform:
    """Clips to the network's input."""
    return graph_transform(clips, config, config.streams)


def build_network(clips: Clips, config: GECNConfig) -> GECN:
    """The network for these clips' skeleton, classes and people."""
    return GECN(
        clips.skeleton,
        clips.num_classes,
        num_persons=clips.joints.shape[1],
        width=config.width,
        k=config.k,
        in_channels=build_transform(clips, config).num_channels,
        attention_std=config.attention_std,
        noise=config.noise,
        dropout=config.dropout,
        attention=config.attention,
    )


def assemble(clips: Clips, config: GECNConfig) -> Assembly:
    """GE-CN for the skeleton and the classes of `clips`."""
    network = build_network(clips, config)
    if config.weights:
        load_weights(network, config.weights)
    views = GraphViews(clips, build_transform(clips, config))
    loss = GECNLoss(clips.num_classes, network.z_dim, smoothing=config.smoothing, lambda_2=config.lambda_2)
    return Assembly(network, config, views.train_view, views.test_views, views.to_input, loss)


def name(config: GECNConfig, profile: GECNConfig) -> str:
    """`gecn` as the profile has it, with what is other behind it: no attention, the mode, the streams.

    InfoGCN (README, ensemble.py) averages such networks: several modes, each on joints and on motion.
    """
    mode = f"_k{config.k}" if config.k != profile.k else ""
    streams = "".join(f"_{stream}" for stream in config.streams) if config.streams != profile.streams else ""
    return "gecn" + ("" if config.attention else "_plain") + mode + streams


def check(config: GECNConfig) -> None:
    unknown = [stream for stream in config.streams if stream not in STREAM_CHANNELS]
    if unknown or not config.streams:
        raise InputError(f"--streams {','.join(config.streams)}: expected some of {','.join(STREAM_CHANNELS)}")
    if config.unit not in ("picture", "body"):
        raise InputError(f"--unit {config.unit}: expected picture or body")


ENTRY = Entry("gecn", (JOINTS,), PROFILES, name, assemble, check)
