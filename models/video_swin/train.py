"""Train Video Swin on RGB clips and write its out-of-fold logits.

reads:  clips/<run>/track1/ with its store of pictures, folds/<run>.csv
writes: checkpoints/<run>/video_swin_<size>/fold<k>/, oof/<run>/video_swin_<size>.npz and .json

    python -m models.video_swin.train --run demo --fold all [--size B] [--profile paper] [--field value ...]
"""

import numpy as np
import torch.nn.functional as F

from datasets.clips import Clips
from datasets.errors import InputError, run_command
from datasets.rgb_store import build_rgb_store, open_rgb_store
from models.video_swin.config import PROFILES, SIZES, VideoSwinConfig
from models.video_swin.model import VideoSwin
from models.video_swin.weights import to_video_swin
from training.dataset import TrainRows
from training.fit import Batch
from training.fold import fit_fold, predict_fold
from training.folds import FoldJob, parse_train_arguments, run_folds
from training.imagenet import imagenet_tensors
from training.inputs import RGB
from training.weights import load_tensors, read_state_dict
from transforms.rgb_clip import RgbClipTransform, normalise

NEEDS = (RGB,)
FITTING = (
    "a Video Swin of the public code or of mmaction2, a 2D Swin of timm or microsoft/Swin-Transformer, each of this "
    "--size, or weights.pt of an own fold"
)


def build_model(num_classes: int, config: VideoSwinConfig) -> VideoSwin:
    """The network, started from `config.weights`, from ImageNet, or from scratch."""
    size = SIZES[config.size]
    model = VideoSwin(
        num_classes,
        embed_dim=config.embed_dim or size.embed_dim,
        depths=config.depths or size.depths,
        num_heads=config.num_heads or size.num_heads,
        window=config.window,
        drop_path=config.drop_path,
        dropout=config.dropout,
        init_std=config.init_std,
    )
    if config.weights:
        load_tensors(model, to_video_swin(read_state_dict(config.weights), config.window), config.weights, fits=FITTING)
    elif config.pretrained == "imagenet":
        load_tensors(model, to_video_swin(imagenet_tensors(size.imagenet), config.window), size.imagenet)
    return model


def train_fold(clips: Clips, train_rows: TrainRows, predict_rows: np.ndarray, job: FoldJob) -> np.ndarray:
    """Train on `train_rows` and return the logits (len(predict_rows), K) of `predict_rows`."""
    config: VideoSwinConfig = job.config
    model = build_model(clips.num_classes, config)
    store = open_rgb_store(job.run, config.picture_size)
    transform = RgbClipTransform(
        clip_len=config.clip_len,
        full_size=config.test_size,
        crop_size=config.train_size,
        num_clips=config.num_test_clips,
        flip_views=config.flip_test and clips.may_mirror,
        flip_train=clips.may_mirror,
        area=(config.crop_area_min, 1.0),
        colour=config.colour,
    )
    num_frames = clips.table.num_frames.to_numpy()

    def sample_clip(row: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        return transform.train_view(store, row, int(num_frames[row]), rng)

    def sample_views(row: int) -> dict[str, np.ndarray]:
        return transform.test_views(store, row, int(num_frames[row]))

    def prepare(batch: Batch) -> Batch:
        return {"rgb": normalise(batch["rgb"], config.static)}

    model = fit_fold(
        model,
        clips,
        train_rows,
        job,
        sample_clip,
        prepare=prepare,
        loss_fn=lambda logits, batch, epoch: F.cross_entropy(
            logits.float(), batch["label"], label_smoothing=config.smoothing
        ),
    )
    return predict_fold(model, clips, predict_rows, job, sample_views, prepare=prepare)


def check_config(config: VideoSwinConfig) -> None:
    """Raise InputError for what no network can be built from."""
    if config.size not in SIZES:
        raise InputError(f"--size {config.size}: expected one of {', '.join(SIZES)}")
    if config.pretrained not in ("none", "imagenet"):
        raise InputError(f"--pretrained {config.pretrained}: expected none or imagenet")
    if len(config.window) != 3 or min(config.window) < 1:
        raise InputError(f"--window {config.window}: expected three lengths of at least 1: time, height, width")


def main(argv: list[str] | None = None) -> None:
    args, config = parse_train_arguments(argv, "Train Video Swin on RGB clips.", PROFILES)
    check_config(config)
    build_rgb_store(args.run, config.picture_size)
    run_folds(args, f"video_swin_{config.size.lower()}", config, train_fold, NEEDS)


if __name__ == "__main__":
    run_command(main)
