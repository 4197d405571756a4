"""The joint array of a run while it grows: joints.npy, one row a frame."""

import os
from pathlib import Path

import numpy as np
from numpy.lib import format as npy_format

from recordings.joint_statistics import FIRST_FINGERS, SECOND_FINGERS

SWAP_CHUNK_ROWS = 65536


class JointsFile:
    """An npy file that grows by rows; its header is written again when the number of rows is known."""

    def __init__(self, path: Path, num_persons: int, num_joints: int):
        self.path = path
        self.num_rows = 0
        self._row_shape = (num_persons, num_joints, 3)
        self._file = open(path, "wb")  # noqa: SIM115, lives as long as this object
        self._write_header()
        self._header_size = self._file.tell()

    def _write_header(self) -> None:
        # numpy pads the header so that the first axis can grow to any length in place.
        header = {"descr": "<f4", "fortran_order": False, "shape": (self.num_rows, *self._row_shape)}
        npy_format.write_array_header_1_0(self._file, header)

    def append(self, joints: np.ndarray) -> int:
        """Write (T, m, V, 3) with m up to M persons, the others zero; returns the number of the first row."""
        offset = self.num_rows
        missing = self._row_shape[0] - joints.shape[1]
        padded = np.pad(joints, ((0, 0), (0, missing), (0, 0), (0, 0))) if missing else joints
        np.ascontiguousarray(padded, "<f4").tofile(self._file)
        self.num_rows += len(joints)
        return offset

    def close(self) -> None:
        self._file.seek(0)
        self._write_header()
        if self._file.tell() != self._header_size:
            raise RuntimeError(f"{self.path}: the npy header changed its length")
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()


def swap_fingers(joints_npy: Path) -> None:
    """Exchange the two finger groups in place, a chunk of rows at a time."""
    joints = np.lib.format.open_memmap(joints_npy, mode="r+")
    for start in range(0, len(joints), SWAP_CHUNK_ROWS):
        chunk = joints[start : start + SWAP_CHUNK_ROWS]
        first = chunk[:, :, FIRST_FINGERS].copy()
        chunk[:, :, FIRST_FINGERS] = chunk[:, :, SECOND_FINGERS]
        chunk[:, :, SECOND_FINGERS] = first
    joints.flush()
