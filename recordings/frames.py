"""Read exactly the frames asked for, from any video that PyAV opens or from a folder of numbered images.

Frame i is the i-th picture that the decoder shows, counted from 0; headers are not believed. Pictures and sizes are
those that a player shows: turned as the metadata of a film (`recordings.upright`) or of an image (EXIF) say.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from miga.errors import InputError
from recordings.listing import IMAGE_SUFFIXES, visible_children
from recordings.video import index_of, open_video, read_video


@dataclass(frozen=True)
class VideoInfo:
    """`fps` is 0 where the container (or a folder of images) does not say."""

    num_frames: int
    width: int
    height: int
    fps: float


def count_frames(path: Path | str) -> int:
    """How many frames can be read, without decoding. In a folder of images: the last image's index plus one.

    Raises:
        InputError: the file is missing, empty, cut off or no video.
    """
    return probe(path).num_frames


def probe(path: Path | str) -> VideoInfo:
    """Frame count, picture size as shown and frame rate, from one decoded picture; errors as count_frames."""
    path = Path(path)
    if path.is_dir():
        index2image = list_images(path)
        first = _read_image(index2image[min(index2image)])
        return VideoInfo(max(index2image) + 1, first.shape[1], first.shape[0], 0.0)
    index = index_of(path)
    first = next(read_video(path, np.zeros(1, np.int64)))
    with open_video(path) as (_, stream):
        return VideoInfo(index.num_frames, first.shape[1], first.shape[0], float(stream.average_rate or 0))


def read_frames(path: Path | str, indexes: Iterable[int]) -> np.ndarray:
    """Read these frames, in this order, repeats included.

    Args:
        path: a video file, or a folder of images such as 000123.jpg.
        indexes: (N,) frame numbers from 0, any order; in order is one pass through the file.
    Returns:
        (N, H, W, 3) uint8 RGB.
    Raises:
        InputError: the file is missing or broken, or has no such frame.
    """
    path = Path(path)
    wanted, inverse = np.unique(np.asarray(list(indexes), np.int64), return_inverse=True)
    if len(wanted) == 0:
        raise ValueError("read_frames needs at least one index")
    if wanted[0] < 0:
        raise InputError(f"{path}: no frame {wanted[0]}; frames count from 0")
    frames = np.empty(0, np.uint8)
    for number, picture in enumerate(stream_frames(path, wanted)):
        if number == 0:
            frames = np.empty((len(wanted), *picture.shape), np.uint8)
        if picture.shape != frames.shape[1:]:
            raise InputError(f"{path}: frame {wanted[number]} is {picture.shape[:2]}, the first {frames.shape[1:3]}")
        frames[number] = picture
    is_plain = len(inverse) == len(wanted) and bool((inverse == np.arange(len(wanted))).all())
    return frames if is_plain else frames[inverse]


def stream_frames(path: Path, wanted: np.ndarray) -> Iterator[np.ndarray]:
    """Yield (H, W, 3) uint8 RGB of the frames `wanted` (N,), which ascend without repeats: one pass, one in memory.

    Raises:
        InputError: as `read_frames`, when the bad frame is reached.
    """
    return _read_folder(path, wanted) if path.is_dir() else read_video(path, wanted)


def list_images(folder: Path) -> dict[int, Path]:
    """Frame index -> image. The index is the number in the name, less one where they run 1, 2, 3, ... without a gap.

    (Participants name images by the label's frame number, which counts from 0; ffmpeg counts from 1.)

    Raises:
        InputError: no images, or two with one number.
    """
    number2image: dict[int, Path] = {}
    for image in (Path(child.path) for child in visible_children(folder)):
        digits = re.findall(r"\d+", image.stem)
        if image.suffix.lower() not in IMAGE_SUFFIXES or not digits:
            continue
        number = int(digits[-1])
        if number in number2image:
            raise InputError(
                f"{folder}: {number2image[number].name} and {image.name} are both frame {number}; remove one"
            )
        number2image[number] = image
    if not number2image:
        raise InputError(f"{folder}: no frame images such as 000123.jpg in it; check the folder")
    first = 1 if min(number2image) == 1 and max(number2image) == len(number2image) else 0
    return {number - first: image for number, image in number2image.items()}


def _read_folder(folder: Path, wanted: np.ndarray) -> Iterator[np.ndarray]:
    index2image = list_images(folder)
    for index in wanted.tolist():
        if index not in index2image:
            raise InputError(
                f"{folder}: no image for frame {index}; it has {len(index2image)}, from {min(index2image)} to "
                f"{max(index2image)}"
            )
        yield _read_image(index2image[index])


def _read_image(path: Path) -> np.ndarray:
    """(H, W, 3) uint8 RGB, turned as its EXIF says."""
    if not path.is_file():
        raise InputError(f"{path}: a link to nothing; remove it or restore what it points to")
    data = np.fromfile(path, np.uint8)
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR_RGB) if len(data) else None
    if picture is None:
        raise InputError(f"{path}: the image cannot be decoded, it may be cut off; copy it again")
    return picture
