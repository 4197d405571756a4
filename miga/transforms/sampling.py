"""Uniform sampling: which frames of a clip a network sees.

Source: PoseConv3D (arXiv 2104.13586), section 3.2; the three regimes (short, medium, long clips) are those of pyskl,
pyskl/datasets/pipelines/sampling.py.
"""

import numpy as np
from numpy.typing import NDArray

TEST_SEED = 255  # pyskl's seed for test views: the same clip is always cut the same way


def uniform_sample(num_frames: int, clip_len: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw `clip_len` frame indexes that spread over the clip, at random within that.

    A clip shorter than `clip_len` starts anywhere and wraps round. One shorter than two `clip_len` runs from its first
    frame and skips one frame at random places, until none is left over. A longer one gives one frame per equal bin.

    Args:
        num_frames: frames in the clip, at least 1.
        clip_len: frames wanted, at least 1.
        rng: source of randomness.
    Returns:
        (clip_len,) indexes in [0, num_frames), ascending except for the wrap of short clips.
    Raises:
        ValueError: num_frames or clip_len below 1.
    """
    _check(num_frames, clip_len)
    if num_frames < clip_len:
        return _wrapped(int(rng.integers(num_frames)), num_frames, clip_len)
    return _spread(num_frames, clip_len, rng)


def uniform_sample_test(num_frames: int, clip_len: int, num_clips: int, seed: int = TEST_SEED) -> NDArray[np.int64]:
    """Cut the views of a clip for testing: different from one another, the same in every run.

    View i of a clip shorter than `clip_len` starts at frame i where there are fewer frames than views, else at the i-th
    of `num_clips` even steps. Longer clips are drawn as in training, from a generator seeded with `seed`.

    Returns:
        (num_clips, clip_len) indexes in [0, num_frames).
    Raises:
        ValueError: num_frames, clip_len or num_clips below 1.
    """
    _check(num_frames, clip_len)
    if num_clips < 1:
        raise ValueError(f"num_clips must be at least 1, got {num_clips}")
    if num_frames < clip_len:
        starts = [i if num_frames < num_clips else i * num_frames // num_clips for i in range(num_clips)]
        return np.stack([_wrapped(start, num_frames, clip_len) for start in starts])
    rng = np.random.default_rng(seed)
    return np.stack([_spread(num_frames, clip_len, rng) for _ in range(num_clips)])


def _wrapped(start: int, num_frames: int, clip_len: int) -> NDArray[np.int64]:
    """Consecutive indexes from `start`, modulo the length."""
    return np.arange(start, start + clip_len, dtype=np.int64) % num_frames


def _spread(num_frames: int, clip_len: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Ascending indexes over a clip that is at least `clip_len` long."""
    if num_frames < 2 * clip_len:
        # clip_len + 1 gaps lie before, between and after the chosen frames; num_frames - clip_len of them lose a frame.
        skips = np.zeros(clip_len + 1, dtype=np.int64)
        skips[rng.choice(clip_len + 1, num_frames - clip_len, replace=False)] = 1
        return np.arange(clip_len, dtype=np.int64) + np.cumsum(skips)[:-1]
    edges = np.arange(clip_len + 1, dtype=np.int64) * num_frames // clip_len
    return rng.integers(edges[:-1], edges[1:])


def _check(num_frames: int, clip_len: int) -> None:
    if num_frames < 1 or clip_len < 1:
        raise ValueError(f"num_frames and clip_len must be at least 1, got {num_frames} and {clip_len}")
