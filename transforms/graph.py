"""From a clip's joints to what a graph network takes: a window of it, resized in time, turned and centred.

Source: InfoGCN's input (stnoah1/infogcn, feeders/tools.py) for the window, the resizing and the rotation; Hyperformer's
joint stream for the centring. Unlike those, a point that was not detected (0, 0, 0) never takes part in a mean, a
resizing or a shift: it arrives in the network as zeros, score included.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datasets.skeletons import Skeleton
from transforms.crop import is_present


@dataclass(frozen=True)
class GraphAugment:
    """What training does to a clip at random. The published values are the defaults."""

    crop: tuple[float, float] = (0.5, 1.0)  # share of the clip that the window keeps
    min_frames: int = 64  # no window is shorter than this (or than the clip)
    rotation: float = 0.3  # radians to either side, in the picture plane
    scale: float = 0.0  # size factor is 1 +- this, x and y together
    flip: float = 0.0  # how often left and right change places


TEST_CROP = 0.95  # share of the clip that testing keeps, from its middle
STREAM_CHANNELS = {"joint": 3, "bone": 2, "motion": 2, "bonemotion": 2, "score": 1}  # numbers per joint
MOTION_SCALE = 4.0  # frame-to-frame steps are small beside positions


def random_window(num_frames: int, augment: GraphAugment, rng: np.random.Generator) -> slice:
    """A random part of the clip, at least `min_frames` long where the clip is."""
    share = rng.uniform(*augment.crop)
    length = min(max(int(num_frames * share), augment.min_frames, 1), num_frames)
    start = int(rng.integers(num_frames - length + 1))
    return slice(start, start + length)


def middle_window(num_frames: int, share: float = TEST_CROP) -> slice:
    """The middle of the clip: the same number of frames falls off at either end."""
    margin = int((1 - share) * num_frames / 2)
    return slice(margin, num_frames - margin)


def resize_time(joints: NDArray, length: int) -> NDArray[np.float32]:
    """Stretch or shrink a clip to `length` frames, linearly between the two nearest frames.

    Where only one of the two frames has the point, its position is taken as it is; where neither has, it is missing.
    With every point present this is bilinear interpolation with unaligned corners.

    Args:
        joints: (T, M, V, 3), T at least 1.
        length: frames wanted.
    Returns:
        (length, M, V, 3) float32.
    """
    num_frames = len(joints)
    if num_frames < 1 or length < 1:
        raise ValueError(f"a clip needs at least one frame before and after resizing, got {num_frames} and {length}")
    position = np.clip((np.arange(length) + 0.5) * num_frames / length - 0.5, 0, num_frames - 1)
    before = position.astype(np.int64)
    after = np.minimum(before + 1, num_frames - 1)
    share = (position - before).astype(np.float32)[:, None, None]  # (length, 1, 1)
    present = is_present(joints)  # (T, M, V)
    weight_before, weight_after = (1 - share) * present[before], share * present[after]  # 2 of (length, M, V)
    total = weight_before + weight_after
    summed = weight_before[..., None] * joints[before] + weight_after[..., None] * joints[after]
    return (summed / np.where(total > 0, total, 1)[..., None]).astype(np.float32)


def normalise(joints: NDArray[np.float32], width: float, height: float) -> NDArray[np.float32]:
    """Pixels to picture units: the centre is 0, the longer side is -1 to 1, angles stay. Missing points stay 0."""
    middle = np.array([width / 2, height / 2], dtype=np.float32)
    out = joints.copy()
    out[..., :2] = (joints[..., :2] - middle) * (2 / max(width, height))
    return out * is_present(joints)[..., None]


def normalise_by_body(joints: NDArray[np.float32], skeleton: Skeleton) -> NDArray[np.float32]:
    """Pixels to body units, so that a person far from the camera looks like one close by. Missing points stay 0.

    The median point of the clip is 0; four times the mean over the limbs of their median length in the clip is 1. The
    median leaves out the limbs of single frames that a detector threw far away.
    """
    present, parents = is_present(joints), skeleton.parents
    if not present.any():
        return joints * 0
    children = np.flatnonzero(parents != np.arange(skeleton.num_joints))
    both = present[:, :, children] & present[:, :, parents[children]]  # (T, M, E)
    lengths = np.linalg.norm(joints[:, :, children, :2] - joints[:, :, parents[children], :2], axis=-1)
    medians = limb_medians(lengths, both)
    unit = max(4 * float(np.mean(medians)), 1.0) if len(medians) else 100.0  # pixels; a lone joint has no size
    out = joints.copy()
    out[..., :2] = (joints[..., :2] - np.median(joints[present][:, :2], axis=0)) / unit
    return out * present[..., None]


def limb_medians(lengths: NDArray[np.float32], both: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Median over frames and people of each limb's length, of the limbs that were ever complete.

    One sort for all limbs; this runs for every clip of every epoch.

    Args:
        lengths: (T, M, E).
        both: (T, M, E), whether both ends are present.
    Returns:
        (up to E,).
    """
    lengths, both = lengths.reshape(-1, lengths.shape[-1]), both.reshape(-1, both.shape[-1])
    counts = both.sum(axis=0)  # (E,)
    ordered = np.sort(np.where(both, lengths, np.inf), axis=0)
    lower, upper = ((counts - 1) // 2).clip(min=0), counts // 2
    limbs = np.flatnonzero(counts > 0)
    return (ordered[lower[limbs], limbs] + ordered[upper[limbs], limbs]) / 2


def turn(joints: NDArray[np.float32], angle: float, scale: float = 1.0) -> NDArray[np.float32]:
    """Rotate by `angle` radians about the origin, and scale. Missing points stay 0."""
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    out = joints.copy()
    out[..., :2] = joints[..., :2] @ np.array([[cos, sin], [-sin, cos]], dtype=np.float32)
    return out


def mirror(joints: NDArray[np.float32], skeleton: Skeleton) -> NDArray[np.float32]:
    """Change left and right about the vertical axis x = 0."""
    out = joints[..., skeleton.flip_index, :].copy()
    out[..., 0] *= -1
    return out


def center_on_joint(joints: NDArray[np.float32], center: int) -> NDArray[np.float32]:
    """Give every joint relative to the centre joint of its frame; the centre's own slot keeps its trajectory.

    A person whose centre is missing in a frame is centred where the centre was last seen, or first will be; one whose
    centre is never seen is left as it is.

    Args:
        joints: (T, M, V, 3).
    Returns:
        (T, M, V, 3); missing points stay 0.
    """
    present = is_present(joints)  # (T, M, V)
    path = fill_gaps(joints[:, :, center, :2], present[:, :, center])  # (T, M, 2)
    out = joints.copy()
    others = np.arange(joints.shape[2]) != center
    out[:, :, others, :2] -= path[:, :, None]
    return out * present[..., None]


def fill_gaps(path: NDArray[np.float32], present: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Hold each person's last seen position through gaps, and the first seen one before it.

    Args:
        path: (T, M, 2).
        present: (T, M).
    Returns:
        (T, M, 2); zeros for a person who is never seen.
    """
    frames = np.arange(len(path))[:, None]
    last = np.maximum.accumulate(np.where(present, frames, -1), axis=0)  # (T, M)
    first = present.argmax(axis=0)  # (M,)
    source = np.where(last < 0, first, last)
    return np.take_along_axis(path, source[..., None], axis=0) * present.any(axis=0)[:, None]


def bones(joints: NDArray[np.float32], skeleton: Skeleton, keep_path: bool = False) -> NDArray[np.float32]:
    """(T, M, V, 3) -> (T, M, V, 2): child minus parent; 0 where either is missing.

    The centre has no bone: its slot is 0, or with `keep_path` its position (Hyperformer's feeders keep it).
    """
    present, parents = is_present(joints), skeleton.parents
    both = present & present[:, :, parents]
    difference = (joints[..., :2] - joints[:, :, parents, :2]) * both[..., None]
    difference[:, :, skeleton.center] = joints[:, :, skeleton.center, :2] if keep_path else 0
    return difference


def motion(joints: NDArray[np.float32]) -> NDArray[np.float32]:
    """(T, M, V, 3) -> (T, M, V, 2): the step to the next frame; 0 in the last and where either is missing."""
    present = is_present(joints)
    step = np.zeros_like(joints[..., :2])
    step[:-1] = (joints[1:, ..., :2] - joints[:-1, ..., :2]) * (present[1:] & present[:-1])[..., None]
    return step


@dataclass(frozen=True)
class GraphTransform:
    """A clip's joints -> a graph network's input.

    `streams` chooses what each joint carries, in this order: joint (x, y, score, centred), bone (x, y from its parent),
    motion (x, y to the next frame, times MOTION_SCALE), bonemotion (the same of the bone), score. One stream alone is
    the published form (the score beside it, where it is not joint); several are joined.
    """

    skeleton: Skeleton
    num_frames: int = 64
    augment: GraphAugment = GraphAugment()
    streams: tuple[str, ...] = ("joint",)
    unit: str = "picture"  # picture: lengths in shares of the picture, as published; body: of the person's limbs
    keep_path: bool = False  # bone streams: whether the centre's slot carries its position (or its motion), or 0
    flip_views: bool = False  # the test view also mirrored

    @property
    def num_channels(self) -> int:
        return sum(STREAM_CHANNELS[stream] for stream in self.streams)

    def train_view(self, joints: NDArray, width: float, height: float, rng: np.random.Generator) -> dict[str, NDArray]:
        """One random view of a clip.

        Args:
            joints: (T, M, V, 3) x and y in pixels, score; missing points are 0, 0, 0.
            width, height: of the picture, in pixels.
            rng: source of all randomness.
        Returns:
            joints (num_channels, num_frames, V, M) float32; for the joint stream x and y about -1..1, and the score;
            mirrored ().
        """
        clip = self._resized(joints[random_window(len(joints), self.augment, rng)], width, height)
        angle = rng.uniform(-self.augment.rotation, self.augment.rotation)
        clip = turn(clip, angle, 1 + rng.uniform(-self.augment.scale, self.augment.scale))
        mirrored = rng.random() < self.augment.flip
        return {"joints": self._joined(clip, mirrored), "mirrored": np.array(mirrored)}

    def test_views(self, joints: NDArray, width: float, height: float) -> dict[str, NDArray]:
        """The middle of the clip, then (flip_views) the same mirrored; arguments as in `train_view`.

        Returns:
            joints (N, num_channels, num_frames, V, M) float32 and mirrored (N,); N = 1, or 2 with the mirrored view.
        """
        clip = self._resized(joints[middle_window(len(joints))], width, height)
        flips = np.array([False, True] if self.flip_views else [False])
        return {"joints": np.stack([self._joined(clip, flip) for flip in flips]), "mirrored": flips}

    def _resized(self, joints: NDArray, width: float, height: float) -> NDArray[np.float32]:
        """A window of a clip, `num_frames` long and in the wanted unit: (num_frames, M, V, 3)."""
        clip = resize_time(joints, self.num_frames)
        return normalise_by_body(clip, self.skeleton) if self.unit == "body" else normalise(clip, width, height)

    def _joined(self, clip: NDArray[np.float32], flip: bool) -> NDArray[np.float32]:
        """(T', M, V, 3) -> (num_channels, T', V, M): the streams of the clip, or of its mirror image."""
        if flip:
            clip = mirror(clip, self.skeleton)
        centred = center_on_joint(clip, self.skeleton.center)
        made = {"joint": centred}
        if "bone" in self.streams or "bonemotion" in self.streams:
            made["bone"] = bones(clip, self.skeleton, self.keep_path)
        if "motion" in self.streams:
            made["motion"] = MOTION_SCALE * motion(centred)
        if "bonemotion" in self.streams:
            ends = is_present(clip) & is_present(clip)[:, :, self.skeleton.parents]  # (T', M, V)
            made["bonemotion"] = MOTION_SCALE * motion(np.concatenate([made["bone"], ends[..., None]], axis=-1))
        if "score" in self.streams:
            made["score"] = clip[..., 2:]
        channels = np.concatenate([made[stream] for stream in self.streams], axis=-1)  # (T', M, V, C)
        return np.ascontiguousarray(channels.transpose(3, 0, 2, 1))  # (C, T', V, M)
