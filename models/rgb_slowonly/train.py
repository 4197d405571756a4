"""Train RGB SlowOnly on the pictures of clips and write its out-of-fold logits.

reads:  clips/<run>/track1/, folds/<run>.csv
writes: clips/<run>/track1/rgb_<size>/, checkpoints/<run>/rgb_slowonly/fold<k>/, oof/<run>/rgb_slowonly.npz and .json

    python -m models.rgb_slowonly.train --run demo --fold all [--profile paper] [--field value ...]
"""

import numpy as np
import torch.nn.functional as F

from datasets.clips import Clips
from datasets.errors import InputError, run_command
from datasets.rgb_store import build_rgb_store, open_rgb_store
from models.rgb_slowonly.config import PROFILES, RGBSlowOnlyConfig
from models.rgb_slowonly.model import RGBSlowOnly
from models.rgb_slowonly.weights import start_from
from training.dataset import TrainRows
from training.fit import Batch
from training.fold import fit_fold, predict_fold
from training.folds import FoldJob, parse_train_arguments, run_folds
from training.inputs import RGB
from transforms.rgb_clip import RgbClipTransform, normalise

NEEDS = (RGB,)


def train_fold(clips: Clips, train_rows: TrainRows, predict_rows: np.ndarray, job: FoldJob) -> np.ndarray:
    """Train on `train_rows` and return the logits (len(predict_rows), K) of `predict_rows`."""
    config: RGBSlowOnlyConfig = job.config
    model = RGBSlowOnly(
        clips.num_classes,
        base_channels=config.base_channels,
        blocks=config.blocks,
        pool_stride=config.pool_stride,
        dropout=config.dropout,
    )
    start_from(model, config.weights, config.pretrained)
    transform = RgbClipTransform(
        clip_len=config.clip_len,
        full_size=config.test_size,
        crop_size=config.train_size,
        num_clips=config.num_test_clips,
        flip_views=config.flip_views and clips.may_mirror,
        flip_train=clips.may_mirror,
        colour=config.colour,
    )
    store = open_rgb_store(job.run, config.picture_size)
    num_frames = clips.table.num_frames.to_numpy()

    def sample_clip(row: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        return transform.train_view(store, row, num_frames[row], rng)

    def sample_views(row: int) -> dict[str, np.ndarray]:
        return transform.test_views(store, row, num_frames[row])

    def prepare(batch: Batch) -> Batch:
        return {"rgb": normalise(batch["rgb"], config.static)}

    model = fit_fold(
        model,
        clips,
        train_rows,
        job,
        sample_clip,
        prepare=prepare,
        loss_fn=lambda logits, batch, epoch: F.cross_entropy(logits.float(), batch["label"]),
    )
    return predict_fold(model, clips, predict_rows, job, sample_views, prepare=prepare)


def main(argv: list[str] | None = None) -> None:
    args, config = parse_train_arguments(argv, "Train RGB SlowOnly on the pictures of clips.", PROFILES)
    if config.pretrained not in ("none", "imagenet"):
        raise InputError(f"--pretrained {config.pretrained}: expected none or imagenet")
    build_rgb_store(args.run, config.picture_size)
    run_folds(args, "rgb_slowonly", config, train_fold, NEEDS)


if __name__ == "__main__":
    run_command(main)
