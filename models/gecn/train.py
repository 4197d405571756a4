"""Train GE-CN on the joint graph and write its out-of-fold logits.

reads:  clips/<run>/track1/, folds/<run>.csv
writes: checkpoints/<run>/gecn/fold<k>/, oof/<run>/gecn.npz and .json

    python -m models.gecn.train --run demo --fold all [--profile paper] [--field value ...]
    python -m models.gecn.train --run demo --k 2 [--streams motion]     # an entry of its own: gecn_k2, gecn_k2_motion
"""

from miga.errors import run_command
from models.command.entry import train_entry
from models.gecn.entry import ENTRY


def main(argv: list[str] | None = None) -> None:
    train_entry(ENTRY, argv)


if __name__ == "__main__":
    run_command(main)
