"""Gaussian ridges around limbs: what one is made of, and two ways to draw many that give the same values.

`draw_everywhere` computes every pixel, in steps without a branch, which is what a GPU and small maps like best.
`draw_near` computes only tiles of a few pixels that a ridge reaches: a quarter of a 64-pixel map and less.

The distance to a segment splits into the distance from its line (across) and the overshoot past its ends (beyond). Both
come from sums of a term in x and a term in y, so that a pixel costs a few additions and one exponential.
"""

import math

import torch
from torch import Tensor
from torch.nn.functional import threshold_  # type: ignore[attr-defined]

MIN_SCORE = 1e-3  # a joint below this is not drawn
MIN_LIMB = 1.0  # pixels; a shorter limb is drawn as its first joint
NOTHING = 1e-20  # a ridge is zero below twice this; exponentials that underflow are ten times slower on a CPU
EVERYWHERE_BYTES = {"cpu": 1 << 20, "cuda": 1 << 28}  # per buffer: a core's cache, or a slice of the GPU
NEAR_BYTES = 6 << 20  # of frames drawn at a time, so that they are in the cache
TILE = 5  # pixels, side; 4 to 8 take about as long


def limb_ridges(start: Tensor, end: Tensor, start_score: Tensor, end_score: Tensor, sigma: float) -> Tensor:
    """Ten numbers a limb, from which its ridge is drawn.

    Args:
        start, end: (N, E, 2) pixels. start_score, end_score: (N, E).
        sigma: standard deviation in heatmap pixels.
    Returns:
        (10, N, E): the limb's middle x, y, around which float32 is finest; its direction cos, sin and half its length,
        in units of sqrt(2) sigma, so that a pixel gets exp(log peak - across^2 - beyond^2); log peak, minus infinity
        where nothing is drawn; first pixel x, y and last pixel x, y of its patch, which may lie outside the map.
    """
    length = (end - start).square().sum(-1).sqrt()  # (N, E)
    short = length < MIN_LIMB
    peak = torch.minimum(start_score, end_score)
    peak = torch.where(peak >= MIN_SCORE, torch.where(short, start_score, peak), 0.0)
    direction = (end - start) / length.clamp_min(MIN_LIMB).unsqueeze(-1)
    direction = torch.where(short.unsqueeze(-1), start.new_tensor([1.0, 0.0]), direction)
    end = torch.where(short.unsqueeze(-1), start, end)
    unit = math.sqrt(2) * sigma
    reach = torch.where(short, 0.0, length / 2) / unit
    first, _ = patch_bounds(torch.minimum(start, end), sigma)
    _, last = patch_bounds(torch.maximum(start, end), sigma)
    middle = (start + end) / 2
    along = (direction / unit).unbind(-1)
    return torch.stack([*middle.unbind(-1), *along, reach, peak.log(), *first.unbind(-1), *last.unbind(-1)])


def patch_bounds(centre: Tensor, sigma: float) -> tuple[Tensor, Tensor]:
    """First and last pixel of a patch: three sigma to either side.

    The ends are cut towards zero, not down: a patch that ends less than a pixel before the image still gets pixel 0.
    """
    return (centre - 3 * sigma).trunc(), (centre + 3 * sigma).trunc()


