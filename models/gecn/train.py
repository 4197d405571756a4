"""Train GE-CN on the joint graph and write its out-of-fold logits.

reads:  clips/<run>/track1/, folds/<run>.csv
writes: checkpoints/<run>/gecn/fold<k>/, oof/<run>/gecn.npz and .json

    python -m models.gecn.train --run demo --fold all [--profile paper] [--field value ...]
    python -m models.gecn.train --run demo --k 2 [--streams motion]     # an entry of its own: gecn_k2, gecn_k2_motion
"""

import numpy as np

from datasets.clips import Clips
from datasets.errors import InputError, run_command
from models.gecn.config import PROFILES, GECNConfig
from models.gecn.loss import GECNLoss
from models.gecn.model import GECN
from training.dataset import TrainRows
from training.fit import Batch
from training.fold import fit_fold, predict_fold
from training.folds import FoldJob, parse_train_arguments, run_folds
from training.inputs import JOINTS
from training.weights import load_weights
from transforms.graph import STREAM_CHANNELS, GraphAugment, GraphTransform, with_score

NAME = "gecn"
NEEDS = (JOINTS,)


def build_model(clips: Clips, config: GECNConfig) -> GECN:
    """The network for these clips' skeleton, classes and people."""
    return GECN(
        clips.skeleton,
        clips.num_classes,
        num_persons=clips.joints.shape[1],
        width=config.width,
        k=config.k,
        in_channels=build_transform(clips, config).num_channels,
        attention_std=config.attention_std,
        noise=config.noise,
        dropout=config.dropout,
    )


def build_transform(clips: Clips, config: GECNConfig) -> GraphTransform:
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
        with_score(config.streams),
        config.unit,
        num_clips=config.num_test_clips,
        flip_views=flip_views,
    )


def entry_name(config: GECNConfig, profile: GECNConfig) -> str:
    """`gecn` as the profile has it, with the mode and the streams behind it where they are others.

    InfoGCN (README, ensemble.py) averages such networks: several modes, each on joints and on motion.
    """
    mode = f"_k{config.k}" if config.k != profile.k else ""
    streams = "".join(f"_{stream}" for stream in config.streams) if config.streams != profile.streams else ""
    return NAME + mode + streams


def only_joints(batch: Batch) -> Batch:
    """What of a batch goes into the network."""
    return {"joints": batch["joints"]}


def train_fold(clips: Clips, train_rows: TrainRows, predict_rows: np.ndarray, job: FoldJob) -> np.ndarray:
    """Train on `train_rows` and return the logits (len(predict_rows), K) of `predict_rows`."""
    config: GECNConfig = job.config
    model, transform = build_model(clips, config), build_transform(clips, config)
    if config.weights:
        load_weights(model, config.weights)
    loss = GECNLoss(clips.num_classes, model.z_dim, smoothing=config.smoothing, lambda_2=config.lambda_2)
    loss = loss.to(job.device)
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
        loss_fn=lambda output, batch, epoch: loss(output, batch["label"]),
    )
    return predict_fold(model, clips, predict_rows, job, sample_views, prepare=only_joints)


def main(argv: list[str] | None = None) -> None:
    args, config = parse_train_arguments(argv, "Train GE-CN on the joint graph.", PROFILES)
    unknown = [stream for stream in config.streams if stream not in STREAM_CHANNELS]
    if unknown or not config.streams:
        raise InputError(f"--streams {','.join(config.streams)}: expected some of {','.join(STREAM_CHANNELS)}")
    if config.unit not in ("picture", "body"):
        raise InputError(f"--unit {config.unit}: expected picture or body")
    run_folds(args, entry_name(config, PROFILES[args.profile]), config, train_fold, NEEDS)


if __name__ == "__main__":
    run_command(main)
