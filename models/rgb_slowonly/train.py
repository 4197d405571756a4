"""Train RGB SlowOnly on the pictures of clips and write its out-of-fold logits.

reads:  clips/<run>/track1/, folds/<run>.csv
writes: clips/<run>/track1/rgb_<size>/ where it is not there yet, checkpoints/<run>/rgb_slowonly/fold<k>/,
        oof/<run>/rgb_slowonly.npz and .json

    python -m models.rgb_slowonly.train --run demo --fold all [--profile paper] [--field value ...]
"""

from miga.errors import run_command
from models.command.entry import train_entry
from models.rgb_slowonly.entry import ENTRY


def main(argv: list[str] | None = None) -> None:
    train_entry(ENTRY, argv)


if __name__ == "__main__":
    run_command(main)
