"""Read a pickle that may come from anywhere: plain values and numpy arrays, nothing that can run code.

A pickle may name any function of any installed package and call it. This loader knows five names, all of which rebuild
arrays; every other name is refused before anything is called.
"""

import pickle
from pathlib import Path

import numpy as np
from numpy._core import multiarray, numeric

from datasets.errors import InputError


def _encode_latin1(text: str, encoding: str) -> bytes:
    """How protocol 2 spells bytes: as text plus the codec. Only the codec it really uses is served."""
    if encoding != "latin1":
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
    _ALLOWED[f"{_core}.numeric", "_frombuffer"] = numeric._frombuffer


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
            return _ArrayUnpickler(file).load()
    except _Forbidden as error:
        raise InputError(
            f"{path}: the pickle wants to call {error}, expected nothing but plain values and numpy arrays; "
            "do not trust this file, write it anew"
        ) from None
    except Exception as error:  # damaged bytes make the machine raise nearly anything; the cause stays attached
        raise InputError(f"{path}: not a readable pickle ({error}); it may be cut off, copy it again") from error
