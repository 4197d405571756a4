"""Where a training runs, and how many folds at a time."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable

import torch
from joblib import Parallel, delayed


def choose_device(name: str | None) -> torch.device:
    """The asked device, or CUDA where there is one."""
    return torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))


def run_side_by_side(
    function: Callable, arguments: list[tuple], num_jobs: int, device: torch.device, num_workers: int = 0
) -> None:
    """Call `function` with each tuple of arguments, in processes that end when this one is killed.

    On a CPU they are forked: starting afresh would load every library again, seconds for each fold of each entry. A
    forked worker may not have loader processes of its own, and CUDA does not survive a fork: those start afresh.
    """
    backend = "multiprocessing" if device.type == "cpu" and num_workers == 0 else "loky"
    parent = os.getpid()
    Parallel(n_jobs=num_jobs, backend=backend)(delayed(_call)(function, own, parent) for own in arguments)


def _call(function: Callable, arguments: tuple, parent: int) -> None:
    if os.getpid() != parent and sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: no fold trains on for a run that is gone
    function(*arguments)


def parallel_folds(jobs: int | None, num_waiting: int, device: torch.device) -> int:
    """The asked number, or on a CPU one fold a core and on a GPU one."""
    return jobs or (min(num_waiting, os.cpu_count() or 1) if device.type == "cpu" else 1)
