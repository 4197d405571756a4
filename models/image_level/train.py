"""Train the image-level baseline on single frames and write its out-of-fold logits, averaged over a clip's frames.

reads:  clips/<run>/track1/ with its store of pictures, folds/<run>.csv
writes: checkpoints/<run>/image_level/fold<k>/, oof/<run>/image_level.npz and .json

    python -m models.image_level.train --run demo --fold all [--profile paper] [--field value ...]
"""

import dataclasses

import numpy as np
import torch.nn.functional as F

from datasets.clips import Clips
from datasets.errors import InputError, run_command
from datasets.rgb_store import build_rgb_store, open_rgb_store
from models.image_level.config import IMAGENET, PROFILES, ImageLevelConfig
from models.image_level.frames import FrameTransform, keypoint_joints
from models.image_level.model import ImageLevel
from training.dataset import TrainRows
from training.fit import Batch
from training.fold import fit_fold, predict_fold
from training.folds import FoldJob, parse_train_arguments, run_folds
from training.imagenet import imagenet_tensors
from training.inputs import JOINTS, RGB
from training.weights import load_tensors, read_state_dict
from transforms.rgb_clip import normalise

NAME = "image_level"
NEEDS = (JOINTS, RGB)
FITTING = f"timm's {IMAGENET}, or weights.pt of an own fold"


def build_model(num_classes: int, num_keypoints: int, config: ImageLevelConfig) -> ImageLevel:
    """The network, started from `config.weights`, from ImageNet, or from scratch."""
    model = ImageLevel(
        num_classes,
        num_keypoints,
        channel_multiplier=config.channel_multiplier,
        depth_multiplier=config.depth_multiplier,
        dropout=config.dropout,
    )
    if config.weights:
        tensors = read_state_dict(config.weights)
        is_timm = not any(key.startswith("backbone.") for key in tensors)
        load_tensors(model, tensors, config.weights, rename={"": "backbone."} if is_timm else None, fits=FITTING)
    elif config.pretrained == "imagenet":
        load_tensors(model, imagenet_tensors(IMAGENET), IMAGENET, rename={"": "backbone."})
    return model


def prepare(batch: Batch) -> Batch:
    """What of a batch goes into the network."""
    return {"picture": normalise(batch["rgb"])[:, :, 0], "keypoints": batch["keypoints"]}


def train_fold(clips: Clips, train_rows: TrainRows, predict_rows: np.ndarray, job: FoldJob) -> np.ndarray:
    """Train on `train_rows` and return the logits (len(predict_rows), K) of `predict_rows`."""
    config: ImageLevelConfig = job.config
    model = build_model(clips.num_classes, len(keypoint_joints(clips.skeleton)), config)
    store = open_rgb_store(job.run, config.picture_size)
    may_flip = config.flip and clips.may_mirror
    transform = FrameTransform(
        clips.skeleton,
        train_size=config.train_size,
        test_size=config.test_size,
        num_views=config.num_test_frames,
        flip_train=may_flip,
        flip_views=may_flip,
        area_min=config.crop_area_min,
        colour=config.colour,
    )

    def sample_clip(row: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        return transform.train_view(store, row, clips.joints_of(row), rng)

    def sample_views(row: int) -> dict[str, np.ndarray]:
        return transform.test_views(store, row, clips.joints_of(row))

    frozen = dataclasses.replace(config, epochs=config.frozen_epochs, min_steps=0, lr=config.frozen_lr)
    steps = [("", config)]
    if config.frozen_epochs and not config.weights:
        steps.insert(0, ("frozen", frozen))
    for step, step_config in steps:
        model.freeze_backbone(step == "frozen")
        model = fit_fold(
            model,
            clips,
            train_rows,
            job,
            sample_clip,
            prepare=prepare,
            loss_fn=lambda logits, batch, epoch: F.cross_entropy(logits.float(), batch["label"]),
            config=step_config,
            step=step,
        )
    return predict_fold(model, clips, predict_rows, job, sample_views, prepare=prepare)


def main(argv: list[str] | None = None) -> None:
    args, config = parse_train_arguments(argv, "Train the image-level baseline on single frames.", PROFILES)
    if config.pretrained not in ("none", "imagenet"):
        raise InputError(f"--pretrained {config.pretrained}: expected none or imagenet")
    if config.pretrained == "imagenet" and (config.channel_multiplier, config.depth_multiplier) != (1.0, 1.0):
        raise InputError("--pretrained imagenet: these weights need --channel-multiplier 1 and --depth-multiplier 1")
    build_rgb_store(args.run, config.picture_size)
    run_folds(args, NAME, config, train_fold, NEEDS)


if __name__ == "__main__":
    run_command(main)
