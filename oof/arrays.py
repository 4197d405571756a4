"""Read an npz of plain arrays, whoever wrote it."""

import zipfile
import zlib
from pathlib import Path

import numpy as np

from miga.errors import InputError


def read_arrays(path: Path, cure: str) -> dict[str, np.ndarray]:
    """Every array of an npz by name.

    Args:
        cure: what to do about a file that cannot be read; ends the sentence.
    Raises:
        InputError: no such file, or not a whole npz of arrays that load without pickling.
    """
    if not path.is_file():
        raise InputError(f"{path}: {'a folder' if path.exists() else 'no such file'}, expected an npz; {cure}")
    if not zipfile.is_zipfile(path):
        raise InputError(f"{path}: not an npz, or cut off ({path.stat().st_size} bytes); {cure}")
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        raise InputError(f"{path}: not an npz of plain arrays ({error}); {cure}") from error
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray):  # numpy hands over the bytes of what is no npy
            raise InputError(f"{path}: {name!r} in it is no array; {cure}")
    return arrays


def as_text(array: np.ndarray, where: str) -> np.ndarray:
    """(n,) text; bytes are read as UTF-8.

    Raises:
        InputError: numbers, or another shape; `where` names the array.
    """
    if array.shape == (0,):  # of no rows at all no writer knows the type
        return array.astype(np.str_)
    if array.dtype.kind not in "US" or array.ndim != 1:
        raise InputError(f"{where} is {described(array)}, expected one row of text")
    try:
        return np.char.decode(array, "utf-8") if array.dtype.kind == "S" else array
    except UnicodeDecodeError as error:
        raise InputError(f"{where} is not text in UTF-8 ({error}); write it as text") from error


def as_whole(array: np.ndarray, where: str) -> np.ndarray:
    """The same whole numbers as integers, also where they were stored as floats.

    Raises:
        InputError: text, or a number with a fraction.
    """
    if array.dtype.kind not in "iuf" or (array % 1 != 0).any():
        raise InputError(f"{where} is {described(array)}, expected whole numbers")
    return array.astype(np.int64) if array.dtype.kind == "f" else array


def as_real(array: np.ndarray, where: str) -> np.ndarray:
    """The same numbers as float32, in rows.

    Raises:
        InputError: text, truth values or complex numbers.
    """
    if array.dtype.kind not in "iuf":
        raise InputError(f"{where} is {described(array)}, expected numbers")
    with np.errstate(over="ignore"):  # becomes infinite, which is refused by whoever asked
        return np.ascontiguousarray(array, dtype=np.float32)


def as_truth(array: np.ndarray, where: str) -> np.ndarray:
    """The same as bool, also where it was stored as 0 and 1.

    Raises:
        InputError: text, or another number.
    """
    if array.dtype.kind not in "biuf" or not np.isin(array, (0, 1)).all():
        raise InputError(f"{where} is {described(array)}, expected true or false")
    return array.astype(bool)


def described(array: np.ndarray) -> str:
    kind = {"U": "text", "S": "bytes", "b": "true or false", "c": "complex numbers"}.get(array.dtype.kind, array.dtype)
    return f"an array {array.shape} of {kind}"
