"""M3CN, put together: pictures and heatmaps, each pathway alone first."""

from miga.clips import Clips
from miga.training.assembly import Assembly, Entry
from miga.training.inputs import JOINTS, RGB
from miga.transforms.heatmap_input import num_channels
from models.layers.two_pathway_config import check_two_pathway_config
from models.layers.two_pathway_entry import assemble_two_pathways, loss_of_both
from models.m3cn.config import PROFILES, M3CNConfig
from models.m3cn.model import M3CN


def assemble(clips: Clips, config: M3CNConfig) -> Assembly:
    """M3CN for the skeleton and the classes of `clips`."""
    network = M3CN(
        num_channels(clips.skeleton, config.input), clips.num_classes, dropout=config.dropout, **config.trunk
    )
    return assemble_two_pathways(network, loss_of_both, clips, config)


def name(config: M3CNConfig, profile: M3CNConfig) -> str:
    return "m3cn"


ENTRY = Entry("m3cn", (JOINTS, RGB), PROFILES, name, assemble, check_two_pathway_config)
