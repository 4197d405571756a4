"""Train the image-level baseline on single frames and write its out-of-fold logits, averaged over a clip's frames.

reads:  clips/<run>/track1/ with its store of pictures, folds/<run>.csv
writes: checkpoints/<run>/image_level/fold<k>/, oof/<run>/image_level.npz and .json

    python -m models.image_level.train --run demo --fold all [--profile paper] [--field value ...]
"""

from miga.errors import run_command
from models.command.entry import train_entry
from models.image_level.entry import ENTRY


def main(argv: list[str] | None = None) -> None:
    train_entry(ENTRY, argv)


if __name__ == "__main__":
    run_command(main)
