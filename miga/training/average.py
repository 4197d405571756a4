"""A moving average of the weights over the steps of a training; it predicts better than the last weights.

PyTorch's AveragedModel does the same arithmetic, but waits for a GPU at every step to ask how many there were.
"""

import copy
from collections.abc import Iterator

import torch
from torch import Tensor, nn


class MovingAverage:
    """A copy of a network that follows it, batch statistics included.

    It follows closely at first: after n steps it keeps (1 + n) / (10 + n) of itself, and at most `decay`.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.network, self.decay, self.num_steps = copy.deepcopy(model), decay, 0

    @torch.no_grad()
    def follow(self, model: nn.Module) -> None:
        """Move towards the weights of `model` after a step."""
        pairs = list(zip(_tensors(self.network), _tensors(model), strict=True))
        moving = [pair for pair in pairs if pair[0].is_floating_point() and self.num_steps > 0]
        copied = [pair for pair in pairs if not (pair[0].is_floating_point() and self.num_steps > 0)]
        if moving:
            keep = min(self.decay, (1 + self.num_steps) / (10 + self.num_steps))
            torch._foreach_lerp_([own for own, _ in moving], [other for _, other in moving], 1 - keep)
        if copied:  # all of them at first; later the counters of batch norm
            torch._foreach_copy_([own for own, _ in copied], [other for _, other in copied])
        self.num_steps += 1

    def state_dict(self) -> dict:
        return {"network": self.network.state_dict(), "num_steps": self.num_steps}

    def load_state_dict(self, state: dict) -> None:
        self.network.load_state_dict(state["network"])
        self.num_steps = state["num_steps"]


def _tensors(model: nn.Module) -> Iterator[Tensor]:
    yield from (parameter.detach() for parameter in model.parameters())
    yield from model.buffers()
