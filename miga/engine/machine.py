"""Where tasks run on this machine: forked on its cores, or one process a GPU.

On cores, tasks are forked from a process that has loaded the libraries, which saves seconds a task; a network on a CPU
uses one thread, so each core takes one task. CUDA does not survive a fork: on GPUs every task is a process of its own.
"""

import importlib
import multiprocessing
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Protocol

from miga.engine.steps import Task
from miga.errors import run_command
from miga.process import end_with_parent

KILL_AFTER_SEC = 5.0


class Running(Protocol):
    """A task that was started."""

    def poll(self) -> int | None:
        """Its exit code, None while it runs."""

    def stop(self) -> None:
        """End it now; what it had written whole stays."""


class Machine(Protocol):
    """What starts tasks."""

    num_places: int

    def start(self, task: Task, arguments: tuple[str, ...], log: Path) -> Running | None:
        """Start `python -m module arguments` with its output in `log`; None when there is no free place for it."""

    def free(self, task: Task) -> None:
        """The task has ended: its place is free."""


class Cores:
    """The cores of this machine."""

    def __init__(self, num_cores: int, modules: set[str]):
        """`modules` are loaded once, here, before anything is forked."""
        self.num_places = num_cores
        self._free = num_cores
        for name in sorted(modules):
            importlib.import_module(name)

    def start(self, task: Task, arguments: tuple[str, ...], log: Path) -> Running | None:
        if self._free < self._need(task):
            return None
        self._free -= self._need(task)
        if task.step.takes_whole_machine:  # its own processes would outlive it in a fork, waiting for more work
            return Spawned(command_of(task, arguments), log, dict(os.environ))
        context = multiprocessing.get_context("fork")
        sys.stdout.flush()
        process = context.Process(target=_forked, args=(task.step.module, arguments, log, os.getpid()))
        process.start()
        return _Forked(process)

    def free(self, task: Task) -> None:
        self._free += self._need(task)

    def _need(self, task: Task) -> int:
        return self.num_places if task.step.takes_whole_machine else 1


class Gpus:
    """The GPUs with these numbers; a task that wants none runs beside them."""

    def __init__(self, numbers: list[int]):
        self.num_places = len(numbers)
        self._free = list(numbers)
        self._gpu_of: dict[str, int] = {}

    def start(self, task: Task, arguments: tuple[str, ...], log: Path) -> Running | None:
        environment = dict(os.environ)
        if task.step.wants_gpu:
            if not self._free:
                return None
            self._gpu_of[task.name] = self._free.pop(0)
            environment["CUDA_VISIBLE_DEVICES"] = str(self._gpu_of[task.name])
        return Spawned(command_of(task, arguments), log, environment)

    def free(self, task: Task) -> None:
        if task.name in self._gpu_of:
            self._free.append(self._gpu_of.pop(task.name))


def command_of(task: Task, arguments: tuple[str, ...], python: str = sys.executable) -> list[str]:
    return [python, "-m", task.step.module, *arguments]


def _forked(module: str, arguments: tuple[str, ...], log: Path, parent: int) -> None:
    end_with_parent(parent)
    with open(log, "ab", buffering=0) as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.stdout, sys.stderr = (os.fdopen(number, "w", buffering=1, closefd=False) for number in (1, 2))
    sys.argv = [module, *arguments]
    run_command(partial(importlib.import_module(module).main, list(arguments)))


class _Forked:
    def __init__(self, process: multiprocessing.process.BaseProcess):
        self._process = process

    def poll(self) -> int | None:
        return self._process.exitcode

    def stop(self) -> None:
        self._process.terminate()
        self._process.join(KILL_AFTER_SEC)
        self._process.kill()
        self._process.join()


class Spawned:
    """A task in a process of its own."""

    def __init__(self, command: list[str], log: Path, environment: dict[str, str]):
        with open(log, "ab") as file:
            self._process = subprocess.Popen(
                command, stdout=file, stderr=file, env=environment, preexec_fn=partial(end_with_parent, os.getpid())
            )

    def poll(self) -> int | None:
        return self._process.poll()

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(KILL_AFTER_SEC)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
