"""Stage 1's training clips: short pieces of trimmed gestures, and of the stretches between them.

The extractor must describe eight frames at a time, so it is trained on eight frames at a time, from anywhere in a
gesture. Background is a class of its own: without it every stretch between gestures looks like some gesture.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from miga.clips import Clips
from miga.transforms.sampling import uniform_sample
from spotting.boxes import frame_bounds
from spotting.config import ExtractorConfig
from spotting.views import View, random_view

MARGIN = 2  # frames beside a gesture that are neither gesture nor background: annotators differ by about as much


class TrimmedClips:
    """Where the short clips of some videos lie, drawn by row: gestures first, background behind.

    Attributes:
        labels: (N,) class of every row; K stands for background.
        names: (N,) for messages: the gesture's clip id, or the video of a background clip.

    Args:
        clip_len: frames of a clip; 0 = as the settings say.
    """

    def __init__(self, clips: Clips, video_ids: list[str], config: ExtractorConfig, clip_len: int = 0):
        self.clips, self.config = clips, config
        self.clip_len = clip_len or config.clip_len
        table = clips.table[clips.table.video_id.isin(video_ids) & (clips.table.label >= 0)]
        self.videos = clips.videos.set_index("video_id").loc[video_ids]
        self.bounds = {video_id: frame_bounds(clips.joints_of_video(video_id)) for video_id in video_ids}
        gestures = pd.concat([table] * config.repeats, ignore_index=True)
        self.gestures = gestures[["video_id", "start_frame", "num_frames"]].to_numpy()
        self.background = {v: _background_frames(self.bounds[v], table[table.video_id == v]) for v in video_ids}
        self.background_videos = [v for v in video_ids if len(self.background[v])]
        num_background = round(config.background_share * len(gestures)) if self.background_videos else 0
        self.labels = np.append(gestures.label.to_numpy(), np.full(num_background, clips.num_classes)).astype(np.int64)
        self.names = gestures.clip_id.tolist() + ["background"] * num_background

    def draw(self, row: int, rng: np.random.Generator) -> tuple[str, NDArray[np.int64], View]:
        """A random clip of the row: its video, its frames (L,), and how they are to be changed."""
        if row < len(self.gestures):
            video_id, start, length = self.gestures[row]
            if self.config.sampling == "uniform":
                frames = start + uniform_sample(int(length), self.clip_len, rng)
                return video_id, frames, random_view(rng, self.config.augmentation, self.clips.may_mirror)
            middle = start + rng.random() * length
        else:
            video_id = self.background_videos[rng.integers(len(self.background_videos))]
            middle = rng.choice(self.background[video_id]) + rng.random()
        config, video = self.config, self.videos.loc[video_id]
        view = random_view(rng, config.augmentation, self.clips.may_mirror)
        offsets = (np.arange(self.clip_len) - (self.clip_len - 1) / 2) * view.speed
        indexes = np.clip(np.rint(middle - 0.5 + offsets), 0, video.num_frames - 1).astype(np.int64)
        return video_id, indexes, view


def _background_frames(bounds: NDArray, gestures: pd.DataFrame) -> NDArray[np.int64]:
    """Frames with somebody in view and no gesture near."""
    is_free = ~np.isnan(bounds[:, 0])
    for start, length in zip(gestures.start_frame, gestures.num_frames, strict=True):
        is_free[max(0, start - MARGIN) : start + length + MARGIN] = False
    return np.flatnonzero(is_free)
