"""Memory for one volume after another: on a CPU, fresh memory costs more than drawing into it.

The system hands out large memory page by page as it is first touched: 10 ms for the heatmaps of a published clip, which
take 1 ms to draw. A GPU needs none of this: PyTorch keeps freed memory there.
"""

import math
import threading
import weakref

import numpy as np
import torch
from torch import Tensor


class ReusedMemory(threading.local):
    """Lends its memory to one tensor at a time, of any shape; each thread has memory of its own.

    It lends again only when nothing uses the memory any more: neither the tensor nor a view of it, nor a graph that
    waits for its backward pass. Until then the next tensor gets fresh memory: values never change under their user.
    """

    def __init__(self) -> None:
        self._memory = torch.empty(0).numpy()
        self._user: weakref.ref[np.ndarray] = weakref.ref(np.empty(0))  # a reference to nothing: not lent

    def empty(self, shape: tuple[int, ...], device: torch.device) -> Tensor:
        """A contiguous float32 tensor with arbitrary values."""
        if device.type != "cpu":
            return torch.empty(shape, device=device)
        size = math.prod(shape)
        if self._user() is not None or self._memory.size < size:
            self._memory = torch.empty(size).numpy()
        # The storage of a tensor made from an array keeps that array alive, whoever else shares the storage.
        array = self._memory[:size].reshape(shape)
        self._user = weakref.ref(array)
        return torch.from_numpy(array)
