"""Make the store of pictures: decode each video once, cut every clip's square, write it in resumable parts.

A part holds the pictures of a few videos and is written whole or not at all into a hidden folder beside the store; a
killed build keeps its finished parts. Which video goes to which part depends on the clip table alone, so the bytes do
not depend on kills or on the number of processes. Memory holds one picture of a video, not the video.
"""

import hashlib
import json
import os
import shutil
import time
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed

from miga.clips import Clips
from miga.files import holding, replacing, write_json
from miga.person_box import visible_square
from miga.rgb_store import first_frames, is_store_of
from recordings.rgb_part import ClipCut, Part, make_part, part_file, part_index

PART_CLIPS = 16  # a part ends with the first video that brings it to this many clips
NUM_PROCESSES = 2  # decoding and resizing
PROGRESS_SEC = 10.0


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
        index, boxes, facts = _assemble(making, clips, len(parts))
        for name, array in (("index.npy", index), ("boxes.npy", boxes)):
            with replacing(making / name) as temporary:
                np.save(temporary, array)
        for number in range(len(parts)):
            part_index(making, number).unlink(missing_ok=True)
        files = [part_file(making, number).name for number in range(len(parts))]
        write_json(making / "meta.json", {**identity, "files": files, **facts})
        (making / "making.json").unlink()
        making.rename(folder)
    for item in facts["undecodable"]:
        print(f"  test clip {item['what']} has no pictures: {item['why']}", flush=True)
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
    columns = ["frames_path", "frames_start", "num_frames", "split", "height", "width"]
    rows = clips.table[columns].itertuples(index=False, name=None)
    for row, (path, start, num_frames, split, *size) in enumerate(rows):
        if path:
            box = visible_square(clips.joints_of(row), tuple(size))
            cut = ClipCut(row, start, num_frames, box, tuple(size), split == "test")
            path2cuts.setdefault(os.path.abspath(path), []).append(cut)
    parts: list[Part] = [[]]
    for video in path2cuts.items():
        if sum(len(cuts) for _, cuts in parts[-1]) >= PART_CLIPS:
            parts.append([])
        parts[-1].append(video)
    return parts


def _make_parts(parts: list[Part], making: Path, identity: dict, folder: Path) -> None:
    """Write the parts that are not there yet, two processes side by side, and say how long it will take."""
    waiting = [number for number in range(len(parts)) if not part_index(making, number).exists()]
    frames = {number: sum(cut.num_frames for _, cuts in parts[number] for cut in cuts) for number in waiting}
    done, total, started = 0, sum(frames.values()), time.monotonic()
    kept = f", {len(parts) - len(waiting)} of {len(parts)} parts are there" if len(waiting) < len(parts) else ""
    print(f"{folder}: decoding {total} frames of clips{kept} ...", flush=True)
    processes = min(NUM_PROCESSES, os.cpu_count() or 1, max(1, len(waiting)))
    # Whole paths: a process that joblib kept from an earlier call may stand in another folder.
    whole = making.absolute()
    tasks = (delayed(make_part)(parts[n], whole, n, identity["size"], identity["form"]) for n in waiting)
    last_print = started
    for number in Parallel(n_jobs=processes, return_as="generator_unordered", batch_size=1)(tasks):
        done += frames[number]
        now = time.monotonic()
        if now - last_print >= PROGRESS_SEC:
            last_print = now
            left = (now - started) * (total - done) / done
            print(f"  {done} of {total} frames, {left:.0f} s left", flush=True)


def _assemble(making: Path, clips: Clips, num_parts: int) -> tuple[np.ndarray, np.ndarray, dict]:
    """Join the parts' indexes.

    Returns:
        (frames, 3) file and bytes of every frame of every clip, boxes (clips, 4), and for meta.json the hash of all
        pictures and the test clips that could not be decoded.
    """
    first_frame = first_frames(clips)
    index = np.zeros((first_frame[-1], 3), np.int64)
    boxes = np.zeros((len(clips), 4), np.float32)
    digest, undecodable = hashlib.sha256(), []
    for number in range(num_parts):
        with np.load(part_index(making, number), allow_pickle=False) as part:
            row, frame, first, last = part["places"].T
            index[first_frame[row] + frame] = np.stack([np.full_like(first, number), first, last], axis=1)
            boxes[part["rows"]] = part["boxes"]
            digest.update(str(part["sha256"]).encode())
            ids = clips.table.clip_id.iloc[part["undecodable"]]
            undecodable += [{"what": id_, "why": str(why)} for id_, why in zip(ids, part["why"], strict=True)]
    digest.update(index.tobytes() + boxes.tobytes())
    return index, boxes, {"pictures_sha256": digest.hexdigest(), "undecodable": undecodable}
