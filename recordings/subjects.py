"""Who is in which video: a table `video_id,subject_id`, beside the data or given by --subjects."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from miga.errors import InputError
from miga.text_files import WESTERN, read_encoded_text, read_text
from recordings.recording import Problems

COLUMNS = ("video_id", "subject_id")
SEPARATORS = ",;\t|"  # a spreadsheet takes the semicolon where the comma stands in decimal numbers


def find_subjects_file(root: Path, given: Path | None) -> Path | None:
    """The table that a person gave, else subjects.csv in the data's folder, else None."""
    if given is not None:
        if not given.is_file():
            raise InputError(f"{given}: no such file; --subjects expects a csv with the columns video_id,subject_id")
        return given
    beside = (root if root.is_dir() else root.parent) / "subjects.csv"
    return beside if beside.is_file() else None


def read_subjects(path: Path) -> dict[str, str]:
    """Video id (as `_key` has it) -> subject id, from a table as spreadsheets save it.

    Columns are separated by comma, semicolon, tab or bar; other columns and empty rows are ignored; a video may have
    many equal rows.

    Raises:
        InputError: the file is no such text, a column is missing, a cell is empty, or a video has two different
            subjects.
    """
    video2subject: dict[str, str] = {}
    for line, video_id, subject_id in _rows(path):
        if not video_id or not subject_id:
            raise InputError(f"{path} line {line}: video_id or subject_id is empty; fill it or remove the row")
        earlier = video2subject.setdefault(_key(video_id), subject_id)
        if earlier != subject_id:
            raise InputError(
                f"{path} line {line}: video {video_id} has the subjects {earlier} and {subject_id}; "
                "one video shows one person, correct the table"
            )
    return video2subject


def _rows(path: Path) -> Iterator[tuple[int, str, str]]:
    """Line number, video id and subject id of each row that has anything in it."""
    # A letter with an accent may be one sign or two, which look the same.
    text = unicodedata.normalize("NFC", read_text(path).replace("\r\n", "\n").replace("\r", "\n"))
    named = re.match(r"sep=(.)\n", text, re.I)  # how a spreadsheet is told what separates
    body = text[named.end() :] if named else text
    header = body.partition("\n")[0]
    separator = named[1] if named else max(SEPARATORS, key=header.count)
    reader = csv.reader(io.StringIO(body), delimiter=separator, skipinitialspace=True, strict=True)
    first_line = 2 if named else 1
    try:
        names = [name.strip().lower() for name in next(reader, [])]
        missing = sorted(set(COLUMNS) - set(names))
        if missing:
            raise InputError(f"{path} line {first_line}: no column {missing[0]}; expected {','.join(COLUMNS)}")
        columns = [names.index(column) for column in COLUMNS]
        for cells in reader:
            cells = [cell.strip() for cell in cells]
            if any(cells):
                video_id, subject_id = (cells[column] if column < len(cells) else "" for column in columns)
                yield reader.line_num + first_line - 1, video_id, subject_id
    except csv.Error as error:
        line = reader.line_num + first_line - 1
        raise InputError(f"{path} line {line}: no row of a csv ({error}); correct its quotes") from error


def _key(video_id: str) -> str:
    """A spreadsheet turns 0012 into 12, or 12.0, so ids of digits are compared as the numbers they are."""
    number = re.fullmatch(r"0*(\d+?)(?:[.,]0+)?", video_id)
    return number[1] if number else unicodedata.normalize("NFC", video_id)


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
        if self.path and read_encoded_text(self.path)[1] == WESTERN:
            problems.notes.append(f"{self.path}: not UTF-8, read as Western European text of Windows ({WESTERN})")
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
