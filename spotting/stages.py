"""The two trainings of one fold, assembled: the extractor on trimmed gestures, the detector on frame tokens."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor

from miga.clips import Clips
from miga.files import replacing, write_json
from miga.paths import fold_checkpoint_dir, spotting_tokens_json, spotting_tokens_npy
from miga.training.checkpoint import check_fingerprint
from miga.training.dataset import TrainSamples
from miga.training.fit import Batch, fit
from miga.training.seeding import seed_torch
from miga.transforms.reused_memory import ReusedMemory
from spotting.config import SpottingConfig
from spotting.context import frame_labels, frame_loss
from spotting.detectors import build_detector, detection_loss_of
from spotting.extractor import FrameExtractor
from spotting.features import draw, extract_tokens
from spotting.samples import TokenVideo, WindowSamples
from spotting.segments import Segments, make_segments
from spotting.trimmed import TrimmedClips
from spotting.unseen import unseen_videos
from spotting.views import video_view

NUM_TEST_VIEWS = 2  # plain and mirrored


@dataclass(frozen=True)
class SpottingJob:
    """What a stage needs to know about its place in the run."""

    run: str
    fold: int
    config: SpottingConfig
    fingerprint: dict  # plain values that say what is trained on what
    device: torch.device

    def folder(self, stage: str) -> Path:
        """Where the checkpoints of `extractor` or `detector` go; the second kind of detector has a place of its own."""
        kind = self.config.detector.kind
        name = kind if stage == "detector" and kind != "mslt" else stage
        return fold_checkpoint_dir(self.run, f"spotting_{name}", self.fold)

    def stage_fingerprint(self, stage: str) -> dict:
        """What the weights of a stage depend on: of the settings, those of the stages up to it."""
        used = ("extractor",) if stage == "extractor" else ("extractor", "detector")
        return {**self.fingerprint, "config": {part: self.config.to_dict()[part] for part in used}, "fold": self.fold}


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


def build_extractor(clips: Clips, config: SpottingConfig) -> FrameExtractor:
    """The network of stage 1, with one class more for background."""
    part = config.extractor
    return FrameExtractor(
        clips.skeleton.num_joints, clips.num_classes + 1, part.base_channels, part.blocks, part.dropout
    )  # fmt: skip


def train_extractor(clips: Clips, video_ids: list[str], job: SpottingJob) -> FrameExtractor:
    """Stage 1: classify eight-frame pieces of the gestures of `video_ids`."""
    config = job.config.extractor
    trimmed = TrimmedClips(clips, video_ids, config)
    memory = ReusedMemory()
    seed_torch(config.seed, job.fold, 1)
    return fit(
        build_extractor(clips, job.config),
        TrainSamples(np.arange(len(trimmed.labels)), trimmed.labels, trimmed.draw, config.seed),
        config,
        prepare=lambda batch: {"heatmaps": draw(batch["keypoints"], config.heatmap_size, config.sigma, memory)},
        loss_fn=lambda logits, batch, epoch: F.cross_entropy(logits.float(), batch["label"]),
        folder=job.folder("extractor"),
        fingerprint=job.stage_fingerprint("extractor"),
        title=f"spotting extractor fold {job.fold}",
        device=job.device,
        clip_ids=trimmed.names,
    )


def make_tokens(clips: Clips, parts: dict[str, list[str]], model: FrameExtractor, job: SpottingJob) -> None:
    """Write the tokens of videos: all views of those a detector is trained on, plain and mirrored of the others.

    Test videos with nothing to look at have none.
    """
    config, made_with = job.config.extractor, spotting_tokens_json(job.run, job.fold)
    if made_with.exists():
        check_fingerprint(made_with, json.loads(made_with.read_text()), job.stage_fingerprint("extractor"))
    else:
        write_json(made_with, job.stage_fingerprint("extractor"))
    rows = clips.videos.set_index("video_id")
    cross_fitted = config.is_cross_fitted
    described = {part: ids for part, ids in parts.items() if not (cross_fitted and part == "train")}
    unseen = unseen_videos(clips)
    described["test"] = [video_id for video_id in parts["test"] if video_id not in unseen]
    for part, video_ids in described.items():
        is_trained_on = part == ("held_out" if cross_fitted else "train")
        num_views = max(NUM_TEST_VIEWS, config.num_views) if is_trained_on else NUM_TEST_VIEWS
        for video_id in video_ids:
            for number in range(num_views):
                path = spotting_tokens_npy(job.run, job.fold, number, video_id)
                if path.exists():
                    continue
                tokens = extract_tokens(
                    model, clips.joints_of_video(video_id), (rows.height[video_id], rows.width[video_id]),
                    video_view(number, config.seed), config, clips.skeleton, job.device,
                )  # fmt: skip
                with replacing(path) as temporary:
                    np.save(temporary, tokens, allow_pickle=False)


def token_fold(job: SpottingJob, video2fold: dict[str, int], video_id: str) -> int:
    """The fold whose extractor describes a training video to this fold's detector."""
    return video2fold[video_id] if job.config.extractor.is_cross_fitted else job.fold


def folds_waited_for(job: SpottingJob, video2fold: dict[str, int], video_ids: list[str]) -> list[int]:
    """Folds whose tokens the detector of this fold is trained on and that are not all there yet."""
    numbers = range(max(NUM_TEST_VIEWS, job.config.extractor.num_views))
    folds = {
        fold
        for video_id in video_ids
        for fold in [token_fold(job, video2fold, video_id)]
        if not all(spotting_tokens_npy(job.run, fold, number, video_id).exists() for number in numbers)
    }
    return sorted(folds)


def train_detector(clips: Clips, video2fold: dict[str, int], video_ids: list[str], job: SpottingJob) -> torch.nn.Module:
    """Stage 2: find the gestures of `video_ids` in their tokens."""
    config, extractor = job.config.detector, job.config.extractor
    numbers = range(max(NUM_TEST_VIEWS, extractor.num_views))
    speeds = [video_view(number, extractor.seed).speed for number in numbers]
    videos = [
        TokenVideo(
            v,
            [spotting_tokens_npy(job.run, token_fold(job, video2fold, v), n, v) for n in numbers],
            speeds,
            gestures_of(clips, v),
        )
        for v in video_ids
    ]
    samples = WindowSamples(videos, config, config.seed)
    loss_of = detection_loss_of(config, job.device)

    def loss_fn(outputs: dict[str, Tensor], batch: Batch, epoch: int) -> Tensor:
        gestures, labels = batch["gestures"], batch["gesture_labels"]
        loss = loss_of(outputs, gestures, labels, epoch)
        if "frame_logits" in outputs:
            wanted = frame_labels(gestures, labels, batch["is_frame"], clips.num_classes)
            loss = loss + config.frame_weight * frame_loss(outputs["frame_logits"], wanted)
        return loss

    seed_torch(config.seed, job.fold, 2)
    return fit(
        build_detector(videos[0].tokens[0].shape[1], clips.num_classes, config),
        samples,
        config,
        prepare=lambda batch: {"tokens": batch["tokens"], "is_frame": batch["is_frame"]},
        loss_fn=loss_fn,
        folder=job.folder("detector"),
        fingerprint=job.stage_fingerprint("detector"),
        title=f"spotting detector fold {job.fold}",
        device=job.device,
        clip_ids=samples.names,
    )
