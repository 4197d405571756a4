"""Read a pickle that may come from anywhere: plain values and numpy arrays, nothing that can run code.

A pickle may name any function of any installed package and call it. This loader knows five names, all of which rebuild
arrays; every other name is refused before anything is called. Text may come as bytes, from Python 2 where both are one
type or from h5py; it leaves here as text.
"""

import pickle
from pathlib import Path

import numpy as np
from numpy._core import multiarray, numeric

from miga.errors import InputError


def _encode_latin1(text: str, encoding: str) -> bytes:
    """How protocol 2 spells bytes: as text plus the codec. Only the codec it really uses is served."""
    if encoding not in ("latin1", b"latin1"):
        raise pickle.UnpicklingError(f"bytes in the codec {encoding!r}, expected latin1")
    return text.encode("latin1")


# NumPy 2 writes numpy._core, NumPy 1 wrote numpy.core; the names behind are the same.
_ALLOWED = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("_codecs", "encode"): _encode_latin1,
}
for _core in ("numpy.core", "numpy._core"):
    _ALLOWED[f"{_core}.multiarray", "_reconstruct"] = multiarray._reconstruct
    _ALLOWED[f"{_core}.multiarray", "scalar"] = multiarray.scalar
    _ALLOWED[f"{_core}.numeric", "_frombuffer"] = numeric._frombuffer  # type: ignore[attr-defined]


class _Forbidden(Exception):
    pass


class _ArrayUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str):
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise _Forbidden(f"{module}.{name}") from None


def load_pickle(path: Path) -> object:
    """Load dicts, lists, tuples, text, numbers and numpy arrays.

    Raises:
        InputError: the pickle names anything else (it is then never called), or is not a readable pickle.
    """
    try:
        with open(path, "rb") as file:
            # Python 2's strings stay bytes: those of arrays are no text at all. Python 3 writes none.
            return _bytes_to_text(_ArrayUnpickler(file, encoding="bytes").load(), {})
    except _Forbidden as error:
        raise InputError(
            f"{path}: the pickle wants to call {error}, expected nothing but plain values and numpy arrays; "
            "do not trust this file, write it anew"
        ) from None
    except Exception as error:  # damaged bytes make the machine raise nearly anything; the cause stays attached
        raise InputError(f"{path}: not a readable pickle ({error}); it may be cut off, copy it again") from error


def _bytes_to_text(value: object, done: dict[int, object]) -> object:
    """The same value with text for bytes, UTF-8 or else Latin-1. `done`: id -> what was made of that object."""
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value.decode("latin1")
    if isinstance(value, np.ndarray) and value.dtype.kind in "SO":
        texts = np.empty(value.size, object)
        for number, item in enumerate(value.ravel().tolist()):
            texts[number] = _bytes_to_text(item, done)
        return texts.reshape(value.shape)
    if not isinstance(value, dict | list | tuple):
        return value
    if id(value) not in done:
        done[id(value)] = value  # what holds itself ends here
        if isinstance(value, dict):
            pairs = value.items()
            done[id(value)] = {_bytes_to_text(key, done): _bytes_to_text(item, done) for key, item in pairs}
        else:
            done[id(value)] = type(value)(_bytes_to_text(item, done) for item in value)
    return done[id(value)]
