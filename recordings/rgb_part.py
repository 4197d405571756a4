"""One part of the store of pictures: the videos of a few clips, decoded, cut around the person and written."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np

from miga.errors import InputError
from miga.files import replacing
from recordings.frames import count_frames, stream_frames

MAX_TAIL = 30  # frames by which a film may end before its skeleton, and no more than a twentieth of it


@dataclass(frozen=True)
class ClipCut:
    """What to cut from a video for one clip."""

    row: int  # in the clip table
    start: int  # first frame in the video
    num_frames: int
    box: tuple[int, int, int, int]  # in the joints' pixels
    table_size: tuple[int, int]  # (height, width) of the picture the joints lie in
    is_test: bool  # a test clip that cannot be decoded is left without pictures


def tail_of(film_frames: int, end: int, num_frames: int) -> int:
    """How many frames of a clip that ends before frame `end` the last picture of a shorter film stands for.

    Cameras and skeletons of one recording rarely stop at once; a film that lacks more is not that of the recording, and
    has no tail.
    """
    missing = end - film_frames
    return missing if 0 < missing <= min(MAX_TAIL, num_frames // 20) else 0


Part = list[tuple[str, list[ClipCut]]]  # videos with their clips


def make_part(part: Part, making: Path, number: int, size: int, form: str) -> int:
    """Write one part: its pictures, then (last) which frame lies where. Returns its number."""
    cv2.setNumThreads(1)  # the two processes are the parallelism
    with replacing(part_file(making, number)) as temporary, open(temporary, "wb+") as file:
        writer = _PartWriter(file, size, form)
        for path, cuts in part:
            writer.add(Path(path), cuts)
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    boxes, faults = writer.boxes, writer.faults
    with replacing(part_index(making, number)) as temporary, open(temporary, "wb") as file:
        np.savez(
            file,
            places=np.array(writer.places, np.int64).reshape(-1, 4),
            rows=np.array(sorted(boxes), np.int64),
            boxes=np.array([boxes[row] for row in sorted(boxes)]).reshape(-1, 4),
            sha256=np.array(digest),
            undecodable=np.array(list(faults), np.int64),
            why=np.array(list(faults.values()), np.str_),
        )
    return number


@dataclass
class _PartWriter:
    """Appends pictures to the file of a part and remembers where they lie.

    places: row, frame of the clip, first byte, last byte + 1. boxes: row -> what its pictures show.
    faults: row of a test clip that cannot be decoded -> what is wrong.
    """

    file: BinaryIO
    size: int
    form: str
    places: list[tuple[int, int, int, int]] = field(default_factory=list)
    boxes: dict[int, tuple[float, ...]] = field(default_factory=dict)
    faults: dict[int, str] = field(default_factory=dict)

    def add(self, path: Path, cuts: list[ClipCut]) -> None:
        """Write the pictures of a video's clips. When a test video breaks off, each of its clips is tried alone.

        Raises:
            InputError: a training video cannot be read.
        """
        first_byte, num_places = self.file.tell(), len(self.places)
        try:
            self._decode(path, cuts)
        except InputError as error:
            if not all(cut.is_test for cut in cuts):
                raise
            self.file.seek(first_byte)
            self.file.truncate()
            del self.places[num_places:]
            for cut in cuts:
                self.boxes.pop(cut.row, None)
            if len(cuts) == 1:
                self.faults[cuts[0].row] = str(error)
                return
            for cut in cuts:
                self.add(path, [cut])

    def _decode(self, path: Path, cuts: list[ClipCut]) -> None:
        film_frames = count_frames(path)
        tails = {c.row: tail_of(film_frames, c.start + c.num_frames, c.num_frames) for c in cuts}
        wanted = np.unique(np.concatenate([np.arange(c.start, c.start + c.num_frames - tails[c.row]) for c in cuts]))
        for frame, picture in zip(wanted.tolist(), stream_frames(path, wanted), strict=True):
            for cut in cuts:
                if not cut.start <= frame < cut.start + cut.num_frames:
                    continue
                window, self.boxes[cut.row] = pixel_window(cut.box, cut.table_size, picture.shape[:2])
                first = self.file.tell()
                self.file.write(_encoded(cut_window(picture, window, self.size), self.form))
                self.places.append((cut.row, frame - cut.start, first, self.file.tell()))
                if tails[cut.row] and frame == film_frames - 1:
                    behind = range(cut.num_frames - tails[cut.row], cut.num_frames)
                    self.places += [(cut.row, number, first, self.file.tell()) for number in behind]


def pixel_window(
    box: tuple[int, int, int, int], table_size: tuple[int, int], picture_size: tuple[int, int]
) -> tuple[tuple[int, int, int, int], tuple[float, float, float, float]]:
    """Bring a box from the joints' pixels to whole pixels of a video that may have another size.

    Args:
        box: (left, top, right, bottom) in the joints' pixels.
        table_size: (height, width) of the picture that the joints lie in.
        picture_size: (height, width) of the decoded pictures.
    Returns:
        (left, top, width, height) in pixels of the video, and that window as a box in the joints' pixels.
    """
    x, y = picture_size[1] / table_size[1], picture_size[0] / table_size[0]
    left, top = round(box[0] * x), round(box[1] * y)
    width, height = max(1, round((box[2] - box[0]) * x)), max(1, round((box[3] - box[1]) * y))
    return (left, top, width, height), (left / x, top / y, (left + width) / x, (top + height) / y)


def cut_window(picture: np.ndarray, window: tuple[int, int, int, int], size: int) -> np.ndarray:
    """Cut (left, top, width, height) from (H, W, 3), black outside it, and resize it without aliasing."""
    left, top, width, height = window
    canvas = np.zeros((height, width, 3), np.uint8)
    rows = slice(max(top, 0), max(min(top + height, picture.shape[0]), 0))
    columns = slice(max(left, 0), max(min(left + width, picture.shape[1]), 0))
    seen = picture[rows, columns]
    y, x = rows.start - top, columns.start - left
    canvas[y : y + seen.shape[0], x : x + seen.shape[1]] = seen
    shrinks = width > size and height > size
    return cv2.resize(canvas, (size, size), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def _encoded(picture: np.ndarray, form: str) -> bytes:
    if form == "raw":
        return picture.tobytes()
    quality = int(form.removeprefix("jpeg "))
    # Colour at full resolution: a hand is a few pixels wide.
    options = [
        cv2.IMWRITE_JPEG_QUALITY,
        quality,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    ]
    _, encoded = cv2.imencode(".jpg", np.ascontiguousarray(picture[..., ::-1]), options)
    return encoded.tobytes()


def part_file(making: Path, number: int) -> Path:
    return making / f"pictures_{number:04d}.bin"


def part_index(making: Path, number: int) -> Path:
    return making / f"places_{number:04d}.npz"
