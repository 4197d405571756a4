"""One annotation of a pyskl pickle: what may be wrong with it, and its joints.

keypoint is (M, T, V, 2) with keypoint_score (M, T, V), or (M, T, V, 3) with the score as third value where there is no
keypoint_score. M may be 0: the detector found nobody. Source: pyskl's documentation.
"""

import numpy as np

from recordings.joint_units import are_scores
from recordings.recording import clean_joints

# Joints may lie outside the picture, legs most of all; a person's middle does not.
OUTSIDE_SHARE = 0.05


def fault_of(annotation: dict) -> str:
    """What keeps this annotation from being used, or ''."""
    return _joints_fault(annotation) or _label_fault(annotation.get("label")) or _size_fault(annotation)


def joints_of(annotation: dict) -> np.ndarray:
    """(T, M, V, 3) float32: x, y, score; missing points 0, 0, 0. M is at least 1."""
    keypoint = np.asarray(annotation["keypoint"], np.float32)
    score = annotation.get("keypoint_score")
    score = keypoint[..., 2] if score is None else np.asarray(score, np.float32)
    if not len(keypoint):
        return np.zeros((keypoint.shape[1], 1, keypoint.shape[2], 3), np.float32)
    return clean_joints(keypoint[..., 0], keypoint[..., 1], score).transpose(1, 0, 2, 3)


def size_of(annotation: dict) -> tuple[int, int] | None:
    """(width, height) of the picture, None where the annotation does not say it."""
    size = annotation.get("img_shape")
    return None if size is None else (int(size[1]), int(size[0]))


def may_be_exchanged(joints: np.ndarray, width: int, height: int) -> bool:
    """Whether many joints (T, M, V, 3) lie outside the picture, and none outside one of exchanged sides."""
    points = joints[joints[..., 2] > 0]
    return _outside(points, width, height) > OUTSIDE_SHARE and _outside(points, height, width) == 0


def is_integer(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _joints_fault(annotation: dict) -> str:
    keypoint, score = annotation.get("keypoint"), annotation.get("keypoint_score")
    if not isinstance(keypoint, np.ndarray) or keypoint.dtype.kind not in "fiu":
        return "keypoint is not an array of numbers"
    shape = keypoint.shape
    if len(shape) != 4 or shape[3] not in (2, 3) or 0 in shape[1:]:
        return f"keypoint has shape {shape}, expected (persons, frames, joints, 2 or 3) with a frame and a joint"
    total = annotation.get("total_frames", shape[1])
    if not isinstance(total, int | float | np.number) or total != shape[1]:
        return f"total_frames is {total!r}, but keypoint has {shape[1]} frames"
    if score is None and shape[3] == 3:
        third = keypoint[..., 2]
        if not are_scores(keypoint[..., 0], keypoint[..., 1], third):
            return (
                f"the third value of keypoint goes from {np.nanmin(third):g} to {np.nanmax(third):g}, which is no "
                "score in [0, 1]; expected x, y in pixels and a score, project 3D joints to the picture and give "
                "keypoint_score"
            )
        return ""
    if not (isinstance(score, np.ndarray) and score.dtype.kind in "fiu" and score.shape == shape[:3]):
        got = f"shape {score.shape}" if isinstance(score, np.ndarray) else f"type {type(score).__name__}"
        return f"keypoint_score has {got}, expected an array of shape {shape[:3]} as keypoint has {shape}"
    return ""


def _label_fault(label: object) -> str:
    return "" if is_integer(label) else f"label is {label!r}, expected an integer"


def _size_fault(annotation: dict) -> str:
    size = annotation.get("img_shape")
    if size is None:
        return ""
    is_list = isinstance(size, tuple | list) or (isinstance(size, np.ndarray) and size.ndim == 1)
    if not is_list or len(size) != 2 or not all(isinstance(side, int | float | np.number) for side in size):
        return f"img_shape is {size!r}, expected (height, width)"
    if not all(1 <= side < np.inf for side in size):
        return f"img_shape is {size!r}, expected (height, width) of at least one pixel"
    height, width = int(size[0]), int(size[1])
    middles = _middles(joints_of(annotation))
    if _outside(middles, width, height) > 0.5:
        hint = "; height and width seem to be exchanged" if _outside(middles, height, width) == 0 else ""
        return f"img_shape {tuple(size)} is (height, width), but the person is outside that picture{hint}"
    return ""


def _middles(joints: np.ndarray) -> np.ndarray:
    """(N, 2) mean position of the joints of each person in each frame; joints: (T, M, V, 3)."""
    is_present = joints[..., 2:] > 0
    count = is_present.sum(-2)  # (T, M, 1)
    middles = (joints[..., :2] * is_present).sum(-2) / np.maximum(count, 1)
    return middles[count[..., 0] > 0]


def _outside(points: np.ndarray, width: int, height: int) -> float:
    """Share of points (N, 2 or more) outside a picture; 0 without points."""
    if not len(points):
        return 0.0
    return float(((points[:, :2] < 0) | (points[:, :2] > (width, height))).any(1).mean())
