"""The networks of MediaPipe as functions of a crop: tflite files run by LiteRT on the CPU."""

from pathlib import Path

import numpy as np

from miga.errors import InputError
from miga.paths import pose_models_dir

INSTALL = "install it with `pip install -r requirements-pose.txt` and `python -m recordings.pose.install`"


class Network:
    """One tflite file.

    Args:
        name: of the file in the folder of models, without its ending.
    Raises:
        InputError: LiteRT or the file is not there.
    """

    def __init__(self, name: str):
        path = pose_models_dir() / f"{name}.tflite"
        self._interpreter = _open(path)
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]["index"]
        self.side = int(self._interpreter.get_input_details()[0]["shape"][1])
        self._outputs = [detail["index"] for detail in self._interpreter.get_output_details()]

    def __call__(self, crop: np.ndarray, centred: bool = False) -> list[np.ndarray]:
        """Its outputs for (side, side, 3) uint8 RGB, brought to [0, 1] or, centred, to [-1, 1]."""
        values = crop.astype(np.float32)[None] * np.float32(2 / 255 if centred else 1 / 255)
        self._interpreter.set_tensor(self._input, values - np.float32(1) if centred else values)
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index)[0] for index in self._outputs]


def _open(path: Path):
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise InputError(f"the pose networks need LiteRT, which is not installed ({error}); {INSTALL}") from error
    if not path.is_file():
        raise InputError(f"{path}: the network is not there; {INSTALL}")
    try:
        return Interpreter(str(path), num_threads=1)  # the networks are too small for more
    except ValueError as error:
        raise InputError(f"{path}: not a network that LiteRT can run ({error}); {INSTALL}") from error
