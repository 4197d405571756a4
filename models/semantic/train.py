"""Train PoseC3D with the semantic embedding loss and write its out-of-fold logits.

reads:  clips/<run>/track1/, folds/<run>.csv
writes: checkpoints/<run>/semantic_<input>/fold<k>/, oof/<run>/semantic_<input>.npz and .json

    python -m models.semantic.train --run demo --fold all [--input limb] [--vectors FILE] [--field value ...]
"""

import numpy as np
import torch

from datasets.clips import Clips
from datasets.errors import run_command
from models.semantic.config import PROFILES, SemanticConfig
from models.semantic.loss import semantic_loss
from models.semantic.model import SemanticPoseC3D
from models.semantic.vectors import name_vectors
from training.dataset import TrainRows
from training.fold import fit_fold, predict_fold
from training.folds import FoldJob, parse_train_arguments, run_folds
from training.inputs import JOINTS
from training.weights import load_weights
from transforms.heatmap_input import check_input, heatmap_input, num_channels, stem_map
from transforms.pose_clip import PoseClipTransform

NEEDS = (JOINTS,)
FITTING = "a PoseC3D (SlowOnly-R50 on heatmaps) of pyskl or mmaction2, or weights.pt of an own fold"


def train_fold(clips: Clips, train_rows: TrainRows, predict_rows: np.ndarray, job: FoldJob) -> np.ndarray:
    """Train on `train_rows` and return the logits (len(predict_rows), K) of `predict_rows`."""
    config: SemanticConfig = job.config
    vectors = torch.from_numpy(name_vectors(clips.classes, config.vectors)).to(job.device)  # (K, 300)
    model = SemanticPoseC3D(
        num_channels(clips.skeleton, config.input),
        clips.num_classes,
        vectors.shape[1],
        base_channels=config.base_channels,
        blocks=config.blocks,
        dropout=config.dropout,
    )
    if config.weights:
        load_weights(model, config.weights, stem_map=stem_map(clips.skeleton, config.input), fits=FITTING)
    transform = PoseClipTransform(
        clips.skeleton.flip_index,
        clip_len=config.clip_len,
        full_size=config.test_size,
        crop_size=config.train_size,
        num_clips=config.num_test_clips,
        flip_views=clips.may_mirror,
        flip_train=clips.may_mirror,
    )
    image_sizes = clips.table[["height", "width"]].to_numpy()

    def sample_clip(row: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        return transform.train_view(clips.joints_of(row), tuple(image_sizes[row]), rng)

    def sample_views(row: int) -> dict[str, np.ndarray]:
        return transform.test_views(clips.joints_of(row), tuple(image_sizes[row]))

    model = fit_fold(
        model,
        clips,
        train_rows,
        job,
        sample_clip,
        prepare=heatmap_input(clips.skeleton, config.input, config.train_size, config.sigma),
        loss_fn=lambda output, batch, epoch: semantic_loss(output, batch["label"], vectors, config.semantic_weight),
    )
    return predict_fold(
        model,
        clips,
        predict_rows,
        job,
        sample_views,
        prepare=heatmap_input(clips.skeleton, config.input, config.test_size, config.sigma),
    )


def main(argv: list[str] | None = None) -> None:
    args, config = parse_train_arguments(argv, "Train PoseC3D with the semantic embedding loss.", PROFILES)
    check_input(config.input)
    run_folds(args, f"semantic_{config.input}", config, train_fold, NEEDS)


if __name__ == "__main__":
    run_command(main)
