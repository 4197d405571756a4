"""Candidates: the segments that one member proposes, before suppression and threshold.

Track 2 has members as track 1 has entries: a member is one system that proposes segments in every video.

    spotting/<run>/members/<member>.npz    a row a candidate, videos one after another
        video  (N,) text
        fold   (N,) int8: the fold that held the video out; -1 for a test video
        model  (N,) int8: the fold whose model proposed it. A training video has one, that of its own fold, which never
               saw its person. A test video has those of all folds, and -1: their average before decoding
        start, end  (N,) float64: frames from 0, end exclusive
        label  (N,) int16: class from 0
        score  (N,) float64 in [0, 1]
    spotting/<run>/members/<member>.json   settings, fingerprint of data and folds, `videos` that were looked at and
        their folds (one without candidates is known so), device, minutes, F1 out of fold, sha256 of the npz
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from folds.make import load_folds
from miga.clips import load_clips
from miga.errors import InputError
from miga.files import file_sha256, read_json, replacing, write_json
from miga.paths import folds_csv, spotting_member_json, spotting_member_npz, spotting_members_dir
from oof.arrays import as_text, as_whole, read_arrays
from spotting.segments import Segments, empty_segments, make_segments

AVERAGE = -1  # in place of a fold: the average over the fold models; of a video: it is held out from everything
COLUMNS = {
    **{"fold": np.int8, "model": np.int8, "start": np.float64, "end": np.float64},
    **{"label": np.int16, "score": np.float64},
}
FACTS = ("fingerprint", "videos", "settings", "device", "minutes", "out_of_fold", "sha256")


@dataclass(frozen=True)
class Member:
    """What one system proposes.

    Attributes:
        fold_of: every video that was looked at, in the order of the data -> its fold, -1 for a test video.
        found: (video, model) -> its candidates; none where there is no key.
        facts: the other entries of the json.
    """

    name: str
    fold_of: dict[str, int]
    found: dict[tuple[str, int], Segments]
    facts: dict

    @property
    def folds(self) -> list[int]:
        """Folds of the training videos, which are also the models."""
        return sorted({fold for fold in self.fold_of.values() if fold >= 0})

    def held_out(self) -> dict[str, Segments]:
        """Training video -> candidates by the model that never saw its person."""
        return {v: self.found.get((v, k), empty_segments()) for v, k in self.fold_of.items() if k >= 0}

    def test(self, model: int = AVERAGE) -> dict[str, Segments]:
        """Test video -> candidates by the model of a fold, or by the average over them."""
        return {v: self.found.get((v, model), empty_segments()) for v, k in self.fold_of.items() if k < 0}


def folds_of_run(run: str) -> dict[str, int]:
    """Every video that a member has to look at, in the order of the data -> its fold, -1 for a test video."""
    videos, folds = load_clips(run, "track2").videos, load_folds(run, "track2")
    fold = folds[folds.fold >= 0].groupby("video_id").fold.first().to_dict()
    fold |= dict.fromkeys(videos.video_id[videos.split == "test"], AVERAGE)
    return {video: int(fold[video]) for video in videos.video_id if video in fold}


def fingerprint_of_run(run: str) -> dict[str, str]:
    """What ties a member to this data and these folds."""
    clips = load_clips(run, "track2")
    return {"folds": file_sha256(folds_csv(run, "track2")), "clips": clips.meta["content_sha256"]}


def write_member(run: str, member: Member) -> None:
    """Write both files, the json last: it names the npz by its hash.

    Raises:
        ValueError: a candidate of a video or model that there is not, or one that is no segment.
    """
    keys = [key for video, fold in member.fold_of.items() for key in _keys(video, fold, member.folds)]
    if unknown := set(member.found) - set(keys):
        raise ValueError(f"candidates of unknown (video, model) {sorted(unknown)[:3]}")
    parts = [(video, model, member.found[video, model]) for video, model in keys if (video, model) in member.found]
    counts = [len(segments) for _, _, segments in parts]
    columns = {
        "fold": np.repeat([member.fold_of[video] for video, _, _ in parts], counts),
        "model": np.repeat([model for _, model, _ in parts], counts),
        **{
            name: np.concatenate([np.zeros(0), *(getattr(segments, name) for _, _, segments in parts)])
            for name in ("start", "end", "label", "score")
        },
    }
    columns = {name: columns[name].astype(kind) for name, kind in COLUMNS.items()}
    if fault := _fault(columns):
        raise ValueError(f"member {member.name}: {fault}")
    video = np.repeat(np.array([video for video, _, _ in parts], dtype=np.str_), counts)
    path = spotting_member_npz(run, member.name)
    with replacing(path) as temporary, open(temporary, "wb") as file:
        arrays: dict[str, Any] = {"video": video, **columns}
        np.savez(file, **arrays)
    facts = {**member.facts, "videos": member.fold_of, "sha256": file_sha256(path)}
    write_json(spotting_member_json(run, member.name), facts)


def read_member(run: str, name: str) -> Member:
    """Read a member and check that it is whole and of this run's data and folds.

    Raises:
        InputError: a file is missing, they do not belong together, they are of other data or folds, a column is missing
            or has other values than it may.
    """
    path, cure = spotting_member_npz(run, name), f"make member {name} again"
    facts = read_json(spotting_member_json(run, name), cure)
    if missing := [key for key in FACTS if key not in facts]:
        raise InputError(f"{spotting_member_json(run, name)}: has no {', '.join(missing)}; {cure}")
    arrays = read_arrays(path, cure)
    if facts["sha256"] != file_sha256(path):
        raise InputError(f"{path}: not the file that {name}.json was written for; {cure}")
    now = fingerprint_of_run(run)
    if changed := [key for key, value in now.items() if facts["fingerprint"].get(key) != value]:
        raise InputError(f"{path}: made with other {' and other '.join(changed)} than this run has; {cure}")
    fold_of = folds_of_run(run)
    if facts["videos"] != fold_of:
        other = next(iter(set(facts["videos"].items()) ^ set(fold_of.items())))[0]
        raise InputError(f"{path}: looked at other videos than this run has, or in other folds: {other}; {cure}")
    if missing := [column for column in ("video", *COLUMNS) if column not in arrays]:
        raise InputError(f"{path}: expected columns video, {', '.join(COLUMNS)}, has no {', '.join(missing)}; {cure}")
    video = as_text(arrays["video"], f"{path}: video")
    columns = {}
    for column, kind in COLUMNS.items():
        array = arrays[column]
        if array.shape != video.shape or array.dtype.kind not in "iuf":
            raise InputError(
                f"{path}: {column} has shape {array.shape}, expected a number for each of {len(video)} rows"
            )
        whole = np.dtype(kind).kind == "i"
        columns[column] = as_whole(array, f"{path}: {column}") if whole else array.astype(np.float64)
    if fault := _fault(columns):
        raise InputError(f"{path}: {fault}; {cure}")
    member = Member(name, fold_of, {}, facts)
    known = {key for one, fold in fold_of.items() for key in _keys(one, fold, member.folds)}
    found: dict[tuple[str, int], list[int]] = {}
    for row, key in enumerate(zip(video.tolist(), columns["model"].tolist(), strict=True)):
        if key not in known or columns["fold"][row] != fold_of[key[0]]:
            told = f"video {key[0]} of fold {columns['fold'][row]} by model {key[1]}"
            raise InputError(f"{path}, row {row + 1}: {told}, which this run has not; {cure}")
        found.setdefault(key, []).append(row)
    values = [columns[column] for column in ("start", "end", "label", "score")]
    for key, rows in found.items():
        member.found[key] = make_segments(*(value[rows] for value in values))
    return member


def list_members(run: str) -> list[str]:
    """Names of the members there are, in alphabetical order."""
    return sorted(path.stem for path in spotting_members_dir(run).glob("*.npz") if not path.name.startswith("."))


def read_members(run: str, names: list[str] | None = None) -> list[Member]:
    """These members, or all that there are.

    Raises:
        InputError: there is none, or as `read_member`.
    """
    names = list_members(run) if names is None else names
    if not names:
        raise InputError(
            f"{spotting_members_dir(run)}: no member yet; run `python -m spotting.propose --run {run}` first"
        )
    return [read_member(run, name) for name in names]


def _keys(video: str, fold: int, folds: list[int]) -> list[tuple[str, int]]:
    """(video, model) that may have candidates, in the order of the file."""
    return [(video, model) for model in ([fold] if fold >= 0 else [AVERAGE, *folds])]


def _fault(columns: dict[str, np.ndarray]) -> str:
    """What is wrong with the first row that is no candidate; '' where all are."""
    start, end, score = columns["start"], columns["end"], columns["score"]
    with np.errstate(invalid="ignore"):
        is_good = (
            (start >= 0) & (end > start) & np.isfinite(end) & (score >= 0) & (score <= 1) & (columns["label"] >= 0)
        )
    if is_good.all():
        return ""
    row = int(np.argmin(is_good))
    values = {name: columns[name][row].item() for name in ("start", "end", "label", "score")}
    return f"row {row + 1}: expected 0 <= start < end, label >= 0, 0 <= score <= 1, got {values}"
