"""The pictures of track 1's clips, decoded once, cut around the person and kept so that any frame is read at once.

reads:  clips/<run>/track1/, the videos or folders of images that its table names
writes: clips/<run>/track1/rgb_<size>/: pictures_<n>.bin, index.npy, boxes.npy, meta.json

    python -m datasets.rgb_store --run demo --size 64

Every frame of every clip is kept as size x size pixels of one square around the person (`datasets.person_box`), black
where the square leaves the picture. Small pictures are kept as raw bytes, larger ones as JPEG: see the measurements in
datasets/README.md. Preparing the recordings again removes the store with the clips that it belongs to.
"""

import argparse
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from datasets.clips import Clips, load_clips
from datasets.errors import InputError, run_command
from datasets.paths import check_run_name, rgb_store_dir
from datasets.rgb_build import build, first_frames, is_store_of

FORMAT = 2  # raise it when the same recordings no longer give the same bytes
RAW_SIZE = 96  # pixels; up to this size pictures are raw: a JPEG of 64 pixels costs more to open than to train on
JPEG_QUALITY = 90
NAMES_SHOWN = 5


@dataclass(frozen=True, eq=False)
class RgbStore:
    """The pictures of every clip of a run's track 1.

    boxes: (clips, 4) float32 left, top, right, bottom: what a clip's pictures show, in the pixels that its joints are
        given in. A square up to the rounding to whole pixels of the video. Zeros: a test clip without pictures.
    """

    size: int  # pixels, height and width of every picture
    boxes: np.ndarray
    first_frame: np.ndarray  # (clips + 1,) number of each clip's first frame among all frames
    index: np.ndarray  # (frames, 3) int64 file, first byte, last byte + 1
    files: tuple[np.ndarray, ...]  # memory-mapped bytes
    is_raw: bool

    def read(self, row: int, indexes: np.ndarray) -> np.ndarray:
        """Frames `indexes` (N,) of the clip in row `row` of the clip table: (N, size, size, 3) uint8 RGB.

        Raises:
            IndexError: the clip has no such frame.
        """
        start, end = self.first_frame[row], self.first_frame[row + 1]
        wanted, inverse = np.unique(np.asarray(indexes), return_inverse=True)  # a short clip repeats its frames
        if len(wanted) and not 0 <= wanted[0] <= wanted[-1] < end - start:
            raise IndexError(f"clip {row} has the frames 0 to {end - start - 1}, asked for {wanted[0]} to {wanted[-1]}")
        pictures = np.empty((len(wanted), self.size, self.size, 3), np.uint8)
        for picture, (file, first, last) in zip(pictures, self.index[start + wanted].tolist(), strict=True):
            stored = self.files[file][first:last]
            if self.is_raw:
                picture[:] = stored.reshape(picture.shape)
            else:
                picture[:] = cv2.imdecode(stored, cv2.IMREAD_COLOR_RGB)
        return pictures[inverse]


def has_rgb(clips: Clips) -> bool:
    """Whether the recordings came with pictures: whether any clip has some."""
    return bool(clips.has_frames.any())


def identity(clips: Clips, size: int) -> dict:
    """What a store was made from and how; two stores of one identity have the same bytes."""
    form = "raw" if size <= RAW_SIZE else f"jpeg {JPEG_QUALITY}"
    frames = clips.table[["clip_id", "frames_start"]][clips.has_frames].to_csv(index=False)
    return {
        "format": FORMAT,
        "size": size,
        "form": form,
        "content_sha256": clips.meta["content_sha256"],
        "frames_sha256": hashlib.sha256(frames.encode()).hexdigest(),
    }


def build_rgb_store(run: str, size: int) -> None:
    """Make the store of this size unless it is there; a killed build goes on where it was.

    Raises:
        InputError: the recordings have no RGB, or some training clips have none, or their video cannot be read.
    """
    clips = load_clips(run, "track1")
    check_training_clips_have_rgb(clips)
    if size < 1:
        raise InputError(f"--size {size}: expected the side of the stored pictures in pixels, at least 1")
    folder, expected = rgb_store_dir(run, size), identity(clips, size)
    if not is_store_of(folder, expected):
        build(clips, folder, expected)


def check_training_clips_have_rgb(clips: Clips) -> None:
    """Raise InputError, naming clips, unless every training clip has pictures."""
    if not has_rgb(clips):
        raise InputError(
            "track 1 has no RGB, so nothing can be trained on pictures; give the folder of its videos to "
            "datasets.prepare as --rgb1 DIR, or leave the RGB models out"
        )
    is_train = (clips.table.split == "train").to_numpy()
    missing = clips.table.clip_id[is_train & ~clips.has_frames].tolist()
    if missing:
        more = f" and {len(missing) - NAMES_SHOWN} more" if len(missing) > NAMES_SHOWN else ""
        raise InputError(
            f"{len(missing)} of {is_train.sum()} training clips have no RGB while the others have it: "
            f"{', '.join(missing[:NAMES_SHOWN])}{more}; put their videos beside the others and run datasets.prepare "
            "again, or take their label rows out"
        )


def open_rgb_store(run: str, size: int) -> RgbStore:
    """Open what `build_rgb_store` made.

    Raises:
        InputError: it is not there, or belongs to other recordings.
    """
    clips = load_clips(run, "track1")
    folder, command = rgb_store_dir(run, size), f"python -m datasets.rgb_store --run {run} --size {size}"
    if not (folder / "meta.json").exists():
        raise InputError(f"{folder}: no pictures of {size} pixels; run `{command}` first")
    if not is_store_of(folder, identity(clips, size)):
        raise InputError(f"{folder}: made from other recordings than clips/{run}; run `{command}` to make it again")
    meta = json.loads((folder / "meta.json").read_text())
    cv2.setNumThreads(1)  # folds and loader workers are the parallelism
    return RgbStore(
        size=size,
        boxes=np.load(folder / "boxes.npy", allow_pickle=False),
        first_frame=first_frames(clips),
        index=np.load(folder / "index.npy", mmap_mode="r", allow_pickle=False),
        files=tuple(_mapped(folder / name) for name in meta["files"]),
        is_raw=meta["form"] == "raw",
    )


def _mapped(path: Path) -> np.ndarray:
    """The bytes of a file, in memory only where they are read; a part without any picture is an empty file."""
    return np.memmap(path, np.uint8, "r") if path.stat().st_size else np.zeros(0, np.uint8)


def pictures_sha256(run: str, size: int) -> str:
    """Hash of everything that networks see of a finished store."""
    return json.loads((rgb_store_dir(run, size) / "meta.json").read_text())["pictures_sha256"]


def clips_with_pictures(run: str, size: int) -> np.ndarray:
    """(clips,) bool: of which clips a finished store holds the pictures."""
    return np.load(rgb_store_dir(run, size) / "boxes.npy", allow_pickle=False).any(axis=1)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", required=True, help="name of the data set, as given to datasets.prepare")
    wanted = parser.add_mutually_exclusive_group(required=True)
    wanted.add_argument("--size", type=int, help="side of the stored pictures in pixels")
    wanted.add_argument("--has-rgb", action="store_true", help="make nothing; exit status 0 when clips have pictures")
    args = parser.parse_args(argv)
    check_run_name(args.run)
    if args.has_rgb:
        raise SystemExit(0 if has_rgb(load_clips(args.run, "track1")) else 1)
    folder = rgb_store_dir(args.run, args.size)
    if is_store_of(folder, identity(load_clips(args.run, "track1"), args.size)):
        print(f"{folder} is up to date, skipped")
    else:
        build_rgb_store(args.run, args.size)


if __name__ == "__main__":
    run_command(main)
