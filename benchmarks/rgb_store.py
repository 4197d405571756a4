"""In which form to keep the pictures of clips: disk, and clips read per second of a core, beside decoding the video.

Frames of a video are cut to squares, written one after another to a temporary file in each form, and read back through
a memory map: clips of 8 and of 32 frames at random places, every frame decoded on its own, files in the page cache. The
figures measured so are in recordings/README.md.

reads:  a video
writes: nothing (prints a table)

    python -m benchmarks.rgb_store --video input/demo/imigue/imigue_rgb_train/0007/0007.mp4
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from miga.errors import run_command
from recordings.frames import count_frames, read_frames
from recordings.rgb_part import cut_window

FULL_COLOUR = (cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444)
SIZES = (64, 256)
LENGTHS = (8, 32)


@dataclass(frozen=True)
class Form:
    name: str
    suffix: str = ""  # of OpenCV's encoder; empty = raw bytes
    options: tuple[int, ...] = ()

    def encode(self, picture: np.ndarray) -> bytes:
        if not self.suffix:
            return picture.tobytes()
        return cv2.imencode(self.suffix, np.ascontiguousarray(picture[..., ::-1]), self.options)[1].tobytes()

    def decode(self, stored: np.ndarray, size: int) -> np.ndarray:
        if not self.suffix:
            return stored.reshape(size, size, 3)
        return np.asarray(cv2.imdecode(stored, cv2.IMREAD_COLOR_RGB))


FORMS = (
    Form("raw"),
    Form("jpeg 85", ".jpg", (cv2.IMWRITE_JPEG_QUALITY, 85)),
    Form("jpeg 90", ".jpg", (cv2.IMWRITE_JPEG_QUALITY, 90)),
    Form("jpeg 90, full colour", ".jpg", (cv2.IMWRITE_JPEG_QUALITY, 90, *FULL_COLOUR)),
    Form("jpeg 95", ".jpg", (cv2.IMWRITE_JPEG_QUALITY, 95)),
    Form("jpeg 95, full colour", ".jpg", (cv2.IMWRITE_JPEG_QUALITY, 95, *FULL_COLOUR)),
    Form("webp 90", ".webp", (cv2.IMWRITE_WEBP_QUALITY, 90)),
    Form("png", ".png", (cv2.IMWRITE_PNG_COMPRESSION, 3)),
)


def clips_per_second(read: Callable[[np.ndarray], object], num_frames: int, length: int, seconds: float) -> float:
    """How many clips of `length` ascending random frames `read` gets in a second."""
    rng, done, started = np.random.default_rng(0), 0, time.process_time()
    while (passed := time.process_time() - started) < seconds:
        read(np.sort(rng.choice(num_frames, length, replace=False)))
        done += 1
    return done / passed


def measure(form: Form, pictures: np.ndarray, folder: Path, seconds: float) -> list[str]:
    """One row of the table: KB a picture, decibels of the error, pictures written and clips read in a second."""
    started = time.process_time()
    encoded = [form.encode(picture) for picture in pictures]
    written = len(pictures) / (time.process_time() - started)
    ends = np.cumsum([0, *map(len, encoded)])
    (folder / "pictures.bin").write_bytes(b"".join(encoded))
    stored, size = np.memmap(folder / "pictures.bin", np.uint8, "r"), pictures.shape[1]

    def read(indexes: np.ndarray) -> np.ndarray:
        return np.stack([form.decode(stored[ends[i] : ends[i + 1]], size) for i in indexes.tolist()])

    error = np.square(read(np.arange(len(pictures))).astype(np.float32) - pictures).mean()
    decibels = f"{10 * np.log10(255**2 / error):.1f}" if error else "exact"
    speeds = [f"{clips_per_second(read, len(pictures), length, seconds):.0f}" for length in LENGTHS]
    return [form.name, f"{ends[-1] / len(pictures) / 1e3:.2f}", decibels, f"{written:.0f}", *speeds]


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--video", type=Path, required=True)
    parser.add_argument("--frames", type=int, default=200, help="how many frames from its beginning are used")
    parser.add_argument("--seconds", type=float, default=0.5, help="for each measurement of reading")
    args = parser.parse_args(argv)
    cv2.setNumThreads(1)
    num_frames = min(args.frames, count_frames(args.video))
    frames = read_frames(args.video, range(num_frames))
    side, width = frames.shape[1], frames.shape[2]
    print(f"{num_frames} frames of {width}x{side}, their middle square; seconds are of one core\n")
    print("| size | form | KB a picture | PSNR, dB | written/s | clips of 8 read/s | clips of 32 read/s |")
    print("|---|---|---|---|---|---|---|")
    speeds = [
        f"{clips_per_second(lambda i: read_frames(args.video, i), num_frames, n, args.seconds):.0f}" for n in LENGTHS
    ]
    print(f"| as filmed | the video itself | | | | {speeds[0]} | {speeds[1]} |")
    with tempfile.TemporaryDirectory() as folder:
        for size in SIZES:
            window = ((width - side) // 2, 0, side, side)
            pictures = np.stack([cut_window(frame, window, size) for frame in frames])
            for form in FORMS:
                print(f"| {size} | {' | '.join(measure(form, pictures, Path(folder), args.seconds))} |", flush=True)


if __name__ == "__main__":
    run_command(main)
