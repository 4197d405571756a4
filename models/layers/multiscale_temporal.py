"""Multi-scale temporal convolution (MS-TC): four views of a joint's history, side by side.

Source: the temporal unit of MS-G3D as InfoGCN uses it (stnoah1/infogcn, model/ms_tcn.py): kernel 5, kernel 5 with
dilation 2, max-pool 3, and the present frame alone; each has a quarter of the channels.

Tensors are (B, C, T, V) in channels-last memory, where a 1x1 convolution is one matrix product over all joints of all
frames. The three branches that begin alike share one convolution and one normalisation, and the four that end alike
share a normalisation: normalising per channel after concatenation is the same arithmetic.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

KERNEL = 5
POOL = 3
DILATIONS = (1, 2)


class MultiScaleTemporal(nn.Module):
    """The four branches, concatenated and normalised, without residual and without the last activation.

    Args:
        in_channels: C.
        out_channels: C', a multiple of 4.
        stride: stride in time; T frames become ceil(T / stride).
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        if out_channels % 4:
            raise ValueError(f"out_channels must be a multiple of the 4 branches, got {out_channels}")
        branch = out_channels // 4
        self.branch_channels, self.stride = branch, stride
        self.enter = nn.Conv2d(in_channels, 3 * branch, 1)  # the first three branches
        self.enter_bn = nn.BatchNorm2d(3 * branch)
        self.convs = nn.ModuleList(
            nn.Conv2d(branch, branch, (KERNEL, 1), (stride, 1), (dilation * (KERNEL // 2), 0), (dilation, 1))
            for dilation in DILATIONS
        )
        self.point = nn.Conv2d(in_channels, branch, 1, (stride, 1))  # the fourth branch
        self.bn = nn.BatchNorm2d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, T, V) -> (B, C', ceil(T / stride), V)."""
        entered = F.relu_(self.enter_bn(self.enter(x)))  # (B, 3C'/4, T, V)
        short, long, pool = entered.split(self.branch_channels, dim=1)  # 3 of (B, C'/4, T, V)
        outputs = (
            self.convs[0](short),
            self.convs[1](long),
            F.max_pool2d(pool, (POOL, 1), (self.stride, 1), (POOL // 2, 0)),
            self.point(x),
        )  # 4 of (B, C'/4, T', V)
        return self.bn(torch.cat(outputs, dim=1))  # (B, C', T', V)
