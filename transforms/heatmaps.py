"""Joint and limb heatmaps, drawn for a whole batch at once on the device of the joints.

Each joint becomes a Gaussian whose peak is the detector's confidence, cut off at three sigma; each limb the same around
the segment between two joints. Several persons share the channels: the larger value wins.

Volumes are (B, V, T, H, W) and lie channels-last in memory, the layout in which 3D convolutions run fastest.

Source: PoseConv3D (arXiv 2104.13586), section 3.2, equations 1 and 2; the cut of the patches to whole pixels, the
threshold on scores and the rule for short limbs are those of pyskl, pyskl/datasets/pipelines/heatmap_related.py.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import threshold_

MIN_SCORE = 1e-3  # a joint below this is not drawn
MIN_LIMB = 1.0  # pixels; a shorter limb is drawn as its first joint
NOTHING = 1e-20  # a ridge is zero below twice this; exponentials that underflow are ten times slower on a CPU
CHUNK_BYTES = {"cpu": 1 << 20, "cuda": 1 << 28}  # per buffer in `limb_heatmaps`: a core's cache, or a slice of the GPU


def joint_heatmaps(keypoints: Tensor, scores: Tensor, size: tuple[int, int], sigma: float) -> Tensor:
    """Draw each joint of each frame as a small Gaussian, one channel per joint.

    A Gaussian on a grid is the outer product of two one-dimensional ones, so that exponentials are taken along the axes
    only and a pixel costs one multiplication.

    Args:
        keypoints: (B, M, T, V, 2) float, x then y, in heatmap pixels; pixel (v, u) has its centre at y = v, x = u.
        scores: (B, M, T, V) confidence in [0, 1], the height of the peak; below 0.001 the joint is not drawn.
        size: (H, W) in heatmap pixels.
        sigma: standard deviation in heatmap pixels.
    Returns:
        (B, V, T, H, W) float32, zero where nothing was drawn.
    Raises:
        ValueError: shapes disagree, or sigma is not positive.
    """
    _check(keypoints, scores, sigma)
    xy, scores = keypoints.float(), scores.float()
    peaks = torch.where(scores >= MIN_SCORE, scores, 0.0).unsqueeze(-2)  # (B, M, T, 1, V)
    rows = (_axis_gaussian(xy[..., 1], size[0], sigma) * peaks).unsqueeze(-2)  # (B, M, T, H, 1, V)
    columns = _axis_gaussian(xy[..., 0], size[1], sigma).unsqueeze(-3)  # (B, M, T, 1, W, V)
    volume = rows[:, 0] * columns[:, 0]  # (B, T, H, W, V)
    for person in range(1, keypoints.shape[1]):
        volume = torch.maximum(volume, rows[:, person] * columns[:, person])
    return volume.permute(0, 4, 1, 2, 3)  # (B, V, T, H, W)


def limb_heatmaps(
    keypoints: Tensor, scores: Tensor, limbs: Sequence[tuple[int, int]], size: tuple[int, int], sigma: float
) -> Tensor:
    """Draw each limb of each frame as a Gaussian ridge along the segment between its joints, one channel per limb.

    The peak is the smaller of the two confidences. The distance to a segment splits into the distance from its line and
    the overshoot past its ends. Both come from sums of a term in x and a term in y, so that a pixel costs a few
    additions and one exponential. A limb shorter than a pixel is drawn as its first joint.

    Args:
        keypoints, scores, size, sigma: as in `joint_heatmaps`.
        limbs: E pairs (a, b) of joint indexes.
    Returns:
        (B, E, T, H, W) float32.
    Raises:
        ValueError: shapes disagree, a limb names a joint that does not exist, or sigma is not positive.
    """
    _check(keypoints, scores, sigma)
    num_frames, num_joints = keypoints.shape[2:4]
    if not limbs or any(not 0 <= joint < num_joints for limb in limbs for joint in limb):
        raise ValueError(f"limbs must be pairs of joints in 0..{num_joints - 1}, got {limbs}")
    first, second = torch.as_tensor(limbs, device=keypoints.device).T  # (E,) each
    scores = scores.float()
    # A missing joint may hold anything, even NaN.
    xy = torch.where(scores.unsqueeze(-1) >= MIN_SCORE, keypoints.float(), 0.0)
    frames = torch.empty(len(keypoints) * num_frames, *size, len(limbs), device=keypoints.device)  # (B * T, H, W, E)
    for person in range(keypoints.shape[1]):
        points, confidence = xy[:, person].flatten(0, 1), scores[:, person].flatten(0, 1)  # (B * T, V, 2), (B * T, V)
        ends = points[:, first], points[:, second], confidence[:, first], confidence[:, second]
        _draw_limbs(frames, *ends, sigma, merge=person > 0)
    return frames.unflatten(0, (len(keypoints), num_frames)).permute(0, 4, 1, 2, 3)  # (B, E, T, H, W)


def flip_heatmaps(volume: Tensor, flip_index: Sequence[int]) -> Tensor:
    """Mirror heatmaps (B, V, T, H, W) left to right; `flip_index[i]` is the channel that becomes channel i."""
    return volume[:, torch.as_tensor(flip_index, device=volume.device)].flip(-1)


def _draw_limbs(
    frames: Tensor, start: Tensor, end: Tensor, start_score: Tensor, end_score: Tensor, sigma: float, merge: bool
) -> None:
    """Draw one person's limbs into frames (N, H, W, E), over the old values or (merge) by the larger value.

    Args:
        start, end: (N, E, 2) pixels. start_score, end_score: (N, E).
    """
    height, width = frames.shape[1:3]
    length = (end - start).square().sum(-1).sqrt()  # (N, E)
    short = length < MIN_LIMB
    peak = torch.minimum(start_score, end_score)
    peak = torch.where(peak >= MIN_SCORE, torch.where(short, start_score, peak), 0.0)
    direction = (end - start) / length.clamp_min(MIN_LIMB).unsqueeze(-1)
    direction = torch.where(short.unsqueeze(-1), start.new_tensor([1.0, 0.0]), direction)
    end = torch.where(short.unsqueeze(-1), start, end)

    # Distances in units of sqrt(2) sigma: a pixel gets exp(log peak - across^2 - beyond^2). Coordinates are taken from
    # the middle of the limb, where float32 is finest. Outside the patch `across` is infinite, which makes it nothing.
    direction = direction / (math.sqrt(2) * sigma)
    reach = torch.where(short, 0.0, length / 2) / (math.sqrt(2) * sigma)
    low, high, middle = torch.minimum(start, end), torch.maximum(start, end), (start + end) / 2  # (N, E, 2) each
    u = _pixels(width, frames.device)[:, None] - middle[:, None, :, 0]  # (N, W, E)
    v = _pixels(height, frames.device)[:, None] - middle[:, None, :, 1]  # (N, H, E)
    cos, sin = direction[:, None, :, 0], direction[:, None, :, 1]
    across_u = (-sin * u).masked_fill_(~_in_patch(low[..., 0], high[..., 0], width, sigma), math.inf)
    across_v = (cos * v).masked_fill_(~_in_patch(low[..., 1], high[..., 1], height, sigma), math.inf)
    across_u, across_v, along_u, along_v = (
        across_u.unsqueeze(1), across_v.unsqueeze(2), (cos * u).unsqueeze(1), (sin * v).unsqueeze(2)
    )  # fmt: skip
    reach, log_peak = reach[:, None, None], peak.log()[:, None, None]

    step = max(1, CHUNK_BYTES.get(frames.device.type, CHUNK_BYTES["cuda"]) // frames[0].nbytes)
    for i in range(0, len(frames), step):
        part = slice(i, i + step)
        across = across_u[part] + across_v[part]  # (n, H, W, E)
        beyond = along_u[part] + along_v[part]
        beyond.sub_(torch.clamp(beyond, -reach[part], reach[part]))  # zero beside the limb
        ridge = torch.addcmul(log_peak[part], across, across, value=-1).addcmul_(beyond, beyond, value=-1)
        threshold_(ridge.clamp_min_(math.log(NOTHING)).exp_(), 2 * NOTHING, 0.0)
        if merge:
            torch.maximum(frames[part], ridge, out=frames[part])
        else:
            frames[part] = ridge


def _axis_gaussian(centre: Tensor, length: int, sigma: float) -> Tensor:
    """One-dimensional Gaussians of peak 1 around centre (..., V), zero outside their patch: (..., length, V)."""
    offsets = _pixels(length, centre.device)[:, None] - centre.unsqueeze(-2)
    values = offsets.square_().mul_(-0.5 / sigma**2).exp_()
    return torch.where(_in_patch(centre, centre, length, sigma), values, 0.0)


def _in_patch(low: Tensor, high: Tensor, length: int, sigma: float) -> Tensor:
    """Which pixels of an axis lie from 3 sigma before `low` to 3 sigma behind `high` (..., V): (..., length, V) bool.

    The ends are cut towards zero, not down: a patch that ends less than a pixel before the image still gets pixel 0.
    """
    pixels = _pixels(length, low.device)[:, None]
    first = (low - 3 * sigma).trunc().unsqueeze(-2)
    last = (high + 3 * sigma).trunc().unsqueeze(-2)
    return (pixels >= first) & (pixels <= last)


def _pixels(length: int, device: torch.device) -> Tensor:
    return torch.arange(length, device=device, dtype=torch.float32)


def _check(keypoints: Tensor, scores: Tensor, sigma: float) -> None:
    if keypoints.ndim != 5 or keypoints.shape[-1] != 2 or scores.shape != keypoints.shape[:-1]:
        raise ValueError(
            f"expected keypoints (B, M, T, V, 2) and scores (B, M, T, V), got {tuple(keypoints.shape)} and "
            f"{tuple(scores.shape)}"
        )
    if not sigma > 0:
        raise ValueError(f"sigma must be positive, got {sigma}")
