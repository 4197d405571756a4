"""Train EHCT on joints, bones or their motion and write its out-of-fold logits.

reads:  clips/<run>/track1/, folds/<run>.csv
writes: checkpoints/<run>/ehct_<stream>/fold<k>/, oof/<run>/ehct_<stream>.npz and .json

    python -m models.ehct.train --run demo --fold all [--stream bone] [--profile paper] [--field value ...]
"""

from miga.errors import run_command
from models.command.entry import train_entry
from models.ehct.entry import ENTRY


def main(argv: list[str] | None = None) -> None:
    train_entry(ENTRY, argv)


if __name__ == "__main__":
    run_command(main)
