"""Starting a 3D network on pictures from a 2D one trained on ImageNet.

A 2D kernel is repeated along time and divided by its new length, so that a still video gives what the picture gave
(I3D, arXiv 1705.07750, section 2.4), but for the zeros beyond the first and last frame.
"""

import re
from collections.abc import Mapping

from torch import Tensor, nn

from miga.training.imagenet import imagenet_tensors
from miga.training.weights import OWN, WeightsReport, load_tensors, read_state_dict
from models.layers.res2net3d import Res2NetBottleneck3d

# Keys of timm's ResNet and Res2Net, to be renamed into those of `Pathway`.
_RENAMES = (
    (r"convs\.(\d)\.", r"conv2.branches.\1.conv."),
    (r"bns\.(\d)\.", r"conv2.branches.\1.bn."),
    (r"\bconv(\d)\.(?=weight)", r"conv\1.conv."),
    (r"\bbn(\d)\.", r"conv\1.bn."),
    (r"downsample\.0\.", "downsample.conv."),
    (r"downsample\.1\.", "downsample.bn."),
)


def start_from_pictures(network: nn.Module, source: str, fits: str = OWN) -> WeightsReport:
    """Start a `PathwayNet` on pictures, in place, from what was trained on pictures or videos before.

    Args:
        source: a checkpoint of a 3D network in our key layout, one of a 2D ResNet-50 or Res2Net-50 in timm's, or
            `imagenet`: the one of these that fits the network's block, trained on ImageNet-1k, as timm downloads it.
        fits: in words, which files fit this network, for the message.
    Raises:
        InputError: the file is unusable or fits less than half of the network, or the download failed.
    """
    if source == "imagenet":
        is_res2net = any(isinstance(module, Res2NetBottleneck3d) for module in network.modules())
        tensors = imagenet_tensors("res2net50_26w_4s.in1k" if is_res2net else "resnet50.tv_in1k", "--pretrained")
    else:
        tensors = read_state_dict(source)
    if is_2d(tensors):
        tensors = inflate_resnet(tensors, network.state_dict())
    return load_tensors(network, tensors, source, fits=fits)


def is_2d(tensors: Mapping[str, Tensor]) -> bool:
    """Whether these are the tensors of a network on single pictures: its stem has no axis of time."""
    return "conv1.weight" in tensors and tensors["conv1.weight"].ndim == 4


def inflate_resnet(tensors: Mapping[str, Tensor], target: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename and inflate a 2D ResNet or Res2Net for a 3D one named as public checkpoints are (`Pathway`).

    Args:
        tensors: state dict in timm's (and torchvision's) key layout.
        target: state dict of the 3D network; its shapes say how long each kernel is in time.
    Returns:
        Tensors by the target's keys. The 2D classifier keeps its name, which no network here has.
    """
    inflated = {}
    for key, tensor in tensors.items():
        name = "backbone." + _renamed(key)
        if tensor.ndim == 4 and name in target:
            length = target[name].shape[2]
            tensor = tensor.unsqueeze(2).repeat(1, 1, length, 1, 1) / length  # (C', C, t, h, w)
        inflated[name] = tensor
    return inflated


def _renamed(key: str) -> str:
    for pattern, replacement in _RENAMES:
        key, found = re.subn(pattern, replacement, key)
        if found:
            break
    return key
