"""Two pathways that exchange features: RGB (few frames, many channels) and pose (many frames, few channels).

    step   RGB pathway                          pose pathway
    a      stem, layer1, layer2                 stem, layer1
           exchange 1: each gets the other's features beside its own
    b      layer3                               layer2
           exchange 2
    c      layer4                               layer3

At paper size (pictures 8 x 224 x 224, heatmaps 32 x 56 x 56) the exchanges see 512x8x28x28 and 128x32x28x28, then
1024x8x14x14 and 256x32x14x14; the outputs are 2048x8x7x7 and 512x32x7x7.

Source: PoseConv3D (arXiv 2104.13586), section 3.4 and table 2; pyskl, pyskl/models/cnns/rgbposeconv3d.py. The names of
the modules give the key layout of public checkpoints.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from miga.errors import InputError
from models.layers.bottleneck3d import EXPANSION, Bottleneck3d
from models.layers.pose_backbone import PoseBackbone
from models.layers.rgb_backbone import RGBBackbone

LATERAL_KERNEL = 7  # frames
Pair = tuple[Tensor, Tensor]


def heatmap_size(picture_size: int, pool_stride: int = 2) -> int:
    """The side in pixels of the heatmaps whose features lie pixel on pixel over those of pictures of `picture_size`.

    Raises:
        InputError: there is none: the RGB stem divides a side by 2 * pool_stride, and that must come out even.
    """
    step = 2 * pool_stride
    if picture_size <= 0 or picture_size % step:
        raise InputError(
            f"pictures of {picture_size} pixels: expected a multiple of {step}, because the RGB stem divides by {step} "
            f"and must arrive at the heatmaps' size; choose {max(1, round(picture_size / step)) * step}"
        )
    return picture_size // step


class PoseToRGB(nn.Module):
    """A strided convolution in time, T_pose to T_pose / speed_ratio frames; neither norm nor activation."""

    def __init__(self, channels: int, speed_ratio: int) -> None:
        super().__init__()
        self.conv = nn.Conv3d(
            channels, channels, (LATERAL_KERNEL, 1, 1), (speed_ratio, 1, 1), (LATERAL_KERNEL // 2, 0, 0), bias=False
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x)  # (B, C, T / speed_ratio, H, W)


class RGBToPose(nn.Module):
    """A transposed convolution in time, T_rgb to exactly T_rgb * speed_ratio frames; then batch norm and ReLU."""

    def __init__(self, in_channels: int, out_channels: int, speed_ratio: int) -> None:
        super().__init__()
        self.conv = nn.ConvTranspose3d(
            in_channels, out_channels, (LATERAL_KERNEL, 1, 1), (speed_ratio, 1, 1), (LATERAL_KERNEL // 2, 0, 0),
            output_padding=(speed_ratio - 1, 0, 0), bias=False,
        )  # fmt: skip
        self.bn = nn.BatchNorm3d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv(x)), inplace=True)  # (B, C', T * speed_ratio, H, W)


class TwoPathwayBackbone(nn.Module):
    """The pair of pathways and their laterals.

    Args:
        pose_channels: joints V or limbs E.
        rgb_base, pose_base: channels of the two stems; published 64 and 32.
        rgb_blocks: bottlenecks of the four RGB stages. pose_blocks: of the three pose stages.
        speed_ratio: frames of the pose pathway per frame of the RGB pathway.
        pool_stride: of the RGB stem's max-pool; published 2. See `heatmap_size`.
        laterals: False leaves the exchanges out: two networks side by side.
        detach_laterals: stop gradients from flowing through the laterals.
        lateral_drop: probability with which a training batch goes without the laterals of one direction.
        block: the bottleneck of both pathways.
        fusions: nothing, or one module per exchange: (rgb, pose) features -> (rgb, pose) features of the same shapes.
            They change what each pathway keeps of its own; the laterals read the features as they were before.
    """

    def __init__(
        self, pose_channels: int, rgb_base: int = 64, pose_base: int = 32,
        rgb_blocks: tuple[int, ...] = (3, 4, 6, 3), pose_blocks: tuple[int, ...] = (4, 6, 3),
        speed_ratio: int = 4, pool_stride: int = 2, laterals: bool = True, detach_laterals: bool = False,
        lateral_drop: float = 0.0, block: type[Bottleneck3d] = Bottleneck3d, fusions: Sequence[nn.Module] = (),
    ) -> None:  # fmt: skip
        super().__init__()
        if len(fusions) not in (0, 2):
            raise ValueError(f"expected no fusion or one for each of the 2 exchanges, got {len(fusions)}")
        rgb_features, pose_features = exchange_channels(rgb_base, pose_base)
        to_pose = tuple(channels // 4 for channels in pose_features)
        self.rgb_path = RGBBackbone(
            rgb_base, tuple(rgb_blocks), pool_stride, (0, 0, *pose_features) if laterals else (), block
        )
        self.pose_path = PoseBackbone(
            pose_channels, pose_base, tuple(pose_blocks), (1, 1, 1), (0, *to_pose) if laterals else (), block
        )
        self.speed_ratio, self.pool_stride = speed_ratio, pool_stride
        self.laterals, self.detach_laterals, self.lateral_drop = laterals, detach_laterals, lateral_drop
        if laterals:
            for i in range(2):
                self.rgb_path.add_module(f"layer{i + 2}_lateral", PoseToRGB(pose_features[i], speed_ratio))
                self.pose_path.add_module(f"layer{i + 1}_lateral", RGBToPose(rgb_features[i], to_pose[i], speed_ratio))
        self.fusions = nn.ModuleList(fusions)
        self.out_channels = (self.rgb_path.out_channels, self.pose_path.out_channels)

    def forward(self, rgb: Tensor, heatmaps: Tensor) -> Pair:
        """Extract the features of both pathways.

        Args:
            rgb: (B, 3, T, H, W) normalised pictures.
            heatmaps: (B, V, speed_ratio * T, h, w), where (h, w) is (H, W) / (2 * pool_stride).
        Returns:
            rgb features (B, rgb_base * 32, T, H', W') and pose features (B, pose_base * 16, speed_ratio * T, H', W').
        """
        self._check(rgb, heatmaps)
        rgb_path, pose_path = self.rgb_path, self.pose_path
        drop_rgb, drop_pose = (torch.rand(2) < self.lateral_drop).tolist() if self.training else (False, False)
        rgb = rgb_path.layer2(rgb_path.layer1(rgb_path.stem(rgb)))  # (B, rgb_base * 8, T, H / 8, W / 8)
        pose = pose_path.layer1(pose_path.stem(heatmaps))  # (B, pose_base * 4, speed_ratio * T, H / 8, W / 8)
        rgb, pose = self._exchange(0, rgb, pose, drop_rgb, drop_pose)
        rgb, pose = rgb_path.layer3(rgb), pose_path.layer2(pose)  # rgb_base * 16 and pose_base * 8 channels, H / 16
        rgb, pose = self._exchange(1, rgb, pose, drop_rgb, drop_pose)
        return rgb_path.layer4(rgb), pose_path.layer3(pose)

    def _exchange(self, index: int, rgb: Tensor, pose: Tensor, drop_rgb: bool, drop_pose: bool) -> Pair:
        """Put [own, lateral] side by side in both pathways; both laterals read the features as they come in."""
        own_rgb, own_pose = self.fusions[index](rgb, pose) if len(self.fusions) else (rgb, pose)
        if not self.laterals:
            return own_rgb, own_pose
        if self.detach_laterals:
            rgb, pose = rgb.detach(), pose.detach()
        from_pose = self.rgb_path.get_submodule(f"layer{index + 2}_lateral")(pose)
        from_rgb = self.pose_path.get_submodule(f"layer{index + 1}_lateral")(rgb)
        if drop_rgb:
            from_pose = torch.zeros_like(from_pose)
        if drop_pose:
            from_rgb = torch.zeros_like(from_rgb)
        return torch.cat((own_rgb, from_pose), dim=1), torch.cat((own_pose, from_rgb), dim=1)

    def _check(self, rgb: Tensor, heatmaps: Tensor) -> None:
        step = 2 * self.pool_stride
        expected = (rgb.shape[2] * self.speed_ratio, rgb.shape[3] / step, rgb.shape[4] / step)
        if tuple(heatmaps.shape[2:]) != expected:
            raise ValueError(
                f"pictures of {tuple(rgb.shape[2:])} (frames, height, width) need heatmaps of {expected}, "
                f"got {tuple(heatmaps.shape[2:])}"
            )


def exchange_channels(rgb_base: int = 64, pose_base: int = 32) -> tuple[tuple[int, int], tuple[int, int]]:
    """Channels of the RGB features and of the pose features at the two exchanges."""
    return (
        (rgb_base * 2 * EXPANSION, rgb_base * 4 * EXPANSION),
        (pose_base * EXPANSION, pose_base * 2 * EXPANSION),
    )
