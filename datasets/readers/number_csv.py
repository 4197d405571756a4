"""Read a headerless csv of numbers fast, and when it is broken say on which line."""

from pathlib import Path

import numpy as np
import pandas as pd

from datasets.errors import InputError


def read_number_csv(path: Path, columns: np.ndarray, min_columns: int, allow_nan: bool) -> np.ndarray:
    """Read the columns with these numbers (from 0, ascending) of every row.

    Args:
        min_columns: fewer columns than this in any row is an error; more are ignored.
        allow_nan: 'nan', 'inf' and empty cells are values (NaN) and not errors.
    Returns:
        (R, len(columns)) float32.
    Raises:
        InputError: no rows, too few columns, or a cell that is not a number; names the line.
    """
    with open(path, encoding="utf-8-sig", errors="replace") as file:
        num_columns = file.readline().count(",") + 1
    if path.stat().st_size == 0:
        raise InputError(f"{path}: the file is empty; expected one row a frame")
    if num_columns < min_columns:
        raise InputError(f"{path} line 1: {num_columns} columns, expected at least {min_columns}; write the file anew")
    wanted = sorted({*columns.tolist(), min_columns - 1})
    try:
        frame = pd.read_csv(
            path,
            header=None,
            usecols=wanted,
            dtype=np.float32,
            engine="c",
            skip_blank_lines=False,
            encoding="utf-8-sig",
        )
    except (ValueError, pd.errors.ParserError) as error:
        raise InputError(_first_bad_line(path, min_columns, allow_nan) or f"{path}: {error}") from error
    values = frame.to_numpy()
    # A row that ends early is filled up with NaN, so the last needed cell tells.
    suspect = np.isnan(values[:, -1]).any() if allow_nan else not np.isfinite(values).all()
    if suspect:
        message = _first_bad_line(path, min_columns, allow_nan)
        if message:
            raise InputError(message)
    position = np.searchsorted(wanted, columns)
    return values if len(wanted) == len(columns) else values[:, position]


def _first_bad_line(path: Path, min_columns: int, allow_nan: bool) -> str:
    """Walk the file slowly; only reached when it is known or suspected to be broken."""
    with open(path, encoding="utf-8-sig", errors="replace") as file:
        for line, text in enumerate(file, start=1):
            row = text.rstrip("\n").split(",")
            if len(row) < min_columns:
                return f"{path} line {line}: {len(row)} columns, expected at least {min_columns}; write the file anew"
            for column, cell in enumerate(row[:min_columns], start=1):
                if not _is_number(cell, allow_nan):
                    return f"{path} line {line} column {column}: expected a number, got {cell[:40]!r}; correct the cell"
    return ""


def _is_number(cell: str, allow_nan: bool) -> bool:
    if allow_nan and not cell.strip():
        return True
    try:
        value = float(cell)
    except ValueError:
        return False
    return allow_nan or bool(np.isfinite(value))
