"""Starting a 3D network on pictures from what others trained, whichever names their files give to its parts.

| file | stem | first convolution of a block | classifier |
|---|---|---|---|
| ours, pyskl, mmaction2 | `backbone.conv1.conv` | `backbone.layer1.0.conv1.conv` | `cls_head.fc_cls` |
| pytorchvideo | `blocks.0.conv` | `blocks.1.res_blocks.0.branch2.conv_a` | `blocks.5.proj` |
| timm, torchvision (2D) | `conv1` | `layer1.0.conv1` | `fc` |

A 2D kernel is repeated along time and divided by its new length, so that a still video gives what the picture gave
(I3D, arXiv 1705.07750, section 2.4), but for the zeros beyond the first and last frame.
"""

import re
from collections.abc import Mapping

from torch import Tensor, nn

from miga.training.imagenet import imagenet_tensors
from miga.training.weights import OWN, WeightsReport, load_tensors, read_state_dict
from models.layers.res2net3d import Res2NetBottleneck3d

# Keys of timm's ResNet and Res2Net, to be renamed into those of `Pathway`; the first that is found is renamed.
_OF_2D = (
    (r"convs\.(\d)\.", r"conv2.branches.\1.conv."),
    (r"bns\.(\d)\.", r"conv2.branches.\1.bn."),
    (r"\bconv(\d)\.(?=weight)", r"conv\1.conv."),
    (r"\bbn(\d)\.", r"conv\1.bn."),
    (r"downsample\.0\.", "downsample.conv."),
    (r"downsample\.1\.", "downsample.bn."),
)
# Keys of pytorchvideo's ResNet.
_OF_PYTORCHVIDEO = (
    (r"^blocks\.0\.conv\.", "backbone.conv1.conv."),
    (r"^blocks\.0\.norm\.", "backbone.conv1.bn."),
    (r"^blocks\.(\d)\.res_blocks\.(\d+)\.branch1_conv\.", r"backbone.layer\1.\2.downsample.conv."),
    (r"^blocks\.(\d)\.res_blocks\.(\d+)\.branch1_norm\.", r"backbone.layer\1.\2.downsample.bn."),
    *(
        (rf"^blocks\.(\d)\.res_blocks\.(\d+)\.branch2\.{theirs}_{letter}\.", rf"backbone.layer\1.\2.conv{n}.{ours}.")
        for n, letter in enumerate("abc", 1)
        for theirs, ours in (("conv", "conv"), ("norm", "bn"))
    ),
    (r"^blocks\.5\.proj\.", "cls_head.fc_cls."),
)


def start_from_pictures(
    network: nn.Module, source: str, fits: str = OWN, file_option: str = "--pretrained"
) -> WeightsReport:
    """Start a `PathwayNet` on pictures, in place, from what was trained on pictures or videos before.

    Args:
        source: a file in any layout of the table above, or `imagenet`: the 2D ResNet-50 or Res2Net-50 that fits the
            network's block, trained on ImageNet-1k, as timm downloads it.
        fits: in words, which files fit this network, for the message.
        file_option: the option of the calling command that takes a file, for the message.
    Raises:
        InputError: the file is unusable or fits less than half of the network, or the download failed.
    """
    if source == "imagenet":
        is_res2net = any(isinstance(module, Res2NetBottleneck3d) for module in network.modules())
        # Torchvision's first ResNet-50 is what pyskl's and mmaction2's RGB networks start from.
        tensors = imagenet_tensors("res2net50_26w_4s.in1k" if is_res2net else "resnet50.tv_in1k", file_option)
    else:
        tensors = read_state_dict(source)
    if is_2d(tensors):
        tensors = inflate_resnet(tensors, network.state_dict())
    return load_tensors(network, {_renamed(key, _OF_PYTORCHVIDEO): t for key, t in tensors.items()}, source, fits=fits)


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
        name = "backbone." + _renamed(key, _OF_2D)
        if tensor.ndim == 4 and name in target:
            length = target[name].shape[2]
            tensor = tensor.unsqueeze(2).repeat(1, 1, length, 1, 1) / length  # (C', C, t, h, w)
        inflated[name] = tensor
    return inflated


def _renamed(key: str, renames: tuple[tuple[str, str], ...]) -> str:
    for pattern, replacement in renames:
        key, found = re.subn(pattern, replacement, key)
        if found:
            break
    return key
