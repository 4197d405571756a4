"""The Res2Net bottleneck in 3D: the 1x3x3 convolution becomes a chain of smaller ones on splits of the channels.

Source: Res2Net (arXiv 1904.01169), section 3.1, 26w x 4s. The order of the splits is that of Res2Net's own code (and of
timm's res2net50_26w_4s), which passes the last split through, so that ImageNet weights fit. M2HEN (2nd place, MiGA
2024) puts the block in the place of SlowOnly's; the 3x1x1 kernels of the later stages stay, or only the laterals would
mix time.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.layers.bottleneck3d import EXPANSION, Bottleneck3d, ConvBN

SPLITS = 4
WIDTH_PER_64 = 26  # channels of a split for 64 planes


class SplitConvolutions(nn.Module):
    """Channels in four splits x1..x4: y1 = K1(x1), y2 = K2(x2 + y1), y3 = K3(x3 + y2), y4 = x4.

    In the first block of a stage no K sees the previous result, every K has the stride, and the last split is averaged
    over 3x3 pixels with that stride (borders count as zeros).
    """

    def __init__(self, width: int, stride: tuple[int, int], is_first: bool) -> None:
        super().__init__()
        self.width, self.is_first = width, is_first
        self.stride = (stride[0], stride[1], stride[1])
        self.branches = nn.ModuleList(ConvBN(width, width, (1, 3, 3), self.stride) for _ in range(SPLITS - 1))

    def forward(self, x: Tensor) -> Tensor:
        *splits, last = x.split(self.width, dim=1)  # 4 of (B, width, T, H, W)
        outputs: list[Tensor] = []
        for i, (split, branch) in enumerate(zip(splits, self.branches, strict=True)):
            outputs.append(branch(split if i == 0 or self.is_first else split + outputs[-1]))
        if self.is_first:
            # Padded by hand: PyTorch's own padding is refused where the map is smaller than the kernel.
            last = F.avg_pool3d(F.pad(last, (1, 1, 1, 1)), (1, 3, 3), self.stride)
        return torch.cat((*outputs, last), dim=1)  # (B, 4 * width, T', H', W')


class Res2NetBottleneck3d(Bottleneck3d):
    """1x1x1 (or 3x1x1) to 4 splits -> `SplitConvolutions` -> 1x1x1 to 4 * planes, with Bottleneck3d's shortcut."""

    def __init__(
        self, in_channels: int, planes: int, stride: tuple[int, int] = (1, 1), temporal: bool = False,
        shortcut: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(in_channels, planes, stride, temporal, shortcut)
        width = max(1, planes * WIDTH_PER_64 // 64)
        self.conv1 = ConvBN(in_channels, width * SPLITS, (3, 1, 1) if temporal else (1, 1, 1))
        self.conv2 = SplitConvolutions(width, stride, is_first=shortcut)
        self.conv3 = ConvBN(width * SPLITS, planes * EXPANSION, (1, 1, 1), relu=False)
