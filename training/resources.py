"""Where a training runs, and how many folds at a time."""

import os
from collections.abc import Iterable

import torch
from joblib import Parallel


def choose_device(name: str | None) -> torch.device:
    """The asked device, or CUDA where there is one."""
    return torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))


def run_side_by_side(tasks: Iterable, num_jobs: int, device: torch.device, num_workers: int = 0) -> None:
    """Run joblib tasks in processes of their own.

    On a CPU they are forked: starting afresh would load every library again, seconds for each fold of each entry. A
    forked worker may not have loader processes of its own, and CUDA does not survive a fork: those start afresh.
    """
    backend = "multiprocessing" if device.type == "cpu" and num_workers == 0 else "loky"
    Parallel(n_jobs=num_jobs, backend=backend)(tasks)


def parallel_folds(jobs: int | None, num_waiting: int, device: torch.device) -> int:
    """The asked number, or on a CPU one fold a core and on a GPU one."""
    return jobs or (min(num_waiting, os.cpu_count() or 1) if device.type == "cpu" else 1)
