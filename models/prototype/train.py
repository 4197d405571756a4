"""Train the prototype network on pictures and heatmaps and write its out-of-fold logits.

reads:  clips/<run>/track1/, folds/<run>.csv
writes: clips/<run>/track1/rgb_<size>/, checkpoints/<run>/prototype_<input>/fold<k>/, oof/<run>/prototype_<input>.npz
        and .json

    python -m models.prototype.train --run demo --fold all [--profile paper] [--field value ...]
"""

import numpy as np

from datasets.clips import Clips
from datasets.errors import InputError, run_command
from datasets.rgb_store import build_rgb_store
from models.layers.three_steps import train_three_steps
from models.layers.two_pathway_config import check_two_pathway_config
from models.prototype.config import PROFILES, PrototypeConfig
from models.prototype.loss import prototype_loss
from models.prototype.model import PrototypeNet
from training.dataset import TrainRows
from training.folds import FoldJob, parse_train_arguments, run_folds
from training.inputs import JOINTS, RGB
from transforms.heatmap_input import num_channels

NEEDS = (JOINTS, RGB)


def train_fold(clips: Clips, train_rows: TrainRows, predict_rows: np.ndarray, job: FoldJob) -> np.ndarray:
    """Train on `train_rows` and return the logits (len(predict_rows), K) of `predict_rows`.

    The two pathways are trained alone and merged, then everything is trained together with the refinement.
    """
    config: PrototypeConfig = job.config
    model = PrototypeNet(
        num_channels(clips.skeleton, config.input),
        clips.num_classes,
        dims=config.dims,
        prototype_factors=config.prototype_factors,
        tokens=config.tokens,
        dropout=config.dropout,
        **config.trunk,
    )

    def loss_fn(outputs: dict, batch: dict, epoch: int):
        return prototype_loss(model, outputs, batch["label"], config.alpha, config.tau, config.hits_only)

    return train_three_steps(model, loss_fn, clips, train_rows, predict_rows, job)


def main(argv: list[str] | None = None) -> None:
    args, config = parse_train_arguments(argv, "Train the prototype network on pictures and heatmaps.", PROFILES)
    check_two_pathway_config(config)
    if config.tokens not in ("time", "channel"):
        raise InputError(f"--tokens {config.tokens}: expected time or channel")
    if len(config.prototype_factors) != 2:
        raise InputError(f"--prototype_factors {config.prototype_factors}: expected two numbers, for RGB and pose")
    build_rgb_store(args.run, config.picture_size)
    run_folds(args, f"prototype_{config.input}", config, train_fold, NEEDS)


if __name__ == "__main__":
    run_command(main)
