"""Joint and limb heatmaps, drawn for a whole batch at once on the device of the joints.

Each joint becomes a Gaussian whose peak is the detector's confidence, cut off at three sigma; each limb the same around
the segment between two joints. Several persons share the channels: the larger value wins.

Source: PoseConv3D (arXiv 2104.13586), section 3.2, equations 1 and 2; the cut of the patches to whole pixels, the
threshold on scores and the rule for short limbs are those of pyskl, pyskl/datasets/pipelines/heatmap_related.py.
"""

import math

import torch
from torch import Tensor

MIN_SCORE = 1e-3  # a joint below this is not drawn
MIN_LIMB = 1.0  # pixels; a shorter limb is drawn as its first joint
CHUNK_BYTES = {"cpu": 1 << 19, "cuda": 1 << 28}  # per buffer in `limb_heatmaps`: a core's cache, or a slice of the GPU


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
    xy = keypoints.float().permute(1, 0, 3, 2, 4)  # (M, B, V, T, 2)
    peaks = scores.float().permute(1, 0, 3, 2).unsqueeze(-1)  # (M, B, V, T, 1)
    peaks = torch.where(peaks >= MIN_SCORE, peaks, 0.0)
    rows = _axis_gaussian(xy[..., 1], size[0], sigma) * peaks  # (M, B, V, T, H)
    columns = _axis_gaussian(xy[..., 0], size[1], sigma)  # (M, B, V, T, W)
    volume = rows[0].unsqueeze(-1) * columns[0].unsqueeze(-2)  # (B, V, T, H, W)
    for person in range(1, len(rows)):
        volume = torch.maximum(volume, rows[person].unsqueeze(-1) * columns[person].unsqueeze(-2))
    return volume


def limb_heatmaps(
    keypoints: Tensor, scores: Tensor, limbs: list[tuple[int, int]], size: tuple[int, int], sigma: float
) -> Tensor:
    """Draw each limb of each frame as a Gaussian ridge along the segment between its joints, one channel per limb.

    The peak is the smaller of the two confidences. The distance to a segment splits into the distance n from its line
    and the overshoot s past its ends, and both are sums of a term in x and a term in y, so that a pixel costs a few
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
    num_persons, num_joints = keypoints.shape[1], keypoints.shape[3]
    if not limbs or any(not 0 <= joint < num_joints for limb in limbs for joint in limb):
        raise ValueError(f"limbs must be pairs of joints in 0..{num_joints - 1}, got {limbs}")
    pairs = torch.as_tensor(limbs, device=keypoints.device)  # (E, 2)
    xy = keypoints.float().permute(1, 0, 3, 2, 4)  # (M, B, V, T, 2)
    joint_scores = scores.float().permute(1, 0, 3, 2)  # (M, B, V, T)
    xy = torch.where(joint_scores.unsqueeze(-1) >= MIN_SCORE, xy, 0.0)  # a missing joint may hold anything, even NaN
    start, end = xy[:, :, pairs[:, 0]], xy[:, :, pairs[:, 1]]  # (M, B, E, T, 2)
    peak = torch.minimum(joint_scores[:, :, pairs[:, 0]], joint_scores[:, :, pairs[:, 1]])  # (M, B, E, T)
    volume = torch.empty(*peak.shape[1:], *size, device=keypoints.device)  # (B, E, T, H, W)
    maps = volume.view(-1, *size)
    for person in range(num_persons):
        ends = start[person].reshape(-1, 2), end[person].reshape(-1, 2)
        start_peak = joint_scores[person][:, pairs[:, 0]].flatten()
        _draw_limbs(maps, *ends, start_peak, peak[person].flatten(), sigma, merge=person > 0)
    return volume


def _draw_limbs(
    maps: Tensor, start: Tensor, end: Tensor, start_peak: Tensor, peak: Tensor, sigma: float, merge: bool
) -> None:
    """Draw N limbs of one person into maps (N, H, W), over the old values or (merge) by their maximum."""
    height, width = maps.shape[-2:]
    drawn = peak >= MIN_SCORE
    length = (end - start).square().sum(-1).sqrt()  # (N,)
    short = length < MIN_LIMB
    peak = torch.where(short, start_peak, peak)
    end = torch.where(short[:, None], start, end)
    half = torch.where(short, 0.0, length / 2)
    direction = torch.where(
        short[:, None], start.new_tensor([1.0, 0.0]), (end - start) / length.clamp_min(MIN_LIMB)[:, None]
    )

    # Distances in units of sqrt(2) sigma, so that the map is exp(log peak - n^2 - s^2). Coordinates are taken from the
    # middle of the limb, where float32 is finest. A pixel outside the patch gets n = infinity and so the value zero.
    scale = 1 / (math.sqrt(2) * sigma)
    low, high = torch.minimum(start, end), torch.maximum(start, end)  # (N, 2)
    middle = (start + end) / 2
    u = _pixels(width, maps.device) - middle[:, :1]  # (N, W)
    v = _pixels(height, maps.device) - middle[:, 1:]  # (N, H)
    cos, sin = direction[:, :1] * scale, direction[:, 1:] * scale
    outside_u, outside_v = (
        ~_in_patch(low[:, 0], high[:, 0], width, sigma),
        ~_in_patch(low[:, 1], high[:, 1], height, sigma),
    )
    across_u = (-sin * u).masked_fill_(outside_u, math.inf).unsqueeze(1)  # (N, 1, W)
    across_v = (cos * v).masked_fill_(outside_v, math.inf).unsqueeze(2)  # (N, H, 1)
    along_u, along_v = (cos * u).unsqueeze(1), (sin * v).unsqueeze(2)
    reach = (half * scale)[:, None, None]
    log_peak = torch.where(drawn, peak, 0.0).log()[:, None, None]

    rows = max(1, CHUNK_BYTES.get(maps.device.type, 1 << 28) // (4 * height * width))
    for i in range(0, len(maps), rows):
        part = slice(i, i + rows)
        across = across_u[part] + across_v[part]  # (n, H, W)
        along = along_u[part] + along_v[part]
        along.sub_(torch.clamp(along, -reach[part], reach[part]))  # zero beside the limb, the overshoot past its ends
        exponent = torch.addcmul(log_peak[part], across, across, value=-1).addcmul_(along, along, value=-1)
        if merge:
            torch.maximum(maps[part], exponent.exp_(), out=maps[part])
        else:
            torch.exp(exponent, out=maps[part])


def flip_heatmaps(volume: Tensor, flip_index: list[int]) -> Tensor:
    """Mirror heatmaps (B, V, T, H, W) left to right; `flip_index[i]` is the channel that becomes channel i."""
    return volume[:, flip_index].flip(-1)


def _axis_gaussian(centre: Tensor, length: int, sigma: float) -> Tensor:
    """One-dimensional Gaussians with peak 1 around centre (...), zero outside their patch: (..., length)."""
    offsets = _pixels(length, centre.device) - centre.unsqueeze(-1)
    values = offsets.square_().mul_(-0.5 / sigma**2).exp_()
    return torch.where(_in_patch(centre, centre, length, sigma), values, 0.0)


def _in_patch(low: Tensor, high: Tensor, length: int, sigma: float) -> Tensor:
    """Which pixels of an axis lie from three sigma before `low` to three sigma behind `high`: (..., length) bool.

    The ends are cut towards zero, not down: a patch that ends less than a pixel before the image still gets pixel 0.
    """
    pixels = _pixels(length, low.device)
    first = (low - 3 * sigma).trunc().unsqueeze(-1)
    last = (high + 3 * sigma).trunc().unsqueeze(-1)
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