def draw_everywhere(frames: Tensor, ridges: Tensor, merge: bool) -> None:
    """Draw ridges (10, N, E) into frames (N, H, W, E), over the old values or (merge) by the larger value."""
    y, x = (torch.arange(length, device=frames.device)[:, None] for length in frames.shape[1:3])
    step = max(1, EVERYWHERE_BYTES.get(frames.device.type, EVERYWHERE_BYTES["cuda"]) // frames[0].nbytes)
    for part, table in zip(frames.split(step), ridges.unsqueeze(2).split(step, 1), strict=True):
        across_x, along_x, across_y, along_y = _axis_terms(x, y, table)  # (n, W, E) twice, (n, H, E) twice
        across = across_x.unsqueeze(1) + across_y.unsqueeze(2)  # (n, H, W, E)
        along = along_x.unsqueeze(1) + along_y.unsqueeze(2)
        values = _values(across, along, table.unsqueeze(2))
        if merge:
            torch.maximum(part, values, out=part)
        else:
            part.copy_(values)


def draw_near(frames: Tensor, ridges: Tensor, sigma: float, merge: bool) -> None:
    """As `draw_everywhere`, with work for the tiles alone that a ridge reaches.

    Tiles that would leave the map are moved back into it; a pixel in two tiles gets the same value twice.
    """
    height, width, num_limbs = frames.shape[1:]
    tile_height, tile_width = min(TILE, height), min(TILE, width)
    top, left = _tile_starts(height, tile_height), _tile_starts(width, tile_width)
    # How far across the middle of a tile may lie: where a ridge ends, and half a tile (`reach`: rounding errors).
    limit = 1.01 * math.sqrt(-math.log(NOTHING)) + math.hypot(tile_height - 1, tile_width - 1) / 2 / (
        math.sqrt(2) * sigma
    )
    step = max(1, NEAR_BYTES // frames[0].nbytes)
    origin = (torch.arange(step)[:, None] * frames[0].numel() + torch.arange(num_limbs)).flatten()  # (n * E,)
    for part, table in zip(frames.split(step), ridges.split(step, 1), strict=True):
        table = table.flatten(1)  # (10, n * E)
        middle_x, middle_y, cos, sin, reach, log_peak, first_x, first_y, last_x, last_y = table
        across_x = sin * (left + (tile_width - 1) / 2 - middle_x)  # (tiles in a row, n * E)
        across_y = cos * (top + (tile_height - 1) / 2 - middle_y)
        in_row = (left <= last_x) & (left + tile_width > first_x) & (log_peak > -math.inf)
        in_column = (top <= last_y) & (top + tile_height > first_y)
        is_near = (
            across_y.unsqueeze(1) - across_x
        ).abs_() < limit + 1e-6 * reach  # (tiles in a column, tiles in a row, n * E)
        row, column, limb = (is_near & in_column.unsqueeze(1) & in_row).nonzero(as_tuple=True)  # k tiles

        table = table.index_select(1, limb)  # (10, k)
        x = left[column, 0] + torch.arange(tile_width)[:, None]  # (w, k)
        y = top[row, 0] + torch.arange(tile_height)[:, None]  # (h, k)
        across_x, along_x, across_y, along_y = _axis_terms(x, y, table)
        values = _values(across_x + across_y.unsqueeze(1), along_x + along_y.unsqueeze(1), table)  # (h, w, k)
        places = (y * (width * num_limbs) + origin[limb]).unsqueeze(1) + x * num_limbs
        write_pixels(part, places, values, merge)


def write_pixels(frames: Tensor, places: Tensor, values: Tensor, merge: bool) -> None:
    """Clear frames and set the pixels at flat `places` to `values`; or (merge) raise them to these where smaller.

    A place may occur more than once, with the same value.
    """
    flat, places, values = frames.view(-1), places.view(-1), values.view(-1)
    if merge:
        values = torch.maximum(values, flat[places])
    else:
        flat.zero_()
    flat.scatter_(0, places, values)  # four times as fast as index_put_


def _axis_terms(x: Tensor, y: Tensor, ridges: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Terms of pixels in x and y: across and along the limb's line; outside the patch, infinitely far across."""
    middle_x, middle_y, cos, sin, _, _, first_x, first_y, last_x, last_y = ridges
    u, v = x - middle_x, y - middle_y
    across_x = (-sin * u).masked_fill_((x < first_x) | (x > last_x), math.inf)
    across_y = (cos * v).masked_fill_((y < first_y) | (y > last_y), math.inf)
    return across_x, cos * u, across_y, sin * v


def _values(across: Tensor, along: Tensor, ridges: Tensor) -> Tensor:
    """Values of pixels; `along` is overwritten."""
    reach, log_peak = ridges[4], ridges[5]
    beyond = along.sub_(torch.clamp(along, -reach, reach))  # zero beside the limb
    values = torch.addcmul(log_peak, across, across, value=-1).addcmul_(beyond, beyond, value=-1)
    return threshold_(values.clamp_min_(math.log(NOTHING)).exp_(), 2 * NOTHING, 0.0)


def _tile_starts(length: int, tile: int) -> Tensor:
    """First pixels (n, 1) of tiles that cover an axis; the last tile ends with it."""
    return torch.arange(0, length, tile).clamp_max_(length - tile)[:, None]
