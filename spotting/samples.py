"""Stage 2's training samples: windows of frame tokens with the gestures in them."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from miga.training.dataset import TrainSamples
from spotting.config import DetectorConfig
from spotting.segments import Segments, make_segments
from spotting.views import View
from spotting.windows import MAX_GESTURES, draw_window, gestures_in_window, window_starts


class TokenVideo:
    """Tokens of one training video in all its views, memory-mapped, and its gestures.

    Args:
        token_files: stream -> (T / speed, D) npy files, one a view. views: how the video is seen in each.
        gestures: of the video as it is. mirror: (K,) class of the mirror image of each class; None = its own.
    """

    def __init__(
        self, video_id: str, token_files: dict[str, list[Path]], views: list[View], gestures: Segments,
        mirror: NDArray[np.int64] | None = None,
    ):  # fmt: skip
        self.video_id = video_id
        self.tokens = {
            stream: [np.load(file, mmap_mode="r", allow_pickle=False) for file in files]
            for stream, files in token_files.items()
        }
        of_one = next(iter(self.tokens.values()))
        self.lengths = [len(tokens) for tokens in of_one]  # of the views, the same in every stream
        self.gestures = [
            make_segments(
                gestures.start / view.speed,
                np.minimum(gestures.end / view.speed, length),
                gestures.label if mirror is None or not view.mirror else mirror[gestures.label],
            )
            for length, view in zip(self.lengths, views, strict=True)
        ]


def padded_window(tokens: NDArray, start: int, window: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Tokens start .. start + window of a video, zeros behind its end: (window, D), and (window,) what is real."""
    part = tokens[start : start + window]
    padded = np.zeros((window, tokens.shape[1]), np.float32)
    padded[: len(part)] = part
    return padded, np.arange(window) < len(part)


class WindowSamples(TrainSamples):
    """Random windows: a row is a place in a video, an epoch visits each once, in a random view and moved a little."""

    def __init__(self, videos: list[TokenVideo], config: DetectorConfig, seed: int):
        self.videos, self.config = videos, config
        self.slots = [
            (v, int(start))
            for v, video in enumerate(videos)
            for start in window_starts(video.lengths[0], config.window, min(config.train_stride, config.window))
        ]
        self.names = [f"window at frame {start} of {videos[v].video_id}" for v, start in self.slots]
        rows = np.arange(len(self.slots))
        super().__init__(rows, np.full(len(rows), -1), self.draw, seed)

    def __getitem__(self, place: tuple[int, int]) -> dict[str, torch.Tensor]:
        """As TrainSamples, but the label is drawn with the window: the class of its longest gesture, -1 for none."""
        sample = super().__getitem__(place)
        return {**sample, "label": sample.pop("window_label").reshape(())}

    def draw(self, row: int, rng: np.random.Generator) -> dict[str, NDArray]:
        """(W, D) tokens of each stream, by its name, and what is in the window.

        Returns:
            also is_frame (W,), gestures (G, 2) in frames of the window, gesture_labels (G,), -1 = padding, and
            window_label (), the class of the longest gesture.
        """
        config, (v, slot) = self.config, self.slots[row]
        video = self.videos[v]
        view = int(rng.integers(len(video.lengths)))
        length, gestures = video.lengths[view], video.gestures[view]
        slot = slot * length // video.lengths[0]
        start = draw_window(gestures, length, slot, config.window, config.train_stride, config.empty_share, rng)
        inside = gestures_in_window(gestures, start, config.window)
        padded = {name: padded_window(views[view], start, config.window)[0] for name, views in video.tokens.items()}
        boundaries = np.zeros((MAX_GESTURES, 2), np.float32)
        labels = np.full(MAX_GESTURES, -1, np.int64)
        boundaries[: len(inside)] = np.stack([inside.start, inside.end], axis=1)
        labels[: len(inside)] = inside.label
        longest = inside.label[np.argmax(inside.end - inside.start)] if len(inside) else -1
        return {
            **padded,
            "is_frame": np.arange(config.window) < length - start,
            "gestures": boundaries,
            "gesture_labels": labels,
            "window_label": np.array(longest, np.int64),
        }
