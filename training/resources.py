"""Where a training runs, and how many folds at a time."""

import os

import torch


def choose_device(name: str | None) -> torch.device:
    """The asked device, or CUDA where there is one."""
    return torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))


def parallel_folds(jobs: int | None, num_waiting: int, device: torch.device) -> int:
    """The asked number, or on a CPU one fold a core and on a GPU one."""
    return jobs or (min(num_waiting, os.cpu_count() or 1) if device.type == "cpu" else 1)
