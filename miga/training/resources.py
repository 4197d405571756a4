"""Where a training runs, and how many folds at a time."""

import os
import signal
from collections.abc import Callable

import torch
from joblib import Parallel, delayed

from miga.process import ask_to_end_with_parent


def choose_device(name: str | None) -> torch.device:
    """The asked device, or CUDA where there is one."""
    return torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))


def run_side_by_side(
    function: Callable, arguments: list[tuple], num_jobs: int, device: torch.device, num_workers: int = 0
) -> None:
    """Call `function` with each tuple of arguments, in processes that end when this one is killed or interrupted.

    On a CPU they are forked: starting afresh would load every library again, seconds for each fold of each entry. A
    forked worker may not have loader processes of its own, and CUDA does not survive a fork: those start afresh.
    """
    backend = "multiprocessing" if device.type == "cpu" and num_workers == 0 else "loky"
    parallel = Parallel(n_jobs=num_jobs, backend=backend, initializer=_follow_the_parent)
    parallel(delayed(function)(*own) for own in arguments)


def _follow_the_parent() -> None:
    """At the start of a process of its own: no fold trains on for a run that is gone, and Ctrl-C is told once."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it reaches the parent as well, which ends its folds
    ask_to_end_with_parent()


def parallel_folds(jobs: int | None, num_waiting: int, device: torch.device) -> int:
    """The asked number, or on a CPU one fold a core and on a GPU one."""
    return jobs or (min(num_waiting, os.cpu_count() or 1) if device.type == "cpu" else 1)
