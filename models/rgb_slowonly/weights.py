"""Starting RGB SlowOnly from what others trained, whichever names their files give to its parts.

| file | stem | first convolution of a block | classifier |
|---|---|---|---|
| ours | `backbone.blocks.0.conv` | `backbone.blocks.1.res_blocks.0.branch2.conv_a` | `cls_head.fc_cls` |
| pytorchvideo | `blocks.0.conv` | `blocks.1.res_blocks.0.branch2.conv_a` | `blocks.5.proj` |
| pyskl, mmaction2 | `backbone.conv1.conv` | `backbone.layer1.0.conv1.conv` | `cls_head.fc_cls` |
| timm, torchvision (2D) | `conv1` | `layer1.0.conv1` | `fc` |
"""

import re
from collections.abc import Mapping

from torch import Tensor, nn

from miga.training.imagenet import imagenet_tensors
from miga.training.weights import WeightsReport, load_tensors, read_state_dict
from models.layers.inflate import inflate_resnet, is_2d

FITTING = (
    "a SlowOnly-R50 on pictures of pyskl, mmaction2 or pytorchvideo, a 2D ResNet-50 of timm or torchvision, "
    "or weights.pt of an own fold"
)
IMAGENET = "resnet50.tv_in1k"  # torchvision's first ResNet-50, which pyskl's and mmaction2's RGB networks start from

# From pytorchvideo's names to those of pyskl and mmaction2.
_RENAMES = (
    (r"blocks\.0\.conv\.", "conv1.conv."),
    (r"blocks\.0\.norm\.", "conv1.bn."),
    (r"blocks\.(\d)\.res_blocks\.(\d+)\.branch1_conv\.", r"layer\1.\2.downsample.conv."),
    (r"blocks\.(\d)\.res_blocks\.(\d+)\.branch1_norm\.", r"layer\1.\2.downsample.bn."),
    (r"blocks\.(\d)\.res_blocks\.(\d+)\.branch2\.conv_([abc])\.", r"layer\1.\2.conv\3.conv."),
    (r"blocks\.(\d)\.res_blocks\.(\d+)\.branch2\.norm_([abc])\.", r"layer\1.\2.conv\3.bn."),
)


def public_name(key: str) -> str:
    """What pyskl and mmaction2 call the parameter that we, with pytorchvideo, call `key`."""
    for pattern, replacement in _RENAMES:
        name, found = re.subn(pattern, replacement, key)
        if found:
            return re.sub(r"\.conv([abc])\.", lambda match: f".conv{'abc'.index(match[1]) + 1}.", name)
    return key


def start_from(model: nn.Module, weights: str, pretrained: str) -> WeightsReport | None:
    """Start `model` in place from a file, else from ImageNet, else leave it as it is.

    Args:
        model: an `RGBSlowOnly`.
        weights: path of a checkpoint in any layout of the table above, or "".
        pretrained: imagenet (timm's 2D weights, inflated) or none; of no effect where `weights` is given.
    Raises:
        InputError: the file is unusable or of another network, or the download failed.
    """
    if weights:
        return load_tensors(model, to_our_names(read_state_dict(weights), model), weights, fits=FITTING)
    if pretrained == "imagenet":
        return load_tensors(model, to_our_names(imagenet_tensors(IMAGENET), model), IMAGENET)
    return None


def to_our_names(tensors: Mapping[str, Tensor], model: nn.Module) -> dict[str, Tensor]:
    """Rename the tensors of any layout of the table above, and inflate 2D ones to the kernels of `model`."""
    public2ours = {public_name(key): key for key in model.state_dict()}
    if is_2d(tensors):
        target = {public: model.state_dict()[ours] for public, ours in public2ours.items()}
        tensors = inflate_resnet(tensors, target)
    renamed = {}
    for key, tensor in tensors.items():
        if key.startswith("blocks."):  # pytorchvideo's own files
            key = key.replace("blocks.5.proj.", "cls_head.fc_cls.") if "proj" in key else f"backbone.{key}"
        renamed[public2ours.get(key, key)] = tensor
    return renamed
