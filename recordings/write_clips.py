"""Stream recordings into a run's clip table and joint array; the folder appears whole or not at all."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from miga.clips import CLIP_COLUMNS, FILE_NAME_ERRORS, VIDEO_COLUMNS
from miga.errors import InputError
from miga.files import write_json
from miga.ids import natural_key
from recordings.frames import VideoInfo, probe
from recordings.joint_statistics import JointStatistics
from recordings.joints_file import JointsFile, swap_fingers
from recordings.picture_size import PictureSizes, Size, size_text
from recordings.recording import Options, Problems, Recording, Source
from recordings.rgb_files import RgbFiles
from recordings.subjects import Subjects


@dataclass
class Written:
    """What a preparation made, for the table that is printed."""

    clips: pd.DataFrame
    videos: pd.DataFrame
    meta: dict = field(default_factory=dict)


@contextmanager
def replacing_folder(folder: Path) -> Iterator[Path]:
    """Give an empty temporary folder beside `folder`; on success it takes its place, on failure it is removed.

    Whoever calls this holds the folder above, so that what lies there is left over from killed processes.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    for leftover in folder.parent.glob(f".{folder.name}.*.tmp"):
        shutil.rmtree(leftover)
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    temporary.mkdir()
    try:
        yield temporary
        if folder.exists():
            old = folder.with_name(f".{folder.name}.old.tmp")
            folder.rename(old)
            temporary.rename(folder)
            shutil.rmtree(old)
        else:
            temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_clips(
    source: Source,
    temporary: Path,
    subjects: Subjects,
    rgb_files: RgbFiles,
    problems: Problems,
    options: Options,
    made_from: dict,
) -> Written:
    """Read everything once, check it, and write clips.csv, videos.csv, joints.npy and meta.json.

    Args:
        temporary: empty folder to write to.
        made_from: goes into meta.json as it is (fingerprint, which classes are mirror images).
    Raises:
        InputError: something is wrong with the recordings.
    """
    statistics = JointStatistics(source.skeleton, source.fingers_may_be_swapped)
    picture_sizes = PictureSizes(made_from["source"])
    clip_rows: list[dict] = []
    video_rows: list[dict] = []
    joints_file = JointsFile(temporary / "joints.npy", source.num_persons, source.skeleton.num_joints)
    for recording in source.recordings():
        statistics.add(recording.joints)
        _add_recording(
            recording, source, subjects, rgb_files, problems, picture_sizes, joints_file, clip_rows, video_rows
        )
    joints_file.close()
    _check_ids(clip_rows, video_rows, subjects, problems)
    problems.stop_if_any(options.skip_bad_clips)
    if not any(row["split"] == "train" for row in clip_rows):
        raise InputError("not a single labelled training clip is left; add training recordings with label files")
    size_rule, size_evidence = _set_sizes(options.joint_size, picture_sizes, clip_rows, video_rows, problems)
    if statistics.fingers_swapped:
        swap_fingers(joints_file.path)
    written = Written(_table(clip_rows, CLIP_COLUMNS, "clip_id"), _table(video_rows, VIDEO_COLUMNS, "video_id"))
    written.meta = {
        "kind": source.kind,
        "skeleton": source.skeleton.to_dict(),
        "classes": list(source.classes),
        "codes": list(source.codes),
        "first_frame": source.frame_base.first,
        "fingers_swapped": statistics.fingers_swapped,
        "finger_votes": {"straight": statistics.num_straight, "swapped": statistics.num_swapped},
        "frame_size_from": size_rule,
        "frame_size_evidence": size_evidence,
        "missing_joints_share": round(statistics.missing_share, 6),
        "left_out": [{"what": what, "why": sentence} for what, sentence in problems.bad],
        "kept": [{"what": what, "why": sentence} for what, sentence in problems.kept],
        "test_clips_without_joints": _test_clips(written.clips, ~written.clips.has_joints),
        "test_clips_without_frames": _test_clips(written.clips, written.clips.frames_path == ""),
        "notes": problems.notes,
        "content_sha256": _content_hash(written.clips, joints_file.path),
        **made_from,
    }
    written.clips.to_csv(temporary / "clips.csv", index=False, lineterminator="\n", errors=FILE_NAME_ERRORS)
    written.videos.to_csv(temporary / "videos.csv", index=False, lineterminator="\n", errors=FILE_NAME_ERRORS)
    write_json(temporary / "meta.json", written.meta)
    return written


