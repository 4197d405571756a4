"""One pipeline a run at a time."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from miga.errors import InputError
from miga.paths import report_dir


@contextmanager
def locked(run: str) -> Iterator[None]:
    """Hold the run; the system gives it back when the process ends, however it ends.

    Raises:
        InputError: another process holds it.
    """
    path = report_dir(run) / "lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "another process"
            raise InputError(
                f"run {run} is being made by {holder}; wait for it, or stop it and call this again"
            ) from None
        file.truncate(0)
        file.write(f"process {os.getpid()}")
        file.flush()
        yield
