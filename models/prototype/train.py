"""Train the prototype network on pictures and heatmaps and write its out-of-fold logits.

reads:  clips/<run>/track1/, folds/<run>.csv
writes: clips/<run>/track1/rgb_<size>/ where it is not there yet, checkpoints/<run>/prototype_<input>/fold<k>/,
        checkpoints/<run>/starts/ (pathways alone), oof/<run>/prototype_<input>.npz and .json

    python -m models.prototype.train --run demo --fold all [--profile paper] [--field value ...]
"""

from miga.errors import run_command
from models.command.entry import train_entry
from models.prototype.entry import ENTRY


def main(argv: list[str] | None = None) -> None:
    train_entry(ENTRY, argv)


if __name__ == "__main__":
    run_command(main)
