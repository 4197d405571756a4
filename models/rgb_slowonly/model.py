"""RGB SlowOnly-R50, built with pytorchvideo: pictures of a clip to class logits.

Source: SlowFast (arXiv 1812.03982), table 1, the slow pathway; PoseConv3D (arXiv 2104.13586), table 2; pyskl,
configs/rgbpose_conv3d/rgb_only.py. With the published sizes this is pytorchvideo's `create_resnet(model_depth=50)` with
a 1x7x7 stem; that function knows only the published depths, so its parts are put together here.
"""

from functools import partial

import miga.training.torchvision_schemas  # noqa: F401, must come before pytorchvideo

# isort: split
from pytorchvideo.models.net import Net
from pytorchvideo.models.resnet import create_bottleneck_block, create_res_stage
from pytorchvideo.models.stem import create_res_basic_stem
from torch import Tensor, nn

from models.layers.pathway_net import LinearHead

STEM_KERNEL = (1, 7, 7)
IN_PLACE = partial(nn.ReLU, inplace=True)


def slowonly_backbone(base_channels: int, blocks: tuple[int, ...], pool_stride: int) -> Net:
    """Stem, max-pool and four stages; the first two look at single frames, the others at neighbours too (3x1x1).

    Weights start as pytorchvideo starts them: Kaiming normal, and zero for the last batch norm of a block.

    Returns:
        (B, 3, T, H, W) to (B, base_channels * 32, T, H / 32, W / 32), twice as fine with `pool_stride` 1.
    """
    stem = create_res_basic_stem(
        in_channels=3,
        out_channels=base_channels,
        conv_kernel_size=STEM_KERNEL,
        conv_stride=(1, 2, 2),
        conv_padding=tuple(k // 2 for k in STEM_KERNEL),
        pool_kernel_size=(1, 3, 3),
        pool_stride=(1, pool_stride, pool_stride),
        pool_padding=(0, 1, 1),
        activation=IN_PLACE,
    )
    parts, channels = [stem], base_channels
    for stage, depth in enumerate(blocks):
        is_temporal, stride = stage >= 2, 1 if stage == 0 else 2
        inner = base_channels * 2**stage
        parts.append(
            create_res_stage(
                depth=depth,
                dim_in=channels,
                dim_inner=inner,
                dim_out=4 * inner,
                bottleneck=create_bottleneck_block,
                conv_a_kernel_size=(3, 1, 1) if is_temporal else (1, 1, 1),
                conv_a_stride=(1, 1, 1),
                conv_a_padding=(1, 0, 0) if is_temporal else (0, 0, 0),
                conv_b_kernel_size=(1, 3, 3),
                conv_b_stride=(1, stride, stride),
                conv_b_padding=(0, 1, 1),
                activation=IN_PLACE,
            )
        )
        channels = 4 * inner
    return Net(blocks=nn.ModuleList(parts))


class RGBSlowOnly(nn.Module):
    """The recogniser: pictures to class logits.

    Args:
        num_classes: K.
        base_channels: channels of the stem; published 64. The features have 32 times as many.
        blocks: bottlenecks per stage; published (3, 4, 6, 3).
        pool_stride: of the max-pool after the stem; published 2, and 1 for small pictures.
        dropout: share of pooled features dropped before the classifier while training.
    """

    HEADS: tuple[str, ...] = ("cls_head",)

    def __init__(
        self, num_classes: int, base_channels: int = 64, blocks: tuple[int, ...] = (3, 4, 6, 3), pool_stride: int = 2,
        dropout: float = 0.5,
    ) -> None:  # fmt: skip
        super().__init__()
        self.backbone = slowonly_backbone(base_channels, tuple(blocks), pool_stride)
        self.cls_head = LinearHead(base_channels * 4 * 2 ** (len(blocks) - 1), num_classes, dropout)
        nn.init.normal_(self.cls_head.fc_cls.weight, std=0.01)
        nn.init.zeros_(self.cls_head.fc_cls.bias)

    def forward(self, rgb: Tensor) -> Tensor:
        """Classify clips.

        Args:
            rgb: (B, 3, T, H, W) float, normalised as by `miga.transforms.rgb_clip.normalise`.
        Returns:
            logits (B, K).
        """
        features = self.backbone(rgb)  # (B, C, T, H', W')
        return self.cls_head(features.mean(dim=(2, 3, 4)))  # (B, K)
