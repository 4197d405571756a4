"""The pictures of a clip as an RGB network takes them: sampled in time, cropped at random, maybe mirrored.

Source: pyskl, configs/rgbpose_conv3d/rgb_only.py (the order of the steps and their constants). Its square around the
person is cut when the store is made (`recordings.rgb_store`), from all frames of the clip instead of the sampled ones.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from miga.rgb_store import RgbStore
from miga.transforms.constants import constant
from miga.transforms.crop import Box, random_resized_crop
from miga.transforms.sampling import uniform_sample, uniform_sample_test

# ImageNet's mean and spread of red, green, blue, on a scale of 0 to 255.
MEAN = (123.675, 116.28, 103.53)
STD = (58.395, 57.12, 57.375)


@dataclass(frozen=True)
class RgbClipTransform:
    """Random training views and fixed test views of a clip's stored pictures."""

    clip_len: int = 8  # T, frames a view has
    full_size: int = 224  # pixels; side of a picture in testing
    crop_size: int = 224  # pixels; side of a picture in training, after the random crop
    num_clips: int = 10  # test views in time
    flip_views: bool = False  # each test view also mirrored
    flip_train: bool = True  # half of the training views mirrored; off where the class of the mirror image is unknown
    area: tuple[float, float] = (0.56, 1.0)  # share of the picture that a random crop keeps
    colour: float = 0.0  # how far training changes a clip's colours, see `recolour`; published 0 = not at all

    def train_view(self, store: RgbStore, row: int, num_frames: int, rng: np.random.Generator) -> dict[str, NDArray]:
        """One random view; every frame gets the same crop and the same side.

        Args:
            row: of the clip in the clip table.
            num_frames: of that clip.
            rng: source of all randomness.
        Returns:
            rgb (T, crop_size, crop_size, 3) uint8; mirrored ().
        """
        frames = store.read(row, uniform_sample(num_frames, self.clip_len, rng))
        frames = resize_box(frames, random_resized_crop((store.size, store.size), rng, self.area), self.crop_size)
        if self.colour:
            frames = recolour(frames, self.colour, rng)
        mirrored = self.flip_train and rng.random() < 0.5
        return {"rgb": frames[:, :, ::-1] if mirrored else frames, "mirrored": np.array(mirrored)}

    def test_views(self, store: RgbStore, row: int, num_frames: int) -> dict[str, NDArray]:
        """The fixed views: `num_clips` cuts in time of the whole picture, then (flip_views) the same mirrored.

        Returns:
            rgb (N, T, full_size, full_size, 3) uint8; mirrored (N,); N = num_clips, or twice that with mirrored views.
        """
        rgb = whole_views(store, row, num_frames, self.clip_len, self.num_clips, self.full_size, self.flip_views)
        return {"rgb": rgb, "mirrored": np.arange(len(rgb)) >= self.num_clips}


def whole_views(
    store: RgbStore, row: int, num_frames: int, clip_len: int, num_clips: int, size: int, flip_views: bool
) -> NDArray[np.uint8]:
    """`num_clips` views in time of a clip's whole pictures, then the same mirrored: (N, T, size, size, 3) uint8."""
    indexes = uniform_sample_test(num_frames, clip_len, num_clips)  # (num_clips, T)
    wanted, inverse = np.unique(indexes, return_inverse=True)  # the views share frames; each is read once
    frames = resize_box(store.read(row, wanted), (0, 0, store.size, store.size), size)
    views = frames[inverse.reshape(indexes.shape)]  # (num_clips, T, size, size, 3)
    return np.concatenate([views, views[:, :, :, ::-1]]) if flip_views else views


def resize_box(frames: NDArray[np.uint8], box: Box, size: int) -> NDArray[np.uint8]:
    """Cut a box that lies inside the pictures (T, H, W, 3) and resize it to (T, size, size, 3)."""
    left, top, right, bottom = box
    cut = frames[:, top:bottom, left:right]
    if cut.shape[1:3] == (size, size):
        return cut
    # Bilinear as published where the picture grows or shrinks a little; by area where that would skip pixels.
    method = cv2.INTER_AREA if min(cut.shape[1:3]) >= 2 * size else cv2.INTER_LINEAR
    resized = np.empty((len(frames), size, size, 3), np.uint8)
    for source, target in zip(cut, resized, strict=True):
        cv2.resize(source, (size, size), dst=target, interpolation=method)
    return resized


def recolour(frames: NDArray[np.uint8], strength: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Give a clip other colours, the same in every frame: a person's clothes and wall say nothing about the gesture.

    Each colour gets a contrast between exp(-strength) and exp(strength) about middle grey and is moved by up to 64 *
    strength; half of the clips also change red, green and blue among each other.

    Args:
        frames: (T, H, W, 3).
        strength: 0 changes no contrast; 0.5 is a lot.
    """
    contrast = np.exp(rng.uniform(-strength, strength, 3))
    shift = rng.uniform(-strength, strength, 3) * 64
    order = rng.permutation(3) if rng.random() < 0.5 else np.arange(3)
    changed = (np.arange(256)[:, None] - 127.5) * contrast + 127.5 + shift  # (256, 3)
    table = np.clip(np.round(changed), 0, 255).astype(np.uint8)
    recoloured = np.empty(frames.shape, np.uint8)
    for channel, source in enumerate(order):
        recoloured[..., channel] = table[:, channel][frames[..., source]]
    return recoloured


def normalise(rgb: Tensor, static: float = 1.0) -> Tensor:
    """Pictures (B, T, H, W, 3) uint8 to (B, 3, T, H, W) float32 with ImageNet's mean 0 and spread 1.

    The result keeps the order of the bytes, so it is in channels-last memory without a copy.

    Args:
        rgb: the pictures of B views.
        static: share that is kept of what does not move, the mean picture of a view; published 1. With a small share a
            network that starts from scratch on a few people sees the gesture instead of the wall. Views of one frame,
            or whose frames are all the same, keep nothing else, and so only this share.
    """
    mean, std = constant(MEAN, rgb.device), constant(STD, rgb.device)
    pictures = rgb.to(torch.float32).sub_(mean).div_(std)
    if static != 1:
        pictures -= (1 - static) * pictures.mean(dim=1, keepdim=True)
    return pictures.permute(0, 4, 1, 2, 3)  # (B, 3, T, H, W)
