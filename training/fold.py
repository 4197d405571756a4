"""One network on one fold: `fit` and `predict` with what they need of the clips and of the job."""

from collections.abc import Callable
from contextlib import nullcontext
from functools import partial

import numpy as np
import torch
from torch import nn

from datasets.clips import Clips
from datasets.errors import naming
from training.adapt import adapted, clips_by_person
from training.config import FitConfig
from training.dataset import Sample, TrainRows, TrainSamples, ViewSamples
from training.fit import Batch, fit
from training.folds import FoldJob
from training.inputs import JOINTS
from training.predict import predict


def fit_fold(
    model: nn.Module,
    clips: Clips,
    train_rows: TrainRows,
    job: FoldJob,
    sample_clip: Callable[[int, np.random.Generator], Sample],
    *,
    prepare: Callable[[Batch], Batch],
    loss_fn: Callable[[object, Batch, int], torch.Tensor],
    config: FitConfig | None = None,
    step: str = "",
) -> nn.Module:
    """Train `model` on `train_rows` and return it in eval mode; see `training.fit.fit`.

    Args:
        sample_clip: (row, rng) -> named arrays of one training sample; `mirrored` says whether it is.
        config: of this step, where a recipe has several; default that of the job.
        step: name of such a step; it is kept in a folder of this name below the fold's.
    """
    config = config or job.config
    with naming(f"step {step}") if step else nullcontext():
        return fit(
            model,
            TrainSamples(train_rows, clips.table.label.to_numpy(), sample_clip, config.seed, clips.mirror),
            config,
            prepare=prepare,
            loss_fn=loss_fn,
            folder=job.folder / step,
            fingerprint=job.fingerprint,
            title=f"{job.title} {step}".rstrip(),
            device=job.device,
            clip_ids=clips.table.clip_id.tolist(),
        )


def predict_fold(
    model: nn.Module,
    clips: Clips,
    rows: np.ndarray,
    job: FoldJob,
    sample_views: Callable[[int], Sample],
    *,
    prepare: Callable[[Batch], Batch],
) -> np.ndarray:
    """Logits (len(rows), K) float32 of these clips, over all their test views; see `training.predict.predict`.

    A job that adapts shows each person to a network of their own, see `training.adapt`; where nobody is in view there
    is nothing to adapt to.
    """
    config = job.config

    def predict_by(network: nn.Module, rows: np.ndarray, batch_size: int = config.test_batch_size) -> np.ndarray:
        return predict(
            network,
            ViewSamples(rows, sample_views),
            prepare=prepare,
            batch_size=batch_size,
            precision=config.precision,
            device=job.device,
            num_workers=config.num_workers,
            mirror=clips.mirror,
        )

    if not job.adapt:
        return predict_by(model, rows)
    logits = np.empty((len(rows), clips.num_classes), np.float32)
    tells = clips.has_joints[rows] if JOINTS in job.needs else np.ones(len(rows), bool)
    for places in clips_by_person(clips.table, rows):
        own = rows[places[tells[places]]]
        show = partial(predict_by, rows=own, batch_size=even_batch(max(len(own), 1), config.test_batch_size))
        logits[places] = predict_by(adapted(model, show, len(own)), rows[places])
    return logits


def even_batch(num_clips: int, largest: int) -> int:
    """A batch size that divides the clips into batches of like size: each counts alike in the mean over batches."""
    return -(-num_clips // -(-num_clips // largest))
