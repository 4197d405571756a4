"""Train EHCT on joints, bones or their motion and write its out-of-fold logits.

reads:  clips/<run>/track1/, folds/<run>.csv
writes: checkpoints/<run>/ehct_<stream>/fold<k>/, oof/<run>/ehct_<stream>.npz and .json

    python -m models.ehct.train --run demo --fold all [--stream bone] [--profile paper] [--field value ...]
"""

import numpy as np
import torch.nn.functional as F

from datasets.clips import Clips
from datasets.errors import InputError, run_command
from models.ehct.config import PROFILES, EHCTConfig
from models.ehct.model import EHCT
from training.dataset import TrainRows
from training.fit import Batch
from training.fold import fit_fold, predict_fold
from training.folds import FoldJob, parse_train_arguments, run_folds
from training.inputs import JOINTS
from training.weights import load_weights
from transforms.graph import GraphAugment, GraphTransform, with_score

STREAMS = ("joint", "bone", "motion", "bonemotion")
NEEDS = (JOINTS,)


def build_transform(clips: Clips, config: EHCTConfig) -> GraphTransform:
    """Clips to the network's input."""
    augment = GraphAugment(
        crop=(config.crop_min, 1.0),
        min_frames=config.num_frames,
        rotation=config.rotation,
        scale=config.scale,
        flip=config.flip if clips.may_mirror else 0.0,
    )
    flip_views = config.flip_test and clips.may_mirror
    return GraphTransform(
        clips.skeleton,
        config.num_frames,
        augment,
        with_score(config.stream),
        config.unit,
        keep_path=True,
        num_clips=config.num_test_clips,
        flip_views=flip_views,
    )


def build_model(clips: Clips, config: EHCTConfig, in_channels: int) -> EHCT:
    """The network for these clips' skeleton, classes and people."""
    return EHCT(
        clips.skeleton,
        clips.num_classes,
        num_persons=clips.joints.shape[1],
        in_channels=in_channels,
        num_heads=config.num_heads,
        head_dim=config.head_dim,
        strides=config.strides,
        grouping=config.hyperedges,
        alpha=config.alpha,
        enhanced=config.enhanced,
        token_block=config.token_block,
        dropout=config.dropout,
    )


def only_joints(batch: Batch) -> Batch:
    """What of a batch goes into the network."""
    return {"joints": batch["joints"]}


def train_fold(clips: Clips, train_rows: TrainRows, predict_rows: np.ndarray, job: FoldJob) -> np.ndarray:
    """Train on `train_rows` and return the logits (len(predict_rows), K) of `predict_rows`."""
    config: EHCTConfig = job.config
    transform = build_transform(clips, config)
    model = build_model(clips, config, transform.num_channels)
    if config.weights:
        load_weights(model, config.weights)
    sizes = clips.table[["width", "height"]].to_numpy()

    def sample_clip(row: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        return transform.train_view(clips.joints_of(row), *sizes[row], rng)

    def sample_views(row: int) -> dict[str, np.ndarray]:
        return transform.test_views(clips.joints_of(row), *sizes[row])

    model = fit_fold(
        model,
        clips,
        train_rows,
        job,
        sample_clip,
        prepare=only_joints,
        loss_fn=lambda logits, batch, epoch: F.cross_entropy(
            logits.float(), batch["label"], label_smoothing=config.smoothing
        ),
    )
    return predict_fold(model, clips, predict_rows, job, sample_views, prepare=only_joints)


def main(argv: list[str] | None = None) -> None:
    args, config = parse_train_arguments(argv, "Train EHCT on joints, bones or their motion.", PROFILES)
    in_order = tuple(stream for stream in STREAMS if stream in config.stream)
    if not in_order or in_order != config.stream:
        raise InputError(f"--stream {','.join(config.stream)}: expected some of {','.join(STREAMS)}, in this order")
    if config.unit not in ("picture", "body"):
        raise InputError(f"--unit {config.unit}: expected picture or body")
    run_folds(args, f"ehct_{'_'.join(config.stream)}", config, train_fold, NEEDS)


if __name__ == "__main__":
    run_command(main)
