"""One network on one fold: `fit` and `predict` with what they need of the clips and of the job."""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from datasets.clips import Clips
from training.config import FitConfig
from training.dataset import Sample, TrainRows, TrainSamples, ViewSamples
from training.fit import Batch, fit
from training.folds import FoldJob
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
    """Logits (len(rows), K) float32 of these clips, over all their test views; see `training.predict.predict`."""
    return predict(
        model,
        ViewSamples(rows, sample_views),
        prepare=prepare,
        batch_size=job.config.test_batch_size,
        precision=job.config.precision,
        device=job.device,
        num_workers=job.config.num_workers,
        mirror=clips.mirror,
    )
