"""Who is in which video: a table `video_id,subject_id`, beside the data or given by --subjects."""

import csv
from pathlib import Path

from datasets.errors import InputError
from datasets.recordings import Problems


def find_subjects_file(root: Path, given: Path | None) -> Path | None:
    """The table that a person gave, else subjects.csv in the data's folder, else None."""
    if given is not None:
        if not given.is_file():
            raise InputError(f"{given}: no such file; --subjects expects a csv with the columns video_id,subject_id")
        return given
    beside = (root if root.is_dir() else root.parent) / "subjects.csv"
    return beside if beside.is_file() else None


def read_subjects(path: Path) -> dict[str, str]:
    """Video id (as `_key` has it) -> subject id. Other columns are ignored; a video may have many equal rows.

    Raises:
        InputError: a column is missing, a cell is empty, or a video has two different subjects.
    """
    video2subject: dict[str, str] = {}
    with open(path, encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        missing = {"video_id", "subject_id"} - set(rows.fieldnames or ())
        if missing:
            raise InputError(f"{path} line 1: no column {sorted(missing)[0]}; expected video_id,subject_id")
        for line, row in enumerate(rows, start=2):
            video_id, subject_id = (row["video_id"] or "").strip(), (row["subject_id"] or "").strip()
            if not video_id or not subject_id:
                raise InputError(f"{path} line {line}: video_id or subject_id is empty; fill it or remove the row")
            earlier = video2subject.setdefault(_key(video_id), subject_id)
            if earlier != subject_id:
                raise InputError(
                    f"{path} line {line}: video {video_id} has the subjects {earlier} and {subject_id}; "
                    "one video shows one person, correct the table"
                )
    return video2subject


def _key(video_id: str) -> str:
    """A spreadsheet turns 0012 into 12, so ids of digits are compared without their zeros."""
    return video_id.lstrip("0") if video_id.isdecimal() else video_id


class Subjects:
    """Looks a video up in the table.

    is_shared: the table was given for two tracks, and one of which no video is in it is as if it had none.
    """

    def __init__(self, path: Path | None, subject_is_video: bool, is_shared: bool = False):
        self.path = path
        self.is_shared = is_shared
        self.subject_is_video = subject_is_video
        self._table = read_subjects(path) if path else {}

    def of(self, video_id: str) -> str:
        """Subject id, '' when unknown."""
        default = video_id if self.subject_is_video else ""
        return self._table.get(_key(video_id), default)

    def check(self, video_id2split: dict[str, str], problems: Problems) -> None:
        """Report videos missing from a table that has others, and people who are on both sides."""
        missing = [video_id for video_id in video_id2split if _key(video_id) not in self._table]
        if self.path and missing and not (self.is_shared and len(missing) == len(video_id2split)):
            problems.fatal.append(
                f"{self.path}: no row for {len(missing)} of {len(video_id2split)} videos, first {missing[0]}; add them"
            )
        subject2split: dict[str, tuple[str, str]] = {}
        for video_id, split in video_id2split.items():
            subject_id = self.of(video_id)
            if not subject_id:
                continue
            earlier = subject2split.setdefault(subject_id, (split, video_id))
            if earlier[0] != split:
                problems.fatal.append(
                    f"subject {subject_id} is in the {earlier[0]} video {earlier[1]} and in the {split} video "
                    f"{video_id}; expected nobody on both sides, correct the table or the split"
                )
