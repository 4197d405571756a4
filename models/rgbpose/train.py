"""Train RGBPose-Conv3D on pictures and heatmaps of joints or limbs in three steps and write its out-of-fold logits.

reads:  clips/<run>/track1/, folds/<run>.csv
writes: clips/<run>/track1/rgb_<size>/ where it is not there yet, checkpoints/<run>/rgbpose_<input>/fold<k>/,
        checkpoints/<run>/starts/ (pathways alone), oof/<run>/rgbpose_<input>.npz and .json

    python -m models.rgbpose.train --run demo --fold all [--input limb] [--profile paper] [--field value ...]
"""

from miga.errors import run_command
from models.command.entry import train_entry
from models.rgbpose.entry import ENTRY


def main(argv: list[str] | None = None) -> None:
    train_entry(ENTRY, argv)


if __name__ == "__main__":
    run_command(main)
