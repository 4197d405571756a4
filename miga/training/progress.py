"""What a person sees while a network trains: one line an epoch with the time left, and the same rows as a csv."""

import csv
import resource
import sys
import time
from pathlib import Path

import torch

from miga.training.watch import EpochFigures

COLUMNS = ("epoch", "lr", "loss", "train_top1", "grad_norm", "grad_norm_max", "sec_per_epoch", "memory_gb")


def peak_memory_gb(device: torch.device) -> float:
    """Peak memory of this process: on the GPU when it uses one, else resident memory."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**30
    # Linux counts in KiB, macOS in bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30


def format_seconds(seconds: float) -> str:
    """`75.2` -> `1m15s`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes:02d}m"
    return f"{minutes}m{rest:02d}s" if minutes else f"{rest}s"


class EpochLog:
    """Prints an epoch line at most every few seconds (always the last) and appends each epoch to a csv.

    Args:
        title: what is training, e.g. `posec3d_joint fold 2`.
        epochs: how many there are in all.
        first_epoch: where this process begins; later than 0 after a kill.
    """

    def __init__(self, title: str, path: Path, epochs: int, first_epoch: int, every_sec: float = 10.0):
        self.title, self.path, self.epochs, self.first_epoch = title, path, epochs, first_epoch
        self.every_sec = every_sec
        self._drop_rows_after(first_epoch)
        self.start = self.last_print = time.monotonic()

    def row(self, epoch: int, lr: float, figures: EpochFigures, memory_gb: float) -> None:
        """Write what came of an epoch."""
        now = time.monotonic()
        per_epoch = (now - self.start) / (epoch + 1 - self.first_epoch)
        norms = (f"{norm:.4g}" for norm in (figures.grad_norm, figures.grad_norm_max))
        numbers = [f"{lr:.6g}", f"{figures.loss:.6f}", f"{figures.accuracy:.4f}", *norms]
        self._append([epoch + 1, *numbers, f"{per_epoch:.2f}", f"{memory_gb:.2f}"])
        is_last = epoch + 1 == self.epochs
        if is_last or now - self.last_print >= self.every_sec:
            self.last_print = now
            left = format_seconds(per_epoch * (self.epochs - epoch - 1))
            print(
                f"  {self.title}  epoch {epoch + 1}/{self.epochs}  lr {lr:.2g}  loss {figures.loss:.3f}  "
                f"train top-1 {figures.accuracy:.3f}  {per_epoch:.1f} s/epoch  {memory_gb:.1f} GB  left {left}",
                flush=True,
            )

    def _drop_rows_after(self, epoch: int) -> None:
        """A kill may have left rows of epochs that are now repeated."""
        if self.path.exists():
            rows = self.path.read_text().splitlines(keepends=True)
            self.path.write_text("".join(rows[: epoch + 1]))

    def _append(self, values: list) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        is_new = not self.path.exists() or self.path.stat().st_size == 0
        with open(self.path, "a", newline="") as file:
            writer = csv.writer(file)
            if is_new:
                writer.writerow(COLUMNS)
            writer.writerow(values)
