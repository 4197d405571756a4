"""Train M3CN on pictures and joint heatmaps in three steps and write its out-of-fold logits.

reads:  clips/<run>/track1/, folds/<run>.csv
writes: clips/<run>/track1/rgb_<size>/ where it is not there yet, checkpoints/<run>/m3cn/fold<k>/,
        checkpoints/<run>/starts/ (pathways alone), oof/<run>/m3cn.npz and .json

    python -m models.m3cn.train --run demo --fold all [--profile paper] [--field value ...]
"""

from miga.errors import run_command
from models.command.entry import train_entry
from models.m3cn.entry import ENTRY


def main(argv: list[str] | None = None) -> None:
    train_entry(ENTRY, argv)


if __name__ == "__main__":
    run_command(main)
