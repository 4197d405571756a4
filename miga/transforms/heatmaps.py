"""Joint and limb heatmaps, drawn for a whole batch at once on the device of the joints.

Each joint becomes a Gaussian whose peak is the detector's confidence, cut off at three sigma; each limb the same around
the segment between two joints. Several persons share the channels: the larger value wins.

Volumes are (B, V, T, H, W) and lie channels-last in memory, the layout in which 3D convolutions run fastest. On a CPU
only the few pixels near a joint or limb of a large map are computed; the values are those of computing every pixel.

Source: PoseConv3D (arXiv 2104.13586), section 3.2, equations 1 and 2; the cut of the patches to whole pixels, the
threshold on scores and the rule for short limbs are those of pyskl, pyskl/datasets/pipelines/heatmap_related.py.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from miga.transforms.constants import constant
from miga.transforms.reused_memory import ReusedMemory
from miga.transforms.ridges import (
    MIN_SCORE,
    NEAR_BYTES,
    draw_everywhere,
    draw_near,
    limb_ridges,
    patch_bounds,
    write_pixels,
)

LARGE_MAP = 32 * 32  # pixels, from which a CPU draws near the joints only


def joint_heatmaps(
    keypoints: Tensor, scores: Tensor, size: tuple[int, int], sigma: float, memory: ReusedMemory | None = None
) -> Tensor:
    """Draw each joint of each frame as a small Gaussian, one channel per joint.

    A Gaussian on a grid is the outer product of two one-dimensional ones, so that exponentials are taken along the axes
    only and a pixel costs one multiplication.

    Args:
        keypoints: (B, M, T, V, 2) float, x then y, in heatmap pixels; pixel (v, u) has its centre at y = v, x = u.
        scores: (B, M, T, V) confidence in [0, 1], the height of the peak; below 0.001 the joint is not drawn.
        size: (H, W) in heatmap pixels.
        sigma: standard deviation in heatmap pixels.
        memory: where the volume lies, for a caller that draws one after another; default fresh memory.
    Returns:
        (B, V, T, H, W) float32, zero where nothing was drawn.
    Raises:
        ValueError: shapes disagree, or sigma is not positive.
    """
    _check(keypoints, scores, sigma)
    num_clips, num_persons, num_frames, num_joints = scores.shape
    frames = _frames(num_clips * num_frames, size, num_joints, keypoints.device, memory)  # (B * T, H, W, V)
    draw = _joints_near if _is_sparse(frames) else _joints_everywhere
    for person in range(num_persons):
        xy, peaks = keypoints[:, person].flatten(0, 1).float(), scores[:, person].flatten(0, 1).float()
        draw(frames, xy, torch.where(peaks >= MIN_SCORE, peaks, 0.0), sigma, merge=person > 0)
    return frames.unflatten(0, (num_clips, num_frames)).permute(0, 4, 1, 2, 3)  # (B, V, T, H, W)


def limb_heatmaps(
    keypoints: Tensor,
    scores: Tensor,
    limbs: Sequence[tuple[int, int]],
    size: tuple[int, int],
    sigma: float,
    memory: ReusedMemory | None = None,
) -> Tensor:
    """Draw each limb of each frame as a Gaussian ridge along the segment between its joints, one channel per limb.

    The peak is the smaller of the two confidences. A limb shorter than a pixel is drawn as its first joint.

    Args:
        keypoints, scores, size, sigma, memory: as in `joint_heatmaps`.
        limbs: E pairs (a, b) of joint indexes.
    Returns:
        (B, E, T, H, W) float32.
    Raises:
        ValueError: shapes disagree, a limb names a joint that does not exist, or sigma is not positive.
    """
    _check(keypoints, scores, sigma)
    num_clips, num_persons, num_frames, num_joints = scores.shape
    if not limbs or any(not 0 <= joint < num_joints for limb in limbs for joint in limb):
        raise ValueError(f"limbs must be pairs of joints in 0..{num_joints - 1}, got {limbs}")
    first, second = constant(tuple(map(tuple, limbs)), keypoints.device).T  # (E,) each
    scores = scores.float()
    # A missing joint may hold anything, even NaN.
    xy = torch.where(scores.unsqueeze(-1) >= MIN_SCORE, keypoints.float(), 0.0)
    frames = _frames(num_clips * num_frames, size, len(limbs), keypoints.device, memory)  # (B * T, H, W, E)
    for person in range(num_persons):
        points, confidence = xy[:, person].flatten(0, 1), scores[:, person].flatten(0, 1)  # (B * T, V, 2), (B * T, V)
        ends = points[:, first], points[:, second], confidence[:, first], confidence[:, second]
        ridges = limb_ridges(*ends, sigma)
        if _is_sparse(frames):
            draw_near(frames, ridges, sigma, merge=person > 0)
        else:
            draw_everywhere(frames, ridges, merge=person > 0)
    return frames.unflatten(0, (num_clips, num_frames)).permute(0, 4, 1, 2, 3)  # (B, E, T, H, W)


def _frames(
    num_frames: int, size: tuple[int, int], num_channels: int, device: torch.device, memory: ReusedMemory | None
) -> Tensor:
    shape = (num_frames, *size, num_channels)
    return torch.empty(shape, device=device) if memory is None else memory.empty(shape, device)


def _is_sparse(frames: Tensor) -> bool:
    """Whether to draw near the joints only. Not on a GPU, where every pixel is cheap and choosing some has to wait."""
    return frames.device.type == "cpu" and frames.shape[1] * frames.shape[2] >= LARGE_MAP


def _joints_everywhere(frames: Tensor, xy: Tensor, peaks: Tensor, sigma: float, merge: bool) -> None:
    """Draw joints (N, V, 2) with peaks (N, V) into frames (N, H, W, V), over the old values or by the larger value."""
    axes = []
    for axis, length in ((1, frames.shape[1]), (0, frames.shape[2])):
        pixels = torch.arange(length, device=frames.device)[:, None]
        axes.append(_axis_gaussian(pixels, xy[..., axis].unsqueeze(1), sigma))  # (N, H, V), (N, W, V)
    rows, columns = (axes[0] * peaks.unsqueeze(1)).unsqueeze(2), axes[1].unsqueeze(1)
    if merge:
        torch.maximum(frames, rows * columns, out=frames)
    else:
        torch.mul(rows, columns, out=frames)


def _joints_near(frames: Tensor, xy: Tensor, peaks: Tensor, sigma: float, merge: bool) -> None:
    """As `_joints_everywhere`, with work for the pixels around the joints alone."""
    height, width, num_joints = frames.shape[1:]
    xy = torch.where(peaks.unsqueeze(-1) > 0, xy, 0.0)  # a missing joint may hold anything, even NaN
    y, rows = _axis_patch(xy[..., 1], height, sigma)  # (n, N, V) each
    x, columns = _axis_patch(xy[..., 0], width, sigma)
    rows = rows * peaks
    step = max(1, NEAR_BYTES // frames[0].nbytes)
    origin = torch.arange(step)[:, None] * frames[0].numel() + torch.arange(num_joints)  # (step, V)
    for i in range(0, len(frames), step):
        part, frame = frames[i : i + step], slice(i, i + step)
        places = (y[:, frame] * (width * num_joints) + origin[: len(part)]).unsqueeze(1) + x[:, frame] * num_joints
        write_pixels(part, places, rows[:, frame].unsqueeze(1) * columns[:, frame], merge)


def _axis_patch(centre: Tensor, length: int, sigma: float) -> tuple[Tensor, Tensor]:
    """Pixels (n, *) of an axis that may be in the patch around each centre (*), and their Gaussians (n, *).

    Pixels outside the axis or the patch are replaced by the nearest one inside, or by one of value zero.
    """
    first, last = (bound.clamp_(0, length - 1) for bound in patch_bounds(centre, sigma))
    num_pixels = min(length, math.ceil(6 * sigma) + 2)
    pixels = torch.arange(num_pixels).view(-1, *[1] * centre.ndim) + first
    pixels = torch.minimum(pixels, last)
    return pixels.long(), _axis_gaussian(pixels, centre, sigma)


def _axis_gaussian(pixels: Tensor, centre: Tensor, sigma: float) -> Tensor:
    """One-dimensional Gaussians of peak 1 at pixels and centres that broadcast; zero outside the patch of a centre."""
    first, last = patch_bounds(centre, sigma)
    values = (pixels - centre).square_().mul_(-0.5 / sigma**2).exp_()
    return torch.where((pixels >= first) & (pixels <= last), values, 0.0)


def _check(keypoints: Tensor, scores: Tensor, sigma: float) -> None:
    if keypoints.ndim != 5 or keypoints.shape[-1] != 2 or scores.shape != keypoints.shape[:-1]:
        raise ValueError(
            f"expected keypoints (B, M, T, V, 2) and scores (B, M, T, V), got {tuple(keypoints.shape)} and "
            f"{tuple(scores.shape)}"
        )
    if not sigma > 0:
        raise ValueError(f"sigma must be positive, got {sigma}")
