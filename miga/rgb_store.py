"""Reading the store of pictures: every frame of every clip of track 1, cut around the person, at once.

`recordings.rgb_store` makes it: clips/<run>/track1/rgb_<size>/ with pictures_<n>.bin, index.npy, boxes.npy, meta.json.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from miga.clips import Clips, load_clips, videos_as_clips
from miga.errors import InputError
from miga.paths import rgb_store_dir

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
                picture[:] = np.asarray(cv2.imdecode(stored, cv2.IMREAD_COLOR_RGB))
        return pictures[inverse]


def has_rgb(clips: Clips) -> bool:
    """Whether the recordings came with pictures: whether any clip has some."""
    return bool(clips.has_frames.any())


def check_training_clips_have_rgb(clips: Clips) -> None:
    """Raise InputError, naming clips, unless every training clip has pictures."""
    if not has_rgb(clips):
        raise InputError(
            "the recordings have no RGB, so nothing can be trained on pictures; give the folder of their videos to "
            "recordings.prepare as --rgb1 DIR (--rgb2 DIR for track 2), or leave the RGB models out"
        )
    is_train = (clips.table.split == "train").to_numpy()
    missing = clips.table.clip_id[is_train & ~clips.has_frames].tolist()
    if missing:
        more = f" and {len(missing) - NAMES_SHOWN} more" if len(missing) > NAMES_SHOWN else ""
        raise InputError(
            f"{len(missing)} of {is_train.sum()} training clips have no RGB while the others have it: "
            f"{', '.join(missing[:NAMES_SHOWN])}{more}; put their videos beside the others and run recordings.prepare "
            "again, or take their label rows out"
        )


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


def is_store_of(folder: Path, identity: dict) -> bool:
    """Whether `folder` holds the finished store of this identity."""
    meta = folder / "meta.json"
    return meta.exists() and identity.items() <= json.loads(meta.read_text()).items()


def pictured(run: str, track: str) -> Clips:
    """What a store has the pictures of: the clips of track 1, or the whole videos of track 2, a row each."""
    clips = load_clips(run, track)
    return clips if track == "track1" else videos_as_clips(clips)


def open_rgb_store(run: str, size: int, track: str = "track1") -> RgbStore:
    """Open what `recordings.rgb_store` made; a row of track 2's is a video.

    Raises:
        InputError: it is not there, or belongs to other recordings.
    """
    clips, folder = pictured(run, track), rgb_store_dir(run, size, track)
    command = f"python -m recordings.rgb_store --run {run} --track {track} --size {size}"
    if not (folder / "meta.json").exists():
        raise InputError(f"{folder}: no pictures of {size} pixels; run `{command}` first")
    if not is_store_of(folder, identity(clips, size)):
        wrong = f"{folder}: made from other recordings than clips/{run}/{track}"
        raise InputError(f"{wrong}; run `{command}` to make it again")
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


def first_frames(clips: Clips) -> np.ndarray:
    """(clips + 1,) number of each clip's first frame among all that a store has; a clip without pictures has none."""
    return np.concatenate([[0], np.cumsum(np.where(clips.has_frames, clips.table.num_frames.to_numpy(), 0))])


def pictures_sha256(run: str, size: int, track: str = "track1") -> str:
    """Hash of everything that networks see of a finished store."""
    return json.loads((rgb_store_dir(run, size, track) / "meta.json").read_text())["pictures_sha256"]


def clips_with_pictures(run: str, size: int, track: str = "track1") -> np.ndarray:
    """(rows,) bool: of which clips, or videos of track 2, a finished store holds the pictures."""
    return np.load(rgb_store_dir(run, size, track) / "boxes.npy", allow_pickle=False).any(axis=1)
