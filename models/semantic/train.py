"""Train PoseC3D with the semantic embedding loss and write its out-of-fold logits.

reads:  clips/<run>/track1/, folds/<run>.csv
writes: checkpoints/<run>/semantic_<input>/fold<k>/, oof/<run>/semantic_<input>.npz and .json

    python -m models.semantic.train --run demo --fold all [--input limb] [--vectors FILE] [--field value ...]
"""

from miga.errors import run_command
from models.command.entry import train_entry
from models.semantic.entry import ENTRY


def main(argv: list[str] | None = None) -> None:
    train_entry(ENTRY, argv)


if __name__ == "__main__":
    run_command(main)
