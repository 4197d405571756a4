"""Weights and inputs given by formulas, so that another framework can be filled with the same numbers."""

import math
import zlib

import torch


def wave(key: str, shape: tuple[int, ...]) -> torch.Tensor:
    """A fixed sine in [-1, 1] whose phase depends on the name: the same numbers in any framework."""
    steps = torch.arange(math.prod(shape), dtype=torch.float64) * 0.7310585
    return torch.sin(steps + zlib.crc32(key.encode()) % 1000).reshape(shape)


@torch.no_grad()
def fill_by_name(model: torch.nn.Module) -> None:
    """Set every weight by `wave` of its key, at a scale that keeps activations of a residual network in range."""
    for key, tensor in model.state_dict().items():
        if not tensor.is_floating_point():
            continue
        values = wave(key, tensor.shape)
        if key.endswith("running_var"):
            values = 1 + 0.5 * values
        elif key.endswith("bn.weight"):
            values = 1 + 0.3 * values
        elif key.endswith(("bias", "running_mean")):
            values = 0.1 * values
        else:
            values = values * math.sqrt(2 / math.prod(tensor.shape[1:]))
        tensor.copy_(values)
