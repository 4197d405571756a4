"""Train trees on numbers of the joints and write their out-of-fold log-probabilities.

reads:  clips/<run>/track1/, folds/<run>.csv
writes: checkpoints/<run>/trees/fold<k>/, oof/<run>/trees.npz and .json

    python -m models.trees.train --run demo --fold all [--profile paper] [--field value ...]
"""

from miga.errors import run_command
from models.command.entry import train_entry
from models.trees.entry import ENTRY


def main(argv: list[str] | None = None) -> None:
    train_entry(ENTRY, argv)


if __name__ == "__main__":
    run_command(main)
