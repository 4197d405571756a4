"""Convolution with batch norm, and the SlowOnly 3D bottleneck built from it.

Every convolution has no bias and is followed by batch norm. The children are named `conv` and `bn`, so that state
dicts carry the key layout of public PoseC3D and RGBPose-Conv3D checkpoints (`layer1.0.conv2.bn.weight`).

Source: PoseConv3D (arXiv 2104.13586), section 3.3 and its appendix; SlowFast (arXiv 1812.03982) for the 3x1x1 kernels;
the shapes follow pyskl, pyskl/models/cnns/resnet3d.py.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Triple = tuple[int, int, int]

EXPANSION = 4  # a bottleneck with `planes` inner channels puts out 4 * planes


class ConvBN(nn.Module):
    """A 3D convolution without bias, batch norm, and ReLU unless `relu` is off.

    The padding keeps the size: kernel // 2 along each axis (kernels are odd).
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel: Triple, stride: Triple = (1, 1, 1), relu: bool = True
    ) -> None:
        super().__init__()
        padding = (kernel[0] // 2, kernel[1] // 2, kernel[2] // 2)
        self.conv = nn.Conv3d(in_channels, out_channels, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm3d(out_channels)
        self.relu = relu

    def forward(self, x: Tensor) -> Tensor:
        x = self.bn(self.conv(x))
        return F.relu(x, inplace=True) if self.relu else x


class Bottleneck3d(nn.Module):
    """1x1x1 (or 3x1x1) -> 1x3x3 -> 1x1x1 with a shortcut and ReLU after the sum.

    Args:
        in_channels: channels of the input.
        planes: inner channels; the output has 4 * planes.
        stride: (time, space), applied by the 1x3x3 convolution and by the shortcut.
        temporal: True makes the first convolution 3x1x1, so that the block sees the neighbouring frames.
        shortcut: True puts a strided 1x1x1 convolution with batch norm on the shortcut (first block of a stage).
    """

    def __init__(
        self, in_channels: int, planes: int, stride: tuple[int, int] = (1, 1), temporal: bool = False,
        shortcut: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        stride_t, stride_s = stride
        stride_3d = (stride_t, stride_s, stride_s)
        self.conv1 = ConvBN(in_channels, planes, (3, 1, 1) if temporal else (1, 1, 1))
        self.conv2: nn.Module = ConvBN(planes, planes, (1, 3, 3), stride_3d)
        self.conv3 = ConvBN(planes, planes * EXPANSION, (1, 1, 1), relu=False)
        self.downsample = (
            ConvBN(in_channels, planes * EXPANSION, (1, 1, 1), stride_3d, relu=False) if shortcut else None
        )

    def forward(self, x: Tensor) -> Tensor:
        residual = x if self.downsample is None else self.downsample(x)
        x = self.conv3(self.conv2(self.conv1(x)))  # (B, 4 * planes, T / stride_t, H / stride_s, W / stride_s)
        return F.relu(x + residual, inplace=True)


def make_stage(
    in_channels: int, planes: int, num_blocks: int, stride: tuple[int, int], temporal: bool,
    block: type[Bottleneck3d] = Bottleneck3d,
) -> nn.Sequential:  # fmt: skip
    """Build one stage: `num_blocks` bottlenecks, of which the first has the stride and the convolved shortcut."""
    blocks = [block(in_channels, planes, stride, temporal, shortcut=True)]
    blocks += [block(planes * EXPANSION, planes, (1, 1), temporal) for _ in range(num_blocks - 1)]
    return nn.Sequential(*blocks)


@torch.no_grad()
def init_convolutions(network: nn.Module) -> None:
    """Initialise in place: Kaiming normal (fan out) convolutions, batch norm 1, and 0 for the last one of a block.

    With the last batch norm at zero each block starts as its shortcut, which is what lets these nets train from
    scratch at a high learning rate.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv3d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.BatchNorm3d):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
    for module in network.modules():
        if isinstance(module, Bottleneck3d):
            nn.init.zeros_(module.conv3.bn.weight)
