"""Frames of one video file by number: an index of it, made once, and the nearest place to start decoding from.

A read jumps to the last keyframe that is certainly at or before the wanted frame and decodes on from there, once
through in order. Containers whose timestamps cannot be trusted (avi) are decoded from the beginning.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from miga.errors import InputError
from recordings.upright import Turn, turn_of


@dataclass(frozen=True)
class VideoIndex:
    """Where a reader may enter a video.

    times: (N,) when each frame is shown, in the stream's unit; only has to be good enough to seek by.
    position2number: byte position of each keyframe -> its number among the packets; empty where it is of no use.
    """

    num_frames: int
    times: np.ndarray
    position2number: dict[int, int]


@contextmanager
def open_video(path: Path) -> Iterator[tuple[av.container.InputContainer, av.VideoStream]]:
    """Open a file and its video stream; what cannot be opened becomes one sentence."""
    if not path.is_file():
        raise InputError(f"{path}: no such video; check the path")
    if path.stat().st_size == 0:
        raise InputError(f"{path}: the video file is empty (0 bytes); copy it again")
    try:
        container = av.open(str(path))
    except av.FFmpegError as error:
        raise InputError(
            f"{path}: not a readable video, it may be cut off ({error.strerror}); copy it again"
        ) from error
    with container:
        stream = cast(av.VideoStream | None, container.streams.best("video"))  # not the first, it may be a cover
        if stream is None:
            raise InputError(f"{path}: has no video stream; check the file")
        # Loader workers are the parallelism; threads inside each would fight over the same cores.
        stream.codec_context.thread_count = 1
        yield container, stream


def index_of(path: Path) -> VideoIndex:
    """The index of a video; made when it is first asked for. Errors as `recordings.frames.count_frames`."""
    if not path.is_file():
        raise InputError(f"{path}: no such video; check the path")
    status = path.stat()
    return _cached_index(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=1024)
def _cached_index(path: Path, size: int, mtime_ns: int) -> VideoIndex:
    """The key holds size and time, so that a rewritten file is looked at anew."""
    with open_video(path) as (container, stream):
        names = container.format.name.split(",")
        packets = _listed_packets(stream, size) if "mp4" in names else None
        try:
            packets = _scanned_packets(container, stream) if packets is None else packets
        except av.FFmpegError as error:
            raise InputError(f"{path}: the video breaks off ({error.strerror}); copy it again") from error
    is_key, is_shown, positions, times = packets
    num_frames = int(is_shown.sum())
    if num_frames == 0:
        raise InputError(f"{path}: not a single whole frame in the video; copy it again")
    # Where packets are hidden, or timestamps are guesses (avi), the packet number does not tell the frame.
    is_certain = "avi" not in names and bool(is_shown.all())
    numbers = np.flatnonzero(is_key) if is_certain else np.zeros(0, np.int64)
    return VideoIndex(num_frames, times, {int(positions[number]): int(number) for number in numbers})


def _listed_packets(stream, file_size: int) -> np.ndarray | None:
    """(4, P) is keyframe, is shown, byte position, time: from the list in an mp4's header, up to where the file ends.

    None where there is no such list (fragmented files). The list holds decoding times; shifted to begin with the first
    picture they are the display times of a constant frame rate.
    """
    entries = stream.index_entries
    if not len(entries):
        return None
    listed = np.array(
        [(e.is_keyframe, not e.is_discard, e.pos, e.timestamp, e.pos + e.size) for e in entries], np.int64
    ).T
    num_whole = int(np.argmax(listed[4] > file_size)) if (listed[4] > file_size).any() else listed.shape[1]
    listed[3] += (stream.start_time or 0) - listed[3, 0]
    return listed[:4, :num_whole]


def _scanned_packets(container, stream) -> np.ndarray:
    """The same for other containers, by walking through the file without decoding."""
    packets = [(p.is_keyframe, not p.is_discard, p.pos or 0, p.pts or 0) for p in container.demux(stream) if p.size]
    scanned = np.array(packets, np.int64).reshape(-1, 4).T
    scanned[3].sort()
    return scanned


def read_video(path: Path, wanted: np.ndarray) -> Iterator[np.ndarray]:
    """Yield (H, W, 3) uint8 RGB, upright, of ascending frame numbers; errors as `recordings.frames.read_frames`."""
    index = index_of(path)
    if wanted[-1] >= index.num_frames:
        raise InputError(f"{path}: no frame {wanted[-1]}; the video has {index.num_frames} frames, from 0")
    keys = np.array(sorted(index.position2number.values()), np.int64)
    reformatter = VideoReformatter()
    turn: Turn | None = None
    with open_video(path) as (container, stream):
        frames = decode_from(path, container.demux(stream), None, 0)
        position = 0
        for target in wanted.tolist():
            if ((keys > position) & (keys <= target)).any():
                frames = _enter(path, container, stream, index, target)
            for number, frame in frames:
                if number == target:
                    position = number + 1
                    turn = turn or turn_of(path, frame)
                    yield turn.apply(reformatter.reformat(frame, format="rgb24").to_ndarray())
                    break
            else:
                raise InputError(f"{path}: the video ends before frame {target} of {index.num_frames}; copy it again")


def _enter(path: Path, container, stream, index: VideoIndex, target: int) -> Iterator[tuple[int, av.VideoFrame]]:
    """Start decoding at the last keyframe from which frame `target` can be reached, whatever the container jumps to."""
    aim = target
    while aim > 0:
        container.seek(int(index.times[aim]), stream=stream, backward=True)
        packets = container.demux(stream)
        first = next(packets, None)
        if first is None or first.pts is None or first.pos not in index.position2number:
            break  # the container jumps elsewhere than its index says
        group = [first]
        for packet in packets:
            group.append(packet)
            if packet.is_keyframe or not packet.size:
                break
        # Leading pictures of an open group follow the keyframe in the file and precede it on the screen.
        num_leading = sum(1 for p in group if p.size and p.pts is not None and p.pts < first.pts)
        start = index.position2number[first.pos] + num_leading
        if start <= target:
            return decode_from(path, chain(group, packets), first.pts, start)
        aim = min(aim, index.position2number[first.pos]) - 1  # always earlier, so this ends
    container.seek(stream.start_time or 0, stream=stream, backward=True)
    return decode_from(path, container.demux(stream), None, 0)


def decode_from(
    path: Path, packets: Iterable, first_pts: int | None, start: int
) -> Iterator[tuple[int, av.VideoFrame]]:
    """Yield (frame number, frame) from `start` on; frames shown before `first_pts` belong to an earlier group."""
    number = start
    try:
        for packet in packets:
            for frame in packet.decode():
                if first_pts is not None and (frame.pts is None or frame.pts < first_pts):
                    continue
                yield number, frame
                number += 1
    except av.FFmpegError as error:
        raise InputError(
            f"{path}: the video cannot be decoded at frame {number} ({error.strerror}); copy it again"
        ) from error
