"""Run the tasks of a plan, side by side where the machine has places, and say how far it is."""

import sys
import time
from dataclasses import dataclass
from pathlib import Path

from miga.engine.machine import Machine, Running
from miga.engine.receipts import is_finished, write_receipt
from miga.engine.schedule import Schedule
from miga.engine.steps import Plan, Task
from miga.paths import log_txt

POLL_SEC = 0.1


class TaskFailedError(RuntimeError):
    """A task ended with an exit code that is not 0; its own words stand in the message."""

    def __init__(self, message: str, exit_code: int):
        super().__init__(message)
        self.exit_code = exit_code


@dataclass
class _Started:
    task: Task
    running: Running
    log: Path
    begun: float
    num_shown: int = 0  # bytes of the log that were printed


class Runner:
    """Runs tasks of one run.

    Args:
        heed_receipts: skip the tasks whose receipts hold.
        overwrite: call the steps with --overwrite.
    """

    def __init__(
        self,
        run: str,
        plan: Plan,
        wanted: set[str],
        machine: Machine,
        heed_receipts: bool = True,
        overwrite: bool = False,
    ):
        self.run, self.plan, self.machine = run, plan, machine
        self.heed_receipts, self.overwrite = heed_receipts, overwrite
        self.schedule = Schedule(plan, wanted)
        self._going: list[_Started] = []
        self._num_tasks = len(wanted)
        self._num_ended = 0
        self._spent, self._planned = 0.0, 0.0  # minutes of the tasks that ran, and what the list said of them

    def __call__(self) -> None:
        """Run everything.

        Raises:
            TaskFailedError: a task failed; the others were stopped and will resume.
        """
        try:
            while not self.schedule.is_over:
                self._start_what_fits()
                self._look()
        finally:
            for started in self._going:
                started.running.stop()

    def _start_what_fits(self) -> None:
        settled = True
        while settled:  # a task that has nothing to do may set others free
            settled = False
            for task in self.schedule.ready():
                if why := task.step.why_left_out():
                    self._settle(task, f"left out, {why}" if task.fold is None else "")
                    settled = True
                elif self.heed_receipts and is_finished(self.run, task):
                    self._settle(task, "" if task.step.num_folds else "done already")
                    settled = True
                elif not self._start(task):
                    return  # no place: a shorter task must not take it from the one whose turn it is

    def _settle(self, task: Task, why: str) -> None:
        self.schedule.end(task)
        self._num_ended += 1
        if why:
            print(f"{task.title}: {why}", flush=True)

    def _start(self, task: Task) -> bool:
        log = log_txt(self.run, task.name)
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_bytes(b"")
        arguments = task.arguments
        if self.overwrite and not task.joins_folds and task.step.takes_overwrite:
            arguments = (*arguments, "--overwrite")
        running = self.machine.start(task, arguments, log)
        if running is None:
            return False
        self.schedule.start(task)
        if not task.step.num_folds:
            print(f"\n== {task.title}", flush=True)
        self._going.append(_Started(task, running, log, time.monotonic()))
        return True

    def _look(self) -> None:
        """Show what the running tasks print, and take up those that ended."""
        time.sleep(POLL_SEC)
        for started in list(self._going):
            code = started.running.poll()
            if not started.task.step.num_folds:
                self._show(started)
            if code is not None:
                self._going.remove(started)
                self.machine.free(started.task)
                self._end(started, code)

    def _show(self, started: _Started) -> None:
        with open(started.log, "rb") as file:
            file.seek(started.num_shown)
            text = file.read()
        started.num_shown += len(text)
        sys.stdout.write(text.decode(errors="replace"))
        sys.stdout.flush()

    def _end(self, started: _Started, code: int) -> None:
        task, minutes = started.task, (time.monotonic() - started.begun) / 60
        if code:
            raise TaskFailedError(failure_of(task, started.log, code), code if code > 0 else 1)
        write_receipt(self.run, task, minutes)
        self.schedule.end(task)
        self._num_ended += 1
        self._spent, self._planned = self._spent + minutes, self._planned + task.minutes
        if task.step.num_folds:
            print(
                f"[{self._num_ended}/{self._num_tasks}{self._time_left()}] {_last_line(task, started.log)}", flush=True
            )

    def _time_left(self) -> str:
        if self._planned < 0.5:
            return ""
        minutes = self.schedule.minutes_left(self._spent / self._planned) / self.machine.num_places
        return f", {minutes:.0f} min left" if minutes >= 1 else ", under a minute left"


def failure_of(task: Task, log: Path, code: int) -> str:
    """What a failed task said, with its name and where the rest of its words are."""
    words = log.read_text(errors="replace").strip()
    errors = [line for line in words.splitlines() if line.startswith("error: ")]
    if errors:  # from the first sentence of ours to the end: some list several things
        said = words[words.index(errors[0]) + len("error: ") :]
    else:
        said = f"ended by signal {-code}" if code < 0 else words[-4000:]
    return f"{task.title}: {said}\n  (all it said: {log}; what is finished is kept, the same command goes on from here)"


def _last_line(task: Task, log: Path) -> str:
    """What a task said last; a fold, of itself: the last one of an entry tells of the whole entry as well."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    own = [line for line in lines if f"fold {task.fold}" in line]
    return (own or lines or [""])[-1]
