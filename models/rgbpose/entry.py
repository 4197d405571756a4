"""RGBPose-Conv3D, put together: pictures and heatmaps, each pathway alone first."""

from miga.clips import Clips
from miga.training.assembly import Assembly, Entry
from miga.training.inputs import JOINTS, RGB
from miga.transforms.heatmap_input import num_channels
from models.layers.two_pathway_config import check_two_pathway_config
from models.layers.two_pathway_entry import assemble_two_pathways, loss_of_both
from models.rgbpose.config import PROFILES, RGBPoseConfig
from models.rgbpose.model import RGBPoseConv3D


def assemble(clips: Clips, config: RGBPoseConfig) -> Assembly:
    """RGBPose-Conv3D for the skeleton and the classes of `clips`."""
    network = RGBPoseConv3D(
        num_channels(clips.skeleton, config.input), clips.num_classes, dropout=config.dropout, **config.trunk
    )
    return assemble_two_pathways(network, loss_of_both, clips, config)


def name(config: RGBPoseConfig, profile: RGBPoseConfig) -> str:
    return f"rgbpose_{config.input}"


ENTRY = Entry("rgbpose", (JOINTS, RGB), PROFILES, name, assemble, check_two_pathway_config)
