"""Processes that must not outlive the one that started them."""

import ctypes
import os
import signal
import sys


def ask_to_end_with_parent() -> None:
    """Ask the system to kill this process when its parent ends: no fold trains on for a run that is gone."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def end_with_parent(parent: int) -> None:
    """The same, and end at once where `parent` had ended before it could be asked for."""
    ask_to_end_with_parent()
    if sys.platform == "linux" and os.getppid() != parent:
        os._exit(1)
