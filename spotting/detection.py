"""Stage 2 of a fold: a member's detector, trained on the tokens of its streams."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from miga.clips import Clips
from miga.paths import spotting_tokens_npy
from miga.training.fit import Batch, fit
from miga.training.seeding import seed_torch
from spotting.config import DetectorConfig
from spotting.context import frame_labels, frame_loss
from spotting.detectors import Loss, detection_loss_of
from spotting.job import SpottingJob, gestures_of
from spotting.samples import TokenVideo, WindowSamples
from spotting.stream_detector import StreamDetector
from spotting.streams import stream_key
from spotting.views import video_view


def token_files(job: SpottingJob, fold: int, video_id: str, num_views: int) -> dict[str, list[Path]]:
    """Stream -> the files of a video's views, as a fold's extractor describes it."""
    keys = {stream: stream_key(job.config, stream) for stream in job.streams}
    return {
        stream: [spotting_tokens_npy(job.run, key, fold, view, video_id) for view in range(num_views)]
        for stream, key in keys.items()
    }


def token_fold(job: SpottingJob, video2fold: dict[str, int], video_id: str) -> int:
    """The fold whose extractors describe a training video to this fold's detector."""
    return video2fold[video_id] if job.config.extractor.is_cross_fitted else job.fold


def folds_waited_for(job: SpottingJob, video2fold: dict[str, int], video_ids: list[str]) -> list[int]:
    """Folds whose tokens the detector of this fold is trained on and that are not all there yet."""
    folds = set()
    for video_id in video_ids:
        fold = token_fold(job, video2fold, video_id)
        files = token_files(job, fold, video_id, job.num_views).values()
        if not all(file.exists() for of_stream in files for file in of_stream):
            folds.add(fold)
    return sorted(folds)


def train_detector(clips: Clips, video2fold: dict[str, int], video_ids: list[str], job: SpottingJob) -> nn.Module:
    """Find the gestures of `video_ids` in their tokens; the losses of the streams are added up."""
    config = job.config.detector
    views = [video_view(number, job.config.extractor.seed, clips.may_mirror) for number in range(job.num_views)]
    videos = [
        TokenVideo(
            v,
            token_files(job, token_fold(job, video2fold, v), v, job.num_views),
            views,
            gestures_of(clips, v),
            clips.mirror,
        )
        for v in video_ids
    ]
    samples = WindowSamples(videos, config, config.seed)
    loss_of = detection_loss_of(config, job.device)

    def loss_fn(outputs: Any, batch: Batch, epoch: int) -> Tensor:
        losses = [stream_loss(of_stream, batch, epoch, loss_of, config) for of_stream in outputs["streams"].values()]
        return torch.stack(losses).sum()

    seed_torch(config.seed, job.fold, 2)
    channels = {stream: tokens[0].shape[1] for stream, tokens in videos[0].tokens.items()}
    return fit(
        StreamDetector(channels, clips.num_classes, config),
        samples,
        config,
        prepare=lambda batch: {"is_frame": batch["is_frame"], **{name: batch[name] for name in job.streams}},
        loss_fn=loss_fn,
        folder=job.detector_folder,
        fingerprint=job.detector_fingerprint,
        title=f"spotting {job.member} detector fold {job.fold}",
        device=job.device,
        clip_ids=samples.names,
    )


def stream_loss(outputs: dict[str, Tensor], batch: Batch, epoch: int, loss_of: Loss, config: DetectorConfig) -> Tensor:
    """The loss of what a detector puts out for the windows of one stream."""
    gestures, labels = batch["gestures"], batch["gesture_labels"]
    loss = loss_of(outputs, gestures, labels, epoch)
    if "frame_logits" in outputs:
        wanted = frame_labels(gestures, labels, batch["is_frame"], outputs["class_logits"].shape[-1])
        loss = loss + config.frame_weight * frame_loss(outputs["frame_logits"], wanted)
    return loss


def channels_of(job: SpottingJob, video_id: str) -> dict[str, int]:
    """Stream -> width of its tokens."""
    files = token_files(job, job.fold, video_id, 1)
    return {stream: np.load(paths[0], mmap_mode="r", allow_pickle=False).shape[1] for stream, paths in files.items()}
