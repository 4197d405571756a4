"""The plainest token of a frame: where the joints are and how they move, in units of the body.

Heatmaps of eight frames say little about posture and slow movement on small sets; these numbers stand beside them.
Source: the skeleton stream of MiGA 2023 track 2 feeds graph features to the same detector; the form here is ours.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from miga.skeletons import Skeleton
from miga.transforms.crop import is_present
from miga.transforms.joints import fill_gaps
from spotting.views import View

STEPS = (3, 8)  # frames to either side between which movement is measured
UNIT_WINDOW = 61  # frames over which the body's size is the median: people walk nearer and away
LIMIT = 4.0  # body units; beyond it a detector has lost the joint


def pose_tokens(joints: NDArray, view: View, skeleton: Skeleton) -> NDArray[np.float32]:
    """Describe the first person of each frame.

    Args:
        joints: (T, M, V, 3) in pixels, of a video already at the view's speed; missing = 0, 0, 0.
        view: mirrored, turned, zoomed and stretched as the heatmaps are.
    Returns:
        (T, D) float32: positions of the joints about the centre joint, their movements over each of STEPS, those of the
        centre joint itself, the change of the body's size, and whether anybody is there; a missing joint keeps its
        last place. Zeros where nobody is.
    """
    person = np.asarray(joints[:, 0], np.float32)  # (T, V, 3)
    seen = is_present(person)  # (T, V)
    xy = fill_gaps(person[..., :2], seen)  # (T, V, 2)
    is_there = seen.any(1)
    unit = _body_unit(xy, seen, skeleton)  # (T,) pixels
    if view.mirror:
        xy = xy[:, skeleton.flip_index] * np.array([-1, 1], np.float32)
    stretch = view.zoom * np.array([view.aspect**0.5, view.aspect**-0.5])
    cos, sin = np.cos(view.rotation), np.sin(view.rotation)
    xy = (xy * stretch) @ np.array([[cos, sin], [-sin, cos]])
    centre = xy[:, skeleton.center]
    others = np.arange(skeleton.num_joints) != skeleton.center
    pose = ((xy - centre[:, None])[:, others] / unit[:, None, None]).reshape(len(xy), -1)
    columns = [pose]
    for step in STEPS:
        columns += [2 * _movement(pose, step), 2 * _movement(centre, step) / unit[:, None]]
    columns += [5 * _movement(np.log(unit)[:, None], max(STEPS)), np.ones((len(xy), 1))]
    tokens = np.concatenate(columns, axis=1).clip(-LIMIT, LIMIT)
    return (tokens * np.expand_dims(is_there, 1)).astype(np.float32)


def _body_unit(xy: NDArray, seen: NDArray[np.bool_], skeleton: Skeleton) -> NDArray[np.float64]:
    """Size of the body in each frame, (T,) pixels: four limbs of mean length, the median over UNIT_WINDOW frames."""
    children = np.flatnonzero(skeleton.parents != np.arange(skeleton.num_joints))
    parents = skeleton.parents[children]
    lengths = np.linalg.norm(xy[:, children] - xy[:, parents], axis=-1).mean(1)
    lengths[~(seen[:, children] & seen[:, parents]).any(1)] = np.nan
    smooth = pd.Series(4 * lengths).rolling(UNIT_WINDOW, center=True, min_periods=1).median().ffill().bfill()
    return np.maximum(smooth.fillna(100.0).to_numpy(), 1.0)  # nobody is ever there: any size will do


def _movement(values: NDArray, step: int) -> NDArray:
    """(T, C): the difference between `step` frames later and earlier; 0 at either end."""
    moved = np.zeros_like(values)
    if len(values) > 2 * step:
        moved[step:-step] = values[2 * step :] - values[: -2 * step]
    return moved
