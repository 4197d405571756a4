"""The loss and the gradient of every step are looked at: a wrong one stops the training.

The gradient is measured before it is clipped. Clipping would hide a wrong one: 1e31 is cut to the length of a right
one, in a direction that means nothing.

Asking a GPU for a number waits until it has done everything before. So the numbers of a step stay there, and are read
some steps at a time.
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


class NonFiniteLossError(TrainingError):
    """The loss became NaN or infinite; the message lists the clips of the batch."""


@dataclass(frozen=True)
class Shown:
    """What came of a batch; the tensors stay on the device."""

    clip_ids: list[str]
    loss: Tensor  # scalar
    num_right: Tensor  # scalar, clips of it that were named rightly


@dataclass(frozen=True)
class EpochFigures:
    """What the log says of an epoch."""

    loss: float  # mean over clips
    accuracy: float  # on the augmented training clips
    grad_norm: float  # median over steps, before clipping; NaN without any
    grad_norm_max: float


@dataclass(frozen=True)
class Step:
    """What is known of a step until it is judged; the tensors stay on the device."""

    epoch: int
    number: int  # in the epoch, from 1
    batches: list[Shown]
    names: list[str]  # of the parameters that have a gradient
    norms: Tensor  # (parameters,)
    total: Tensor  # scalar, over all parameters

    @property
    def clip_ids(self) -> list[str]:
        return [clip_id for batch in self.batches for clip_id in batch.clip_ids]


class TrainingWatch:
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
        self.norms: list[float] = []  # of the epoch's steps
        self.loss, self.num_right, self.num_clips = 0.0, 0, 0  # sums over the epoch's clips
        self.num_overflows = 0

    def measure(self, epoch: int, number: int, batches: list[Shown]) -> Tensor:
        """The norm over all gradients of a step, as `torch.nn.utils.clip_grads_with_norm_` takes it.

        Args:
            batches: those whose gradients the step sums up.
        Raises:
            NonFiniteLossError, GradientError: now and then, of a step up to this one.
        """
        named = [(name, p.grad) for name, p in self.model.named_parameters() if p.grad is not None]
        norms = torch.stack(torch._foreach_norm([gradient for _, gradient in named]))
        total = torch.linalg.vector_norm(norms)
        self.unseen.append(Step(epoch, number, batches, [name for name, _ in named], norms, total))
        if len(self.unseen) == LOOK_EVERY:
            self.look()
        return total

    def look(self) -> None:
        """Judge the steps since the last look.

        Raises:
            NonFiniteLossError: of the first batch, where no gradient before it was wrong.
            GradientError: of the first that is not finite, or more than REACH times the median of all before.
        """
        if not self.unseen:
            return
        totals = torch.stack([step.total for step in self.unseen]).tolist()
        shown = [batch for step in self.unseen for batch in step.batches]
        losses = iter(torch.stack([batch.loss for batch in shown]).tolist())
        self.num_right += int(torch.stack([batch.num_right for batch in shown]).sum())
        for step, total in zip(self.unseen, totals, strict=True):
            for batch in step.batches:
                self._judge_loss(next(losses), batch, step.epoch)
            if np.isfinite(total):
                self.num_overflows = 0
                self.waiting.append((step, total))
                self.norms.append(total)
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

    def end_epoch(self) -> EpochFigures:
        """Judge what is left and say what came of the epoch."""
        self.look()
        usual, largest = (float(np.median(self.norms)), max(self.norms)) if self.norms else (np.nan, np.nan)
        num_clips = max(1, self.num_clips)
        figures = EpochFigures(self.loss / num_clips, self.num_right / num_clips, usual, largest)
        self.norms, self.loss, self.num_right, self.num_clips = [], 0.0, 0, 0
        return figures

    def state_dict(self) -> dict:
        return {"usual": list(self.usual)}

    def load_state_dict(self, state: dict) -> None:
        self.usual.extend(state["usual"])

    def _judge_loss(self, loss: float, batch: Shown, epoch: int) -> None:
        if not np.isfinite(loss):
            on_clips = f"on the clips {', '.join(batch.clip_ids)}"
            raise NonFiniteLossError(f"loss is {loss} in epoch {epoch + 1} {on_clips}; {self.cure}")
        self.loss += loss * len(batch.clip_ids)
        self.num_clips += len(batch.clip_ids)

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