def _content_hash(clips: pd.DataFrame, joints_path: Path) -> str:
    """What a training on joints depends on: the joints and the table, but for what comes from the pictures.

    What a training on pictures depends on besides is the hash of the store (`recordings.rgb_store`).
    """
    with open(joints_path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    digest.update(clips.drop(columns=["frames_path", "frames_start", "fps"]).to_csv(index=False).encode())
    return digest.hexdigest()


def _test_clips(clips: pd.DataFrame, is_chosen: pd.Series) -> list[str]:
    return clips.clip_id[(clips.split == "test") & is_chosen].tolist()


def _add_recording(
    recording: Recording,
    source: Source,
    subjects: Subjects,
    rgb_files: RgbFiles,
    problems: Problems,
    picture_sizes: PictureSizes,
    joints_file: JointsFile,
    clip_rows: list[dict],
    video_rows: list[dict],
) -> None:
    """Write one video's joints and its rows; `size` is filled in where the data or the RGB says it."""
    num_bad = len(problems.bad)
    clip2rgb = rgb_files.find_clips(recording, problems) if source.frames_are_true else {}
    broken = {what for what, _ in problems.bad[num_bad:]}
    video_rgb = rgb_files.find_video(recording.video_id) if source.frames_are_true and not broken else None
    picture = _probe_rgb(recording, video_rgb, clip2rgb, problems) if not broken else None
    picture_size = (picture.width, picture.height) if picture else None
    picture_sizes.add(recording.joints, None if recording.size else picture_size)
    offset = joints_file.append(recording.joints)
    shared = {
        "video_id": recording.video_id,
        "subject_id": subjects.of(recording.video_id),
        "split": recording.split,
        "source_split": recording.source_split,
        "fps": round(picture.fps, 4) if picture and picture.fps else recording.fps,
        "size": recording.size,
        "picture_size": picture_size,
    }
    video_rows.append(
        {
            **shared,
            "num_frames": len(recording.joints),
            "row_offset": offset,
            "frames_path": str(video_rgb) if video_rgb and picture else "",
        }
    )
    for segment in recording.segments:
        if segment.clip_id in broken:
            continue
        frames_path, frames_start = clip2rgb.get(segment.clip_id, ("", 0))
        joints = recording.joints[max(segment.start_frame, 0) :][: segment.num_frames]
        row_offset = offset + segment.start_frame
        if not len(joints):  # a test clip that cannot be used
            joints = np.zeros((max(segment.num_frames, 1), *recording.joints.shape[1:]), np.float32)
            row_offset = joints_file.append(joints)
        clip_rows.append(
            {
                **shared,
                "clip_id": segment.clip_id,
                "label": segment.label,
                "start_frame": segment.start_frame,
                "num_frames": len(joints),
                "row_offset": row_offset,
                "frames_path": frames_path,
                "frames_start": frames_start,
                "has_joints": bool((joints[..., 2] > 0).any()),
            }
        )


def _probe_rgb(
    recording: Recording, video_rgb: Path | None, clip2rgb: dict[str, tuple[str, int]], problems: Problems
) -> VideoInfo | None:
    """Picture size and rate of a recording's RGB: of the whole video, else of its first clip."""
    of_a_clip = next((Path(path) for path, _ in clip2rgb.values()), None)
    if video_rgb is None:
        return probe(of_a_clip) if of_a_clip else None
    try:
        picture = probe(video_rgb)
    except InputError as error:  # only a test recording, or one without clips, gets here with a broken video
        if not any(segment.num_frames for segment in recording.segments):  # else its clips are reported already
            problems.unusable(recording.split, recording.video_id, str(error))
        return probe(of_a_clip) if of_a_clip else None
    if not video_rgb.is_dir() and picture.num_frames < len(recording.joints):
        problems.notes.append(f"{video_rgb}: {picture.num_frames} frames for {len(recording.joints)} skeleton rows")
    return picture


def _check_ids(clip_rows: list[dict], video_rows: list[dict], subjects: Subjects, problems: Problems) -> None:
    for name, rows in (("clip_id", clip_rows), ("video_id", video_rows)):
        counts = pd.Series([row[name] for row in rows], dtype=str).value_counts()
        for identifier in counts.index[counts > 1]:
            problems.fatal.append(f"{name} {identifier} occurs {counts[identifier]} times, expected once; rename one")
    subjects.check({row["video_id"]: row["split"] for row in video_rows}, problems)


def _set_sizes(
    given: Size | None, picture_sizes: PictureSizes, clip_rows: list[dict], video_rows: list[dict], problems: Problems
) -> tuple[str, list[str]]:
    """Fill in width and height: what a person says, else what the data says, else what explains where the joints lie.

    Returns:
        which of these it was, and the evidence for each size of RGB that was measured.
    """
    rgb2size, evidence = ({}, []) if given else picture_sizes.decide()
    used = set()
    for row in (*video_rows, *clip_rows):
        if given:
            size, rule = given, "--joint-size"
        elif row["size"]:
            size, rule = row["size"], "data"
        else:
            size = rgb2size[row["picture_size"]]
            rule = "rgb" if size in rgb2size else "coordinates"
        row["width"], row["height"] = size
        used.add(rule)
    lying = [row for row in video_rows if _is_on_its_side((row["width"], row["height"]), row["picture_size"])]
    if lying:
        row = lying[0]
        problems.notes.append(
            f"{len(lying)} videos have joints and RGB of different orientation, first {row['video_id']}: joints in "
            f"{row['width']}x{row['height']}, RGB shown as {size_text(row['picture_size'])}; look whether they agree"
        )
    return " and ".join(sorted(used)), evidence


def _is_on_its_side(size: Size, rgb_size: Size | None) -> bool:
    """Whether one of the pictures stands upright and the other lies."""
    return rgb_size is not None and (size[0] - size[1]) * (rgb_size[0] - rgb_size[1]) < 0


def _table(rows: list[dict], columns: tuple[str, ...], id_column: str) -> pd.DataFrame:
    ordered = sorted(rows, key=lambda row: natural_key(row[id_column]))
    return pd.DataFrame(ordered, columns=list(columns))
