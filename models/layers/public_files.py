"""Which public checkpoints fit a network on two pathways: that depends on the bottleneck of its pathways."""

from torch import nn

from models.layers.bottleneck3d import Bottleneck3d
from models.layers.res2net3d import Res2NetBottleneck3d
from models.layers.two_pathway_net import TwoPathwayNet

FITTING: dict[type[nn.Module], dict[str, str]] = {
    Bottleneck3d: {
        "whole": "an RGBPose-Conv3D of pyskl or mmaction2",
        "rgb": "a SlowOnly-R50 on pictures of pyskl, mmaction2 or pytorchvideo, a 2D ResNet-50 of timm or torchvision",
        "pose": "a PoseC3D (SlowOnly-R50 on heatmaps) of pyskl or mmaction2",
    },
    Res2NetBottleneck3d: {
        "whole": "weights.pt of an own fold, for there is no public file of Res2Net pathways",
        "rgb": "a 2D Res2Net-50 26w x 4s of timm (res2net50_26w_4s), or weights.pt of an own stage rgb",
        "pose": "weights.pt of an own stage pose, for there is no public file of a Res2Net on heatmaps",
    },
}


def fitting_files(network: TwoPathwayNet, part: str) -> str:
    """In words, what fits a network or one of its pathways, at published sizes; part is whole, rgb or pose."""
    return FITTING[type(network.backbone.rgb_path.layer1[0])][part]
