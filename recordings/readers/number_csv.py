"""Read a headerless csv of numbers fast, and when it is broken say on which line."""

import io
from pathlib import Path

import numpy as np
import pandas as pd

from miga.errors import InputError
from miga.text_files import read_text


def read_rows(path: Path, min_columns: int) -> list[str]:
    """The lines of a csv, all with the same number of cells; empty lines at the end are nothing.

    A row of another length than the others is never cut or filled up: a lost line end moves all later frames, a comma
    inside a number all later joints.

    Args:
        min_columns: fewer columns than this are an error; more are legal if all rows have them.
    Raises:
        InputError: no rows, or rows of a wrong length; names the line.
    """
    rows = read_text(path).splitlines()
    while rows and not rows[-1].strip():
        rows.pop()
    if not rows:
        raise InputError(f"{path}: the file is empty; expected one row a frame")
    counts = np.array([row.count(",") + 1 for row in rows])
    usual = int(np.bincount(counts).argmax())
    for line in np.flatnonzero((counts != usual) | (counts < min_columns)) + 1:
        if not rows[line - 1].strip():
            raise InputError(f"{path} line {line}: an empty line between the rows; remove it if no frame is missing")
        if counts[line - 1] < min_columns:
            expected = f"at least {min_columns}; write the file anew"
        else:
            expected = f"{usual} as in the other lines; look for two lines in one or a comma inside a number"
        raise InputError(f"{path} line {line}: {counts[line - 1]} columns, expected {expected}")
    if usual >= 2 * min_columns - 1 and not any("." in row for row in rows):
        raise InputError(
            f"{path} line 1: {usual} columns and no decimal point, expected {min_columns}; the numbers seem to be "
            "written with decimal commas, write them with points"
        )
    return rows


def read_numbers(path: Path, rows: list[str], columns: np.ndarray, allow_nan: bool) -> np.ndarray:
    """The numbers in some columns of all rows.

    Args:
        rows: the lines of `path`, as `read_rows` gives them.
        columns: numbers of the columns, from 0, ascending.
        allow_nan: 'nan', 'inf' and empty cells are values (NaN) and not errors.
    Returns:
        (R, len(columns)) float32.
    Raises:
        InputError: a cell that is not a number; names the line and the column.
    """
    try:
        values = pd.read_csv(
            io.BytesIO("\n".join(rows).encode()),
            header=None,
            usecols=columns.tolist(),
            dtype=np.float32,
            engine="c",
            skip_blank_lines=False,
        ).to_numpy()
    except (ValueError, pd.errors.ParserError) as error:
        raise InputError(_first_bad_cell(path, rows, columns, allow_nan) or f"{path}: {error}") from error
    if not allow_nan and not np.isfinite(values).all():
        message = _first_bad_cell(path, rows, columns, allow_nan)
        if message:
            raise InputError(message)
    return values


def _first_bad_cell(path: Path, rows: list[str], columns: np.ndarray, allow_nan: bool) -> str:
    """Walk the rows slowly; only reached when they are known or suspected to be broken."""
    for line, row in enumerate(rows, start=1):
        cells = row.split(",")
        for column in columns:
            cell = cells[column]
            if not _is_number(cell, allow_nan):
                return f"{path} line {line} column {column + 1}: expected a number, got {cell[:40]!r}; correct the cell"
    return ""


def _is_number(cell: str, allow_nan: bool) -> bool:
    if allow_nan and not cell.strip():
        return True
    try:
        value = float(cell)
    except ValueError:
        return False
    return allow_nan or bool(np.isfinite(value))
