"""Fit one network on one fold: the epoch that every model shares.

An epoch depends on nothing but the weights it starts from and the seeds (seed, epoch): so a killed training that
repeats its last epochs from a checkpoint ends with the same bytes as an unkilled one.
"""

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from miga.errors import InputError, TrainingError
from miga.training.checkpoint import check_fingerprint, fill, load_checkpoint, save_checkpoint
from miga.training.config import FitConfig
from miga.training.dataset import TrainSamples, epoch_batches, steps_in_epoch
from miga.training.gradients import GradientWatch
from miga.training.heads import freeze_all_but_heads, heads_in_train_mode
from miga.training.optimizer import build_optimizer, lr_factor, num_epochs
from miga.training.precision import autocast, number_format
from miga.training.progress import EpochLog, peak_memory_gb
from miga.training.seeding import make_deterministic, seed_torch
from miga.training.versions import device_name

Batch = dict[str, torch.Tensor]
CHECKPOINT_EVERY_SEC = 30.0


class NonFiniteLossError(TrainingError):
    """The loss became NaN or infinite; the message lists the clips of the batch."""


def fit(
    model: nn.Module,
    samples: TrainSamples,
    config: FitConfig,
    *,
    prepare: Callable[[Batch], Batch],
    loss_fn: Callable[[object, Batch, int], torch.Tensor],
    folder: Path,
    fingerprint: dict,
    title: str,
    device: torch.device,
    clip_ids: list[str],
) -> nn.Module:
    """Train to the last epoch, resuming from `folder` when it holds a checkpoint, and return the network in eval mode.

    The result is the moving average of the weights when `config.ema_decay` is set, else the last weights: never the
    epoch that scores best on the held-out fold.

    Args:
        prepare: batch on the device -> named arguments of `model.forward` (draws heatmaps, for example).
        loss_fn: (output of forward, batch, epoch) -> scalar.
        folder: where checkpoint.pt (until the end), weights.pt and log.csv are written.
        fingerprint: plain values that say what is trained on what; a checkpoint made with others is refused.
        clip_ids: id of every row of the clip table, for messages.
    Raises:
        NonFiniteLossError: with the ids of the clips in the batch.
        GradientError: with the parameter, the step and its clips.
        InputError: `folder` holds something made with other settings.
    """
    make_deterministic(device)
    model = model.to(device)
    if config.channels_last:
        model = model.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
    if (folder / "weights.pt").exists():
        state = load_checkpoint(folder / "weights.pt", device)
        check_fingerprint(folder / "weights.pt", state["fingerprint"], fingerprint)
        fill(model, state, folder / "weights.pt")
        return model.eval()

    if config.heads_only:
        freeze_all_but_heads(model)
    optimizer = build_optimizer(model, config)
    steps_per_epoch = steps_in_epoch(len(samples), config.batch_size, config.accumulation)
    epochs = num_epochs(config, steps_per_epoch)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lr_factor(config, steps_per_epoch))
    used = number_format(config.precision, device)
    scaler = torch.amp.GradScaler(device.type, enabled=used == "fp16")
    cure = f"{'' if used == 'fp32' else 'add --precision fp32, '}lower --lr or look at these clips"
    watch = GradientWatch(model, may_overflow=used == "fp16", cure=cure)
    ema = AveragedModel(model, multi_avg_fn=_warm_ema(config.ema_decay), use_buffers=True) if config.ema_decay else None
    parts: dict[str, Any] = {
        "model": model,
        "optimizer": optimizer,
        "scheduler": scheduler,
        "scaler": scaler,
        "watch": watch,
    }
    if ema is not None:
        parts["ema"] = ema
    first_epoch = _resume(folder / "checkpoint.pt", parts, fingerprint, device)

    log = EpochLog(title, folder / "log.csv", epochs, first_epoch)
    last_saved = time.monotonic()
    for epoch in range(first_epoch, epochs):
        lr = optimizer.param_groups[0]["lr"]
        loss, accuracy = _run_epoch(
            model, ema, optimizer, scheduler, scaler, watch, samples, config, prepare, loss_fn, epoch, device, clip_ids
        )
        log.row(epoch, lr, loss, accuracy, watch.end_epoch(), peak_memory_gb(device))
        if time.monotonic() - last_saved >= CHECKPOINT_EVERY_SEC and epoch + 1 < epochs:
            state = {name: part.state_dict() for name, part in parts.items()}
            save_checkpoint(folder / "checkpoint.pt", {**state, "epoch": epoch + 1, "fingerprint": fingerprint})
            last_saved = time.monotonic()

    if ema is not None:
        model.load_state_dict(ema.module.state_dict())
    heads = list(getattr(model, "HEADS", ()))  # so that a later step can leave the classifier out
    made = {"device": device_name(device), "number_format": used}
    state = {"model": model.state_dict(), "heads": heads, "fingerprint": fingerprint, "made": made}
    save_checkpoint(folder / "weights.pt", state)
    (folder / "checkpoint.pt").unlink(missing_ok=True)
    return model.eval()


