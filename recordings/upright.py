"""Turn decoded pictures as players show them: a phone films as its sensor lies and notes how it was held."""

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from miga.errors import InputError

ASKEW = 0.02  # sine of an angle that rounding in the metadata may leave
TURNS = {0: (1, 0, 0, 1), 90: (0, -1, 1, 0), 180: (-1, 0, 0, -1), 270: (0, 1, -1, 0)}  # counterclockwise -> a, b, c, d


@dataclass(frozen=True)
class Turn:
    """A turn by right angles, a mirroring or both: axes change places first, then the result is turned over."""

    swaps_axes: bool
    flips_rows: bool
    flips_columns: bool

    def apply(self, picture: np.ndarray) -> np.ndarray:
        """(H, W, 3) as decoded to (H, W, 3) or (W, H, 3) as shown; a view."""
        upright = picture.swapaxes(0, 1) if self.swaps_axes else picture
        return upright[:: -1 if self.flips_rows else 1, :: -1 if self.flips_columns else 1]


def turn_of(path: Path, frame: av.VideoFrame) -> Turn:
    """How the pictures of a film have to be turned, by its display matrix: x' = a x + c y, y' = b x + d y.

    Raises:
        InputError: the film is shown at another angle than a right one.
    """
    a, b, c, d = _display_matrix(frame)
    if not ((a and d and not b and not c) or (b and c and not a and not d) or not any((a, b, c, d))):
        raise InputError(
            f"{path}: its metadata turn it by {frame.rotation} degrees, expected right angles; write the film again, "
            "turned upright"
        )
    swaps_axes = bool(b)
    across, down = (c, b) if swaps_axes else (a, d)
    return Turn(swaps_axes, flips_rows=down < 0, flips_columns=across < 0)


def _display_matrix(frame: av.VideoFrame) -> tuple[int, int, int, int]:
    """(a, b, c, d), of which only the signs matter; what rounding left is 0."""
    try:
        found = {data.type.name: bytes(data) for data in frame.side_data}  # type: ignore[attr-defined, arg-type]
    except ValueError:  # PyAV cannot list the data beside frames of some newer films; the angle it can always tell
        return TURNS.get(frame.rotation % 360, (1, 1, 1, 1))
    if "DISPLAYMATRIX" not in found:
        return TURNS[0]
    matrix = np.frombuffer(found["DISPLAYMATRIX"], np.int32).reshape(3, 3)[:2, :2].astype(float)
    matrix[abs(matrix) <= ASKEW * abs(matrix).max()] = 0
    a, b, c, d = np.sign(matrix).astype(int).ravel().tolist()
    return a, b, c, d
