"""Key layouts of files that the picture's network of the image-level baseline can start from.

| file | first convolution | of a block, its place among all | classifier |
|---|---|---|---|
| ours | `backbone.conv_stem` | `backbone.blocks.{stage}.{block}.conv_dw` | `classifier` |
| timm | `conv_stem` | `blocks.{stage}.{block}.conv_dw` | `classifier`, of ImageNet: left out |
| EfficientNet-Lite-PyTorch | `_conv_stem` | `_blocks.{place}._depthwise_conv` | `_fc`, left out |
"""

from collections.abc import Mapping

from torch import Tensor

LITE0_DEPTHS = (1, 2, 2, 3, 3, 4, 1)  # blocks of the stages of EfficientNet-Lite0
_TOP = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2"}
# The first stage does not widen its channels, and its blocks have one convolution less.
_FIRST = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
_OTHER = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}


def to_our_names(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of any layout above by our names."""
    if any(key.startswith("backbone.") for key in tensors):
        return dict(tensors)
    if "_conv_stem.weight" in tensors:
        tensors = {_of_lite(key): tensor for key, tensor in tensors.items() if not key.startswith("_fc.")}
    return {f"backbone.{key}": tensor for key, tensor in tensors.items()}


def _of_lite(key: str) -> str:
    if not key.startswith("_blocks."):
        part, rest = key.split(".", 1)
        return f"{_TOP[part]}.{rest}" if part in _TOP else key
    _, place, part, rest = key.split(".", 3)
    stage, block = 0, int(place)
    while stage < len(LITE0_DEPTHS) - 1 and block >= LITE0_DEPTHS[stage]:
        block -= LITE0_DEPTHS[stage]
        stage += 1
    names = _FIRST if stage == 0 else _OTHER
    return f"blocks.{stage}.{block}.{names[part]}.{rest}" if part in names else key
