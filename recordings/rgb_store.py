"""The pictures of clips, decoded once, cut around the person and kept so that any frame is read at once.

reads:  clips/<run>/<track>/, the videos or folders of images that its table names
writes: clips/<run>/<track>/rgb_<size>/: pictures_<n>.bin, index.npy, boxes.npy, meta.json

    python -m recordings.rgb_store --run demo --size 64                   # the clips of track 1
    python -m recordings.rgb_store --run demo --size 48 --track track2    # the whole videos of track 2

Every frame of every clip is kept as size x size pixels of one square around the person (`miga.person_box`), black
where the square leaves the picture. Small pictures are kept as raw bytes, larger ones as JPEG: see the measurements in
recordings/README.md. Preparing the recordings again removes the store with the clips that it belongs to.
"""

import argparse

from miga.errors import InputError, run_command
from miga.paths import TRACKS, check_run_name, rgb_store_dir
from miga.rgb_store import check_training_clips_have_rgb, identity, is_store_of, pictured
from recordings.rgb_build import build


def build_rgb_store(run: str, size: int, track: str = "track1") -> None:
    """Make the store of this size unless it is there; a killed build goes on where it was.

    Raises:
        InputError: the recordings have no RGB, or some training clips have none, or their video cannot be read.
    """
    clips = pictured(run, track)
    check_training_clips_have_rgb(clips)
    if size < 1:
        raise InputError(f"--size {size}: expected the side of the stored pictures in pixels, at least 1")
    folder, expected = rgb_store_dir(run, size, track), identity(clips, size)
    if not is_store_of(folder, expected):
        build(clips, folder, expected)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", required=True, help="name of the data set, as given to recordings.prepare")
    parser.add_argument("--track", choices=TRACKS, default=TRACKS[0])
    parser.add_argument("--size", type=int, required=True, help="side of the stored pictures in pixels")
    args = parser.parse_args(argv)
    check_run_name(args.run)
    folder = rgb_store_dir(args.run, args.size, args.track)
    if is_store_of(folder, identity(pictured(args.run, args.track), args.size)):
        print(f"{folder} is up to date, skipped")
    else:
        build_rgb_store(args.run, args.size, args.track)


if __name__ == "__main__":
    run_command(main)
