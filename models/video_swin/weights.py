"""Public weights for Video Swin: checkpoints of video networks, and of 2D Swin networks inflated in time.

Key layouts that are understood: SwinTransformer/Video-Swin-Transformer and mmaction2 (`backbone.`, `cls_head.fc_cls`;
mmaction2 calls the last norm `norm3`), microsoft/Swin-Transformer (no prefix), and timm, where the merging of patches
is the first step of a stage instead of the last of the one before, and the classifier is `head.fc`.
Inflation: Video Swin Transformer (arXiv 2106.13230), section 3.3.
"""

from collections.abc import Mapping

import torch.nn.functional as F
from torch import Tensor

from models.video_swin.blocks import PATCH
from models.video_swin.windows import Size3

DERIVED = ("relative_position_index", "attn_mask")  # buffers that we compute
TABLE = "relative_position_bias_table"
PATCH_KEY = "backbone.patch_embed.proj.weight"


def to_video_swin(tensors: Mapping[str, Tensor], window: Size3) -> dict[str, Tensor]:
    """Rename the tensors of any of the layouts above to ours, and inflate them where they are of a 2D network."""
    renamed = {our_key(key): tensor for key, tensor in tensors.items() if not key.endswith(DERIVED)}
    if any(key.startswith(f"backbone.layers.{_last_stage(renamed)}.downsample.") for key in renamed):
        renamed = {_merge_at_the_end(key): tensor for key, tensor in renamed.items()}
    if PATCH_KEY in renamed and renamed[PATCH_KEY].ndim == 4:
        renamed = inflate(renamed, window)
    return renamed


def our_key(key: str) -> str:
    """Our name of a key of a public checkpoint; timm's merging keeps its stage number here."""
    for theirs, ours in (("head.fc.", "cls_head.fc_cls."), ("head.", "cls_head.fc_cls.")):
        if key.startswith(theirs):
            return ours + key.removeprefix(theirs)
    key = key.removeprefix("backbone.")
    if key.startswith("norm3."):
        key = "norm." + key.removeprefix("norm3.")
    return key if key.startswith("cls_head.") else "backbone." + key


def inflate(tensors: Mapping[str, Tensor], window: Size3) -> dict[str, Tensor]:
    """2D weights to 3D ones that answer to a still video as the 2D network does to its picture.

    The patch kernel is spread evenly over the two frames of a patch; the bias table is repeated for every offset in
    time, after a bicubic resize where it is of another window.

    Args:
        tensors: with our keys.
        window: of the 3D network.
    """
    inflated = dict(tensors)
    inflated[PATCH_KEY] = tensors[PATCH_KEY].unsqueeze(2).repeat(1, 1, PATCH[0], 1, 1) / PATCH[0]  # (C, 3, 2, 4, 4)
    for key, table in tensors.items():
        if key.endswith(TABLE):
            inflated[key] = _resized(table, window).repeat(2 * window[0] - 1, 1)  # (offsets in 3D, heads)
    return inflated


def _resized(table: Tensor, window: Size3) -> Tensor:
    """A 2D bias table ((2s - 1)^2, heads) of a square window for our window's height and width."""
    height, width = 2 * window[1] - 1, 2 * window[2] - 1
    side = round(len(table) ** 0.5)
    if (side, side) == (height, width):
        return table
    grid = table.T.reshape(1, -1, side, side)
    return F.interpolate(grid, size=(height, width), mode="bicubic").view(-1, height * width).T


def _last_stage(tensors: Mapping[str, Tensor]) -> int:
    return max((int(key.split(".")[2]) for key in tensors if key.startswith("backbone.layers.")), default=0)


def _merge_at_the_end(key: str) -> str:
    """timm's `layers.{i}.downsample` is the end of our stage i - 1."""
    parts = key.split(".")
    if parts[1] == "layers" and parts[3] == "downsample":
        parts[2] = str(int(parts[2]) - 1)
    return ".".join(parts)
