"""One fold of one member: where its files lie, and what they depend on."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from folds.make import load_folds
from miga.clips import Clips, load_clips
from miga.files import file_sha256
from miga.paths import fold_checkpoint_dir, folds_csv
from miga.training.config import training_settings
from spotting.config import SpottingConfig
from spotting.segments import Segments, make_segments
from spotting.streams import stream_key, stream_settings


@dataclass(frozen=True)
class SpottingJob:
    """What a stage needs to know about its place in the run.

    member: name of the detector. streams: what it looks at, see `spotting.streams`.
    fingerprint: plain values that say what is trained on what.
    """

    run: str
    member: str
    streams: tuple[str, ...]
    fold: int
    config: SpottingConfig
    fingerprint: dict
    device: torch.device

    @property
    def num_test_views(self) -> int:
        """Of a video that a detector is shown: plain, and mirrored where both are averaged."""
        return 2 if self.config.search.mirror else 1

    @property
    def num_views(self) -> int:
        """Of a video that a detector is trained on."""
        return max(self.num_test_views, self.config.extractor.num_views)

    def extractor_folder(self, stream: str) -> Path:
        return fold_checkpoint_dir(self.run, f"spotting_{stream_key(self.config, stream)}", self.fold)

    @property
    def detector_folder(self) -> Path:
        return fold_checkpoint_dir(self.run, f"spotting_{self.member}", self.fold)

    def extractor_fingerprint(self, stream: str, made_of: dict[str, str]) -> dict:
        settings = stream_settings(self.config, stream)
        return {**self.fingerprint, **made_of, "config": settings, "fold": self.fold}

    @property
    def detector_fingerprint(self) -> dict:
        settings = {stream: stream_settings(self.config, stream) for stream in self.streams}
        config = {**settings, "detector": training_settings(self.config.detector)}
        return {**self.fingerprint, "config": config, "fold": self.fold}


def make_jobs(
    run: str, member: str, streams: tuple[str, ...], config: SpottingConfig, device: torch.device
) -> list[SpottingJob]:
    """One job a fold; the fingerprint ties every file they write to this data and these folds.

    Where the classes of mirrored gestures are unknown nothing is looked at mirrored either.
    """
    clips, folds = load_clips(run, "track2"), load_folds(run, "track2")
    fingerprint: dict = {"folds": file_sha256(folds_csv(run, "track2")), "clips": clips.meta["content_sha256"]}
    if clips.mirror is None:
        fingerprint["mirror"] = "never"
        config = replace(config, search=replace(config.search, mirror=False))
    elif (clips.mirror != np.arange(clips.num_classes)).any():
        fingerprint["mirror"] = clips.mirror.tolist()
    num_folds = int(folds.fold.max()) + 1
    return [SpottingJob(run, member, streams, fold, config, fingerprint, device) for fold in range(num_folds)]


def folds_of_videos(folds: pd.DataFrame) -> dict[str, int]:
    """Training video -> the fold that holds it out."""
    return folds[folds.fold >= 0].groupby("video_id").fold.first().to_dict()


def videos_of_fold(videos: pd.DataFrame, folds: pd.DataFrame, fold: int) -> dict[str, list[str]]:
    """Video ids by part: `train` (the other folds), `held_out` (this fold), `test`."""
    in_fold = videos.video_id.map(folds_of_videos(folds))
    return {
        "train": videos.video_id[in_fold.notna() & (in_fold != fold)].tolist(),
        "held_out": videos.video_id[in_fold == fold].tolist(),
        "test": videos.video_id[videos.split == "test"].tolist(),
    }


def gestures_of(clips: Clips, video_id: str) -> Segments:
    """The labelled gestures of a video."""
    rows = clips.table[(clips.table.video_id == video_id) & (clips.table.label >= 0)].sort_values("start_frame")
    return make_segments(rows.start_frame, rows.start_frame + rows.num_frames, rows.label)
