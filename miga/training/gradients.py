"""The gradient of every step is looked at before it is clipped: a wrong one stops the training.

Clipping would hide it: a gradient of 1e31 is cut to the length of a right one, in a direction that means nothing.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from miga.errors import TrainingError

WARM_UP = 20  # steps before anything finite is judged; then those of the warm-up are as well
REACH = 1e7  # times the usual norm; right steps stay below 5e5 times it, sets of one endless gesture included
SMALLEST = 1.0  # that counts as usual: of a set learned by heart almost nothing is, and one hard clip is no fault
REMEMBERED = 1000  # steps that say what is usual
LOOK_EVERY = 20  # steps; a GPU is waited for only then
OVERFLOWS = 50  # fp16 steps in a row that its loss scaling may leave out; it halves the scale at each


class GradientError(TrainingError):
    """A gradient is not finite, or far from all before; the message names step, parameter and clips."""


@dataclass(frozen=True)
class Step:
    """What is known of a step until it is judged; the tensors stay on the device."""

    epoch: int
    number: int  # in the epoch, from 1
    clip_ids: list[str]
    names: list[str]  # of the parameters that have a gradient
    norms: Tensor  # (parameters,)
    total: Tensor  # scalar, over all parameters


class GradientWatch:
    """Measures every step's gradient and judges some steps at a time, all of them by the end of an epoch.

    Args:
        model: whose parameters' gradients are measured.
        may_overflow: whether a gradient may be infinite, as in fp16 with loss scaling, which leaves such steps out.
        cure: what the message says to do.
    """

    def __init__(self, model: nn.Module, may_overflow: bool, cure: str) -> None:
        self.model, self.may_overflow, self.cure = model, may_overflow, cure
        self.usual: deque[float] = deque(maxlen=REMEMBERED)  # norms of judged steps
        self.waiting: list[tuple[Step, float]] = []  # of the warm-up
        self.unseen: list[Step] = []
        self.of_epoch: list[float] = []
        self.num_overflows = 0

    def measure(self, epoch: int, number: int, clip_ids: list[str]) -> Tensor:
        """The norm over all gradients, as `torch.nn.utils.clip_grads_with_norm_` takes it.

        Raises:
            GradientError: now and then, of a step up to this one.
        """
        named = [(name, p.grad) for name, p in self.model.named_parameters() if p.grad is not None]
        norms = torch.stack(torch._foreach_norm([gradient for _, gradient in named]))
        total = torch.linalg.vector_norm(norms)
        self.unseen.append(Step(epoch, number, clip_ids, [name for name, _ in named], norms, total))
        if len(self.unseen) == LOOK_EVERY:
            self.look()
        return total

    def look(self) -> None:
        """Judge the steps since the last look.

        Raises:
            GradientError: of the first that is not finite, or more than REACH times the median of all before.
        """
        if not self.unseen:
            return
        totals = torch.stack([step.total for step in self.unseen]).tolist()
        for step, total in zip(self.unseen, totals, strict=True):
            if np.isfinite(total):
                self.num_overflows = 0
                self.waiting.append((step, total))
                self.of_epoch.append(total)
            else:
                self.num_overflows += 1
                if not self.may_overflow or self.num_overflows > OVERFLOWS:
                    raise self._error(step, total)
        self.unseen.clear()
        finite = [total for _, total in self.waiting]
        if len(self.usual) + len(finite) < WARM_UP:
            return
        limit = REACH * max(SMALLEST, float(np.median([*self.usual, *finite])))
        for step, total in self.waiting:
            if total > limit:
                raise self._error(step, total)
        self.waiting.clear()
        self.usual.extend(finite)

    def end_epoch(self) -> tuple[float, float]:
        """Judge what is left and return the median and the largest norm of the epoch's steps; NaN without any."""
        self.look()
        norms, self.of_epoch = self.of_epoch, []
        return (float(np.median(norms)), max(norms)) if norms else (np.nan, np.nan)

    def state_dict(self) -> dict:
        return {"usual": list(self.usual)}

    def load_state_dict(self, state: dict) -> None:
        self.usual.extend(state["usual"])

    def _error(self, step: Step, total: float) -> GradientError:
        """Of the parameters at fault, the one nearest to the loss: NaN spreads from there to all before it."""
        norms = step.norms.tolist()
        at_fault = [i for i, norm in enumerate(norms) if not np.isfinite(norm)] or [int(np.argmax(norms))]
        name, norm = step.names[at_fault[-1]], norms[at_fault[-1]]
        seen = [*self.usual, *(total for _, total in self.waiting)]
        usual = f" (usual for the whole network: {np.median(seen):.3g})" if seen else ""
        return GradientError(
            f"the gradient of {name} has the norm {norm:.3g}{usual} in step {step.number} of epoch {step.epoch + 1} "
            f"on the clips {', '.join(step.clip_ids)}; {self.cure}"
        )
