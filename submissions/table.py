"""Read a submission, a sample or an answer file: every cell is text, and every row knows its line in the file."""

import csv
import io
import re
import zipfile
from pathlib import Path

import pandas as pd

from miga.errors import InputError


def read_table(path: Path) -> pd.DataFrame:
    """Read a csv, alone or in a zip, with a header or in the form of 2023, which has none.

    Two columns of which the first line already names a class, `0004_0,30`, have no header.

    Returns:
        Text cells. The index is the line in the file; the columns are those of the header, or 0 and 1.
    Raises:
        InputError: missing, no text, empty, fewer than two columns, or a row that is longer or shorter than the first.
    """
    lines = _lines(path)
    if not lines:
        raise InputError(f"{path}: the file is empty, expected a csv with a header and one row a clip or segment")
    number, header = lines[0]
    if len(header) < 2:
        raise InputError(f"{path}: expected at least 2 columns with commas between, the id and the class, got {header}")
    for row, cells in lines:
        if len(cells) != len(header):
            raise InputError(f"{path}, row {row}: {len(cells)} cells, expected {len(header)} as in row {number}")
    is_bare = re.fullmatch(r"[0-9]+", header[1]) is not None
    if is_bare and len(header) > 2:
        raise InputError(f"{path}: row {number} is {','.join(header)}, expected a header; add one")
    if len(set(header)) < len(header):
        twice = next(name for name in header if header.count(name) > 1)
        raise InputError(f"{path}: the header names {twice!r} twice, expected each column once; rename one")
    rows = lines if is_bare else lines[1:]
    return pd.DataFrame(
        [cells for _, cells in rows],
        index=[row for row, _ in rows],
        columns=range(2) if is_bare else header,
        dtype=str,
    )


def has_header(table: pd.DataFrame) -> bool:
    """Whether the file of `read_table` names its columns."""
    return table.columns[0] != 0


def header_text(table: pd.DataFrame) -> str:
    """The header for a message."""
    return ",".join(table.columns) if has_header(table) else "missing (its first line is a clip, the form of 2023)"


def _lines(path: Path) -> list[tuple[int, list[str]]]:
    """Number and cells of every line that is not blank."""
    if not path.is_file():
        kind = "a folder" if path.is_dir() else "no such file"
        raise InputError(f"{path}: {kind}, expected a csv; check the path")
    try:
        text = _content(path).decode("utf-8-sig")
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        return [(reader.line_num, cells) for cells in reader if cells]
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not text in UTF-8 ({error}); save it as a csv in UTF-8") from error
    except (csv.Error, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: expected a csv, got something else ({error}); save it again") from error


def _content(path: Path) -> bytes:
    """Bytes of the csv, or of the only file of a zip."""
    if not zipfile.is_zipfile(path):
        return path.read_bytes()
    with zipfile.ZipFile(path) as file:
        names = file.namelist()
        if len(names) != 1:
            raise InputError(f"{path}: {len(names)} files in the zip, expected one csv alone")
        return file.read(names[0])
