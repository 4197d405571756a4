"""Fit one network on one fold: the epoch that every model shares.

An epoch depends on nothing but the weights it starts from and the seeds (seed, epoch): so a killed training that
repeats its last epochs from a checkpoint ends with the same bytes as an unkilled one.
"""

import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import nn

from miga.errors import InputError
from miga.training.average import MovingAverage
from miga.training.checkpoint import check_fingerprint, fill, load_checkpoint, save_checkpoint
from miga.training.config import FitConfig
from miga.training.dataset import TrainSamples, batches_in_epoch, steps_in_epoch, train_batches
from miga.training.heads import freeze_all_but_heads, heads_in_train_mode
from miga.training.optimizer import build_optimizer, lr_factor, num_epochs
from miga.training.precision import autocast, number_format
from miga.training.progress import EpochLog, peak_memory_gb
from miga.training.seeding import make_deterministic, seed_torch
from miga.training.versions import device_name
from miga.training.watch import Shown, TrainingWatch

Batch = dict[str, torch.Tensor]
CHECKPOINT_EVERY_SEC = 30.0


def fit(
    model: nn.Module,
    samples: TrainSamples,
    config: FitConfig,
    *,
    prepare: Callable[[Batch], Batch],
    loss_fn: Callable[[Any, Batch, int], torch.Tensor],
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
    watch = TrainingWatch(model, may_overflow=used == "fp16", cure=cure)
    average = MovingAverage(model, config.ema_decay) if config.ema_decay else None
    parts: dict[str, Any] = {
        "model": model,
        "optimizer": optimizer,
        "scheduler": scheduler,
        "scaler": scaler,
        "watch": watch,
    }
    if average is not None:
        parts["average"] = average
    first_epoch = _resume(folder / "checkpoint.pt", parts, fingerprint, device)

    log = EpochLog(title, folder / "log.csv", epochs, first_epoch)
    last_saved = time.monotonic()
    batches = train_batches(
        samples,
        config.batch_size,
        range(first_epoch, epochs),
        config.seed,
        config.num_workers,
        pin_memory=device.type == "cuda",
    )
    num_batches = batches_in_epoch(len(samples), config.batch_size)
    for epoch in range(first_epoch, epochs):
        lr = optimizer.param_groups[0]["lr"]
        of_epoch = islice(batches, num_batches)
        _run_epoch(
            model, average, optimizer, scheduler, scaler, watch, of_epoch, num_batches, config, prepare, loss_fn, epoch,
            device, clip_ids,
        )  # fmt: skip
        log.row(epoch, lr, watch.end_epoch(), peak_memory_gb(device))
        if time.monotonic() - last_saved >= CHECKPOINT_EVERY_SEC and epoch + 1 < epochs:
            state = {name: part.state_dict() for name, part in parts.items()}
            save_checkpoint(folder / "checkpoint.pt", {**state, "epoch": epoch + 1, "fingerprint": fingerprint})
            last_saved = time.monotonic()

    if average is not None:
        model.load_state_dict(average.network.state_dict())
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


def _run_epoch(
    model, average, optimizer, scheduler, scaler, watch, batches: Iterator[Batch], num_batches: int, config: FitConfig,
    prepare, loss_fn, epoch: int, device, clip_ids: list[str],
) -> None:  # fmt: skip
    """One pass over the clips. Nothing in it waits for a GPU; `watch` does, now and then."""
    model.train()
    if config.heads_only:
        heads_in_train_mode(model)
    seed_torch(config.seed, epoch)
    shown: list[Shown] = []  # of a step
    for number, batch in enumerate(batches):
        batch_ids = [clip_ids[row] for row in batch["row"].tolist()]
        batch = {key: value.to(device, non_blocking=True) for key, value in batch.items()}
        with autocast(config.precision, device):
            output = model(**prepare(batch))
            loss = loss_fn(output, batch, epoch)
        scaler.scale(loss / config.accumulation).backward()
        logits = output["logits"] if isinstance(output, dict) else output
        shown.append(Shown(batch_ids, loss.detach(), (logits.detach().argmax(1) == batch["label"]).sum()))
        if (number + 1) % config.accumulation == 0 or number + 1 == num_batches:
            scaler.unscale_(optimizer)
            norm = watch.measure(epoch, number // config.accumulation + 1, shown)
            _step(model, average, optimizer, scheduler, scaler, config.clip_norm, norm)
            shown = []


def _step(model, average, optimizer, scheduler, scaler, clip_norm: float, norm: torch.Tensor) -> None:
    """Apply the accumulated gradient, clipped from its `norm`; advance the schedule and the average."""
    if clip_norm:
        torch.nn.utils.clip_grads_with_norm_(model.parameters(), clip_norm, norm)
    scaler.step(optimizer)
    scaler.update()
    optimizer.zero_grad(set_to_none=True)
    scheduler.step()
    if average is not None:
        average.follow(model)
