"""Train PoseC3D on joint or limb heatmaps and write its out-of-fold logits.

reads:  clips/<run>/track1/, folds/<run>.csv
writes: checkpoints/<run>/posec3d_<input>/fold<k>/, oof/<run>/posec3d_<input>.npz and .json

    python -m models.posec3d.train --run demo --fold all [--input limb] [--profile paper] [--field value ...]
"""

from miga.errors import run_command
from models.command.entry import train_entry
from models.posec3d.entry import ENTRY


def main(argv: list[str] | None = None) -> None:
    train_entry(ENTRY, argv)


if __name__ == "__main__":
    run_command(main)
