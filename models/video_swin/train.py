"""Train Video Swin on RGB clips and write its out-of-fold logits.

reads:  clips/<run>/track1/ with its store of pictures, folds/<run>.csv
writes: checkpoints/<run>/video_swin_<size>/fold<k>/, oof/<run>/video_swin_<size>.npz and .json

    python -m models.video_swin.train --run demo --fold all [--size B] [--profile paper] [--field value ...]
"""

from miga.errors import run_command
from models.command.entry import train_entry
from models.video_swin.entry import ENTRY


def main(argv: list[str] | None = None) -> None:
    train_entry(ENTRY, argv)


if __name__ == "__main__":
    run_command(main)
