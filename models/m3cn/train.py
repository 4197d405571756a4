"""Train M3CN on pictures and joint heatmaps in three steps and write its out-of-fold logits.

reads:  clips/<run>/track1/, folds/<run>.csv
writes: clips/<run>/track1/rgb_<size>/ where it is not there yet, checkpoints/<run>/m3cn/fold<k>/,
        oof/<run>/m3cn.npz and .json

    python -m models.m3cn.train --run demo --fold all [--profile paper] [--field value ...]
"""

import numpy as np

from datasets.clips import Clips
from datasets.errors import run_command
from datasets.rgb_store import build_rgb_store
from models.layers.three_steps import train_three_steps
from models.layers.two_pathway_config import check_two_pathway_config
from models.layers.two_pathway_net import both_cross_entropies
from models.m3cn.config import PROFILES, M3CNConfig
from models.m3cn.model import M3CN
from training.dataset import TrainRows
from training.folds import FoldJob, parse_train_arguments, run_folds
from training.inputs import JOINTS, RGB
from transforms.heatmap_input import num_channels

NEEDS = (JOINTS, RGB)


def train_fold(clips: Clips, train_rows: TrainRows, predict_rows: np.ndarray, job: FoldJob) -> np.ndarray:
    """Train on `train_rows` and return the logits (len(predict_rows), K) of `predict_rows`."""
    config: M3CNConfig = job.config
    network = M3CN(
        num_channels(clips.skeleton, config.input), clips.num_classes, dropout=config.dropout, **config.trunk
    )
    return train_three_steps(
        network,
        lambda output, batch, epoch: both_cross_entropies(output, batch["label"]),
        clips,
        train_rows,
        predict_rows,
        job,
    )


def main(argv: list[str] | None = None) -> None:
    args, config = parse_train_arguments(argv, "Train M3CN on pictures and joint heatmaps.", PROFILES)
    check_two_pathway_config(config)
    build_rgb_store(args.run, config.picture_size)
    run_folds(args, "m3cn", config, train_fold, NEEDS)


if __name__ == "__main__":
    run_command(main)