def _resume(path: Path, parts: dict, fingerprint: dict, device: torch.device) -> int:
    """Load a checkpoint into `parts` and return the epoch to begin with; 0 when there is none."""
    if not path.exists():
        return 0
    state = load_checkpoint(path, device)
    check_fingerprint(path, state["fingerprint"], fingerprint)
    missing = parts.keys() - state.keys()
    if missing:
        raise InputError(f"{path}: has no {missing.pop()}, so an earlier version made it; add --overwrite")
    for name, part in parts.items():
        part.load_state_dict(state[name])
    return state["epoch"]


def _warm_ema(decay: float) -> Callable:
    """Moving average that follows closely at first: its decay grows as (1 + n) / (10 + n) up to `decay`."""

    def average(averaged: list[torch.Tensor], current: list[torch.Tensor], num_averaged: torch.Tensor) -> None:
        keep = min(decay, (1 + int(num_averaged)) / (10 + int(num_averaged)))
        if averaged[0].is_floating_point():
            torch._foreach_lerp_(averaged, current, 1 - keep)
        else:  # counters of batch normalisation
            torch._foreach_copy_(averaged, current)

    return average


def _run_epoch(
    model, ema, optimizer, scheduler, scaler, watch, samples, config, prepare, loss_fn, epoch, device, clip_ids
) -> tuple[float, float]:
    """One pass over the clips; returns the mean loss and the accuracy on the augmented training clips."""
    model.train()
    if config.heads_only:
        heads_in_train_mode(model)
    seed_torch(config.seed, epoch)
    total_loss, num_right, num_seen = 0.0, 0, 0
    batches = epoch_batches(samples, config.batch_size, epoch, config.seed, config.num_workers)
    num_batches = max(1, len(samples) // config.batch_size)
    ids: list[str] = []  # of the clips of a step
    for number, batch in enumerate(batches):
        batch_ids = [clip_ids[row] for row in batch["row"].tolist()]
        ids += batch_ids
        batch = {key: value.to(device, non_blocking=True) for key, value in batch.items()}
        with autocast(config.precision, device):
            output = model(**prepare(batch))
            loss = loss_fn(output, batch, epoch)
        value = float(loss.detach())
        if not math.isfinite(value):
            watch.look()  # a wrong gradient before it is the cause, and tells more
            on_clips = f"on the clips {', '.join(batch_ids)}"
            raise NonFiniteLossError(f"loss is {value} in epoch {epoch + 1} {on_clips}; {watch.cure}")
        scaler.scale(loss / config.accumulation).backward()
        if (number + 1) % config.accumulation == 0 or number + 1 == num_batches:
            scaler.unscale_(optimizer)
            norm = watch.measure(epoch, number // config.accumulation + 1, ids)
            _step(model, ema, optimizer, scheduler, scaler, config.clip_norm, norm)
            ids = []
        size = len(batch["label"])
        logits = output["logits"] if isinstance(output, dict) else output
        total_loss += value * size
        num_right += int((logits.detach().argmax(1) == batch["label"]).sum())
        num_seen += size
    return total_loss / num_seen, num_right / num_seen


def _step(model, ema, optimizer, scheduler, scaler, clip_norm: float, norm: torch.Tensor) -> None:
    """Apply the accumulated gradient, clipped from its `norm`; advance the schedule and the average."""
    if clip_norm:
        torch.nn.utils.clip_grads_with_norm_(model.parameters(), clip_norm, norm)
    scaler.step(optimizer)
    scaler.update()
    optimizer.zero_grad(set_to_none=True)
    scheduler.step()
    if ema is not None:
        ema.update_parameters(model)
