"""From a clip's joints to what a graph network takes: a window of it, resized in time, turned and centred.

Source: InfoGCN's input (stnoah1/infogcn, feeders/tools.py) for the window, the resizing and the rotation; Hyperformer's
joint stream for the centring. Unlike in those, a point that was not detected arrives in the network as zeros.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from miga.skeletons import Skeleton
from miga.transforms.crop import is_present
from miga.transforms.joints import (
    bones,
    center_on_joint,
    mirror,
    motion,
    normalise,
    normalise_by_body,
    resize_time,
    turn,
)


@dataclass(frozen=True)
class GraphAugment:
    """What training does to a clip at random. The published values are the defaults."""

    crop: tuple[float, float] = (0.5, 1.0)  # share of the clip that the window keeps
    min_frames: int = 64  # no window is shorter than this (or than the clip)
    rotation: float = 0.3  # radians to either side, in the picture plane
    scale: float = 0.0  # size factor is 1 +- this, x and y together
    flip: float = 0.0  # how often left and right change places


TEST_CROP = 0.95  # share of the clip that testing keeps, from its middle
SHORT_TEST_CROP = 0.8  # share of the clip that every further test window keeps
STREAM_CHANNELS = {"joint": 3, "bone": 2, "motion": 2, "bonemotion": 2, "score": 1}  # numbers per joint
MOTION_SCALE = 4.0  # frame-to-frame steps are small beside positions


def with_score(streams: tuple[str, ...]) -> tuple[str, ...]:
    """The streams, and the score where nothing else tells a missing point: the joint stream brings it along."""
    return streams if {"joint", "score"} & {*streams} else (*streams, "score")


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


def fixed_windows(num_frames: int, num_clips: int) -> list[slice]:
    """The middle window, then `num_clips` - 1 shorter ones spread evenly from the first frame to the last."""
    length = max(int(SHORT_TEST_CROP * num_frames), 1)
    starts = np.linspace(0, num_frames - length, num_clips - 1).astype(int).tolist()
    return [middle_window(num_frames), *(slice(start, start + length) for start in starts)]


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
    num_clips: int = 1  # test views in time; 1, the middle window alone, is published
    flip_views: bool = False  # each test view also mirrored

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
        """The `num_clips` fixed windows, then (flip_views) the same mirrored; arguments as in `train_view`.

        Returns:
            joints (N, num_channels, num_frames, V, M) float32 and mirrored (N,); N = num_clips, or twice that with
            mirrored views.
        """
        windows = [self._resized(joints[one], width, height) for one in fixed_windows(len(joints), self.num_clips)]
        flips = [False, True] if self.flip_views else [False]
        views = np.stack([self._joined(clip, flip) for flip in flips for clip in windows])
        return {"joints": views, "mirrored": np.repeat(flips, self.num_clips)}

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
