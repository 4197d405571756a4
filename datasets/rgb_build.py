"""Make the store of pictures: decode each video once, cut every clip's square, write it in resumable parts.

A part holds the pictures of a few videos and is written whole or not at all into a hidden folder beside the store; a
killed build keeps its finished parts. Which video goes to which part depends on the clip table alone, so the bytes do
not depend on kills or on the number of processes. Memory holds one picture of a video, not the video.
"""

import json
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from joblib import Parallel, delayed

from datasets.clips import Clips
from datasets.files import holding, replacing, write_json
from datasets.frames import stream_frames
from datasets.person_box import visible_square

PART_CLIPS = 16  # a part ends with the first video that brings it to this many clips
NUM_PROCESSES = 2  # decoding and resizing
PROGRESS_SEC = 10.0


@dataclass(frozen=True)
class ClipCut:
    """What to cut from a video for one clip."""

    row: int  # in the clip table
    start: int  # first frame in the video
    num_frames: int
    box: tuple[int, int, int, int]  # in the joints' pixels
    table_size: tuple[int, int]  # (height, width) of the picture the joints lie in


Part = list[tuple[str, list[ClipCut]]]  # videos with their clips


def is_store_of(folder: Path, identity: dict) -> bool:
    """Whether `folder` holds the finished store of this identity."""
    meta = folder / "meta.json"
    return meta.exists() and identity.items() <= json.loads(meta.read_text()).items()


def build(clips: Clips, folder: Path, identity: dict) -> None:
    """Make the store `folder`; `identity` goes into its meta.json. Processes that want the same store wait in turn.

    Raises:
        InputError: a video cannot be read.
    """
    with holding(folder.parent):
        if is_store_of(folder, identity):
            return  # another process made it while this one waited
        if folder.exists():
            print(f"{folder}: made from other recordings or in another form, made again", flush=True)
            shutil.rmtree(folder)
        making = folder.with_name(f".{folder.name}.making")
        _begin(making, identity)
        parts = _plan(clips)
        _make_parts(parts, making, identity, folder)
        index, boxes = _assemble(making, clips, len(parts))
        for name, array in (("index.npy", index), ("boxes.npy", boxes)):
            with replacing(making / name) as temporary:
                np.save(temporary, array)
        for number in range(len(parts)):
            _part_index(making, number).unlink(missing_ok=True)
        write_json(making / "meta.json", {**identity, "files": [_part_file(making, n).name for n in range(len(parts))]})
        (making / "making.json").unlink()
        making.rename(folder)
    megabytes = sum(file.stat().st_size for file in folder.iterdir()) / 1e6
    print(f"  {len(index)} pictures of {len(clips)} clips, {megabytes:.0f} MB -> {folder}", flush=True)


def _begin(making: Path, identity: dict) -> None:
    """Keep the finished parts of a killed build of the same store, remove anything else."""
    note = making / "making.json"
    if making.exists() and not (note.exists() and json.loads(note.read_text()) == identity):
        shutil.rmtree(making)
    making.mkdir(exist_ok=True)
    for leftover in making.glob(".*.tmp*"):
        leftover.unlink()
    write_json(note, identity)


def _plan(clips: Clips) -> list[Part]:
    """Sort the clips by video, in the order of the table, and videos into parts."""
    path2cuts: dict[str, list[ClipCut]] = {}
    columns = ["frames_path", "frames_start", "num_frames", "height", "width"]
    for row, (path, start, num_frames, *size) in enumerate(clips.table[columns].itertuples(index=False, name=None)):
        box = visible_square(clips.joints_of(row), tuple(size))
        path2cuts.setdefault(os.path.abspath(path), []).append(ClipCut(row, start, num_frames, box, tuple(size)))
    parts: list[Part] = [[]]
    for video in path2cuts.items():
        if sum(len(cuts) for _, cuts in parts[-1]) >= PART_CLIPS:
            parts.append([])
        parts[-1].append(video)
    return parts


def _make_parts(parts: list[Part], making: Path, identity: dict, folder: Path) -> None:
    """Write the parts that are not there yet, two processes side by side, and say how long it will take."""
    waiting = [number for number in range(len(parts)) if not _part_index(making, number).exists()]
    frames = {number: sum(cut.num_frames for _, cuts in parts[number] for cut in cuts) for number in waiting}
    done, total, started = 0, sum(frames.values()), time.monotonic()
    kept = f", {len(parts) - len(waiting)} of {len(parts)} parts are there" if len(waiting) < len(parts) else ""
    print(f"{folder}: decoding {total} frames of clips{kept} ...", flush=True)
    processes = min(NUM_PROCESSES, os.cpu_count() or 1, max(1, len(waiting)))
    # Whole paths: a process that joblib kept from an earlier call may stand in another folder.
    whole = making.absolute()
    tasks = (delayed(_make_part)(parts[n], whole, n, identity["size"], identity["form"]) for n in waiting)
    last_print = started
    for number in Parallel(n_jobs=processes, return_as="generator_unordered", batch_size=1)(tasks):
        done += frames[number]
        now = time.monotonic()
        if now - last_print >= PROGRESS_SEC:
            last_print = now
            left = (now - started) * (total - done) / done
            print(f"  {done} of {total} frames, {left:.0f} s left", flush=True)


def _make_part(part: Part, making: Path, number: int, size: int, form: str) -> int:
    """Write one part: its pictures, then (last) which frame lies where. Returns its number."""
    cv2.setNumThreads(1)  # the two processes are the parallelism
    places: list[tuple[int, int, int, int]] = []  # row, frame of the clip, first byte, last byte + 1
    boxes: dict[int, tuple[float, ...]] = {}
    with replacing(_part_file(making, number)) as temporary, open(temporary, "wb") as file:
        for path, cuts in part:
            wanted = np.unique(np.concatenate([np.arange(c.start, c.start + c.num_frames) for c in cuts]))
            for frame, picture in zip(wanted.tolist(), stream_frames(Path(path), wanted), strict=True):
                for cut in cuts:
                    if not cut.start <= frame < cut.start + cut.num_frames:
                        continue
                    window, boxes[cut.row] = pixel_window(cut.box, cut.table_size, picture.shape[:2])
                    first = file.tell()
                    file.write(_encoded(cut_window(picture, window, size), form))
                    places.append((cut.row, frame - cut.start, first, file.tell()))
    with replacing(_part_index(making, number)) as temporary, open(temporary, "wb") as file:
        rows = np.array(sorted(boxes))
        np.savez(file, places=np.array(places), rows=rows, boxes=np.array([boxes[row] for row in rows.tolist()]))
    return number


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


def _assemble(making: Path, clips: Clips, num_parts: int) -> tuple[np.ndarray, np.ndarray]:
    """Join the parts' indexes: (frames, 3) file and bytes of every frame of every clip, and boxes (clips, 4)."""
    first_frame = np.concatenate([[0], np.cumsum(clips.table.num_frames.to_numpy())])
    index = np.zeros((first_frame[-1], 3), np.int64)
    boxes = np.zeros((len(clips), 4), np.float32)
    for number in range(num_parts):
        with np.load(_part_index(making, number), allow_pickle=False) as part:
            row, frame, first, last = part["places"].T
            index[first_frame[row] + frame] = np.stack([np.full_like(first, number), first, last], axis=1)
            boxes[part["rows"]] = part["boxes"]
    return index, boxes


def _part_file(making: Path, number: int) -> Path:
    return making / f"pictures_{number:04d}.bin"


def _part_index(making: Path, number: int) -> Path:
    return making / f"places_{number:04d}.npz"
