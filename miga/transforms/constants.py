"""Numbers that every batch needs on its device."""

from functools import lru_cache

import torch
from torch import Tensor


@lru_cache(maxsize=64)
def constant(numbers: tuple, device: torch.device) -> Tensor:
    """These numbers as a tensor, moved to the device once: moving fresh ones there waits for a GPU at every batch."""
    return torch.tensor(numbers, device=device)
