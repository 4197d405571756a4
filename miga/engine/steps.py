"""What a run is made of: steps, and the tasks that a step falls into.

A step is one command, `python -m MODULE ARGUMENTS`. It can be called again at any time: it skips what is finished,
resumes what was killed, and writes whole files. That is all that the engine relies on.

A step in folds falls into one task a fold (`--fold 2`), which may run side by side, and a last one (`--fold all`),
which joins what they wrote. Any other step is one task.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from graphlib import TopologicalSorter


@dataclass(frozen=True)
class Step:
    """One line of the list.

    `reads` and `writes` are files, relative to the working folder, where `*` stands for any text. A step waits for
    every step that writes something it reads. In `fold_writes`, `{fold}` stands for the fold's number.
    """

    name: str
    module: str
    arguments: tuple[str, ...]
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    after: tuple[str, ...] = ()  # names of steps to wait for although nothing of theirs is read
    num_folds: int = 0  # 0 = once
    fold_writes: tuple[str, ...] = ()
    minutes: float = 0.1  # of a fold, or of the step, on one core or GPU: what the order of the list goes by
    wants_gpu: bool = False  # runs on a GPU where there is one
    takes_whole_machine: bool = False  # starts processes of its own: one for each core
    takes_overwrite: bool = True  # has an option --overwrite, to make again what is there
    why_left_out: Callable[[], str] = str  # asked when its turn comes; '' = it is not left out


@dataclass(frozen=True)
class Task:
    """What one process does: a fold of a step, the joining of its folds, or a whole step."""

    step: Step
    fold: int | None = None

    @property
    def name(self) -> str:
        return self.step.name if self.fold is None else f"{self.step.name}.{self.fold}"

    @property
    def title(self) -> str:
        return self.step.name if self.fold is None else f"{self.step.name} fold {self.fold}"

    @property
    def joins_folds(self) -> bool:
        return self.step.num_folds > 0 and self.fold is None

    @property
    def arguments(self) -> tuple[str, ...]:
        """Of `python -m step.module`."""
        if self.fold is not None:
            return (*self.step.arguments, "--fold", str(self.fold))
        return self.step.arguments

    @property
    def reads(self) -> tuple[str, ...]:
        own = tuple(w.format(fold=k) for k in range(self.step.num_folds) for w in self.step.fold_writes)
        return (*self.step.reads, *own) if self.joins_folds else self.step.reads

    @property
    def writes(self) -> tuple[str, ...]:
        if self.fold is not None:
            return tuple(path.format(fold=self.fold) for path in self.step.fold_writes)
        return self.step.writes

    @property
    def minutes(self) -> float:
        return 0.05 if self.joins_folds else self.step.minutes


def tasks_of(step: Step) -> Iterator[Task]:
    """The folds of a step, then the task that joins them; or its only task."""
    for fold in range(step.num_folds):
        yield Task(step, fold)
    yield Task(step)


class Plan:
    """The tasks of a list of steps, and which of them wait for which."""

    def __init__(self, steps: list[Step]):
        self.steps = steps
        self.tasks = [task for step in steps for task in tasks_of(step)]

    @cached_property
    def waits_for(self) -> dict[str, set[str]]:
        """Task name -> names of the tasks that must have ended before it starts."""
        steps_before = {step.name: self._steps_before(step) for step in self.steps}
        waits: dict[str, set[str]] = {}
        for task in self.tasks:
            waits[task.name] = set(steps_before[task.step.name])
            if task.joins_folds:
                waits[task.name] |= {Task(task.step, fold).name for fold in range(task.step.num_folds)}
        return waits

    def _steps_before(self, step: Step) -> set[str]:
        """Names of the steps that write what `step` reads: their last tasks bear the steps' names."""
        known = {other.name for other in self.steps}
        found = {name for name in step.after if name in known}
        for other in self.steps:
            if other.name != step.name and any(_meet(r, w) for r in step.reads for w in _all_writes(other)):
                found.add(other.name)
        return found

    @cached_property
    def minutes_to_the_end(self) -> dict[str, float]:
        """Minutes from a task's start to the end of the longest chain that waits for it."""
        followers: dict[str, list[str]] = {task.name: [] for task in self.tasks}
        for name, before in self.waits_for.items():
            for other in before:
                followers[other].append(name)
        own = {task.name: task.minutes for task in self.tasks}
        found: dict[str, float] = {}
        for name in reversed(list(TopologicalSorter(self.waits_for).static_order())):
            found[name] = own[name] + max((found[other] for other in followers[name]), default=0.0)
        return found

    def wave_of(self, wanted: set[str]) -> dict[str, int]:
        """Wanted task -> the number, from 1, of the wave that it can start in."""
        found: dict[str, int] = {}
        for name in TopologicalSorter(self.waits_for).static_order():
            if name in wanted:
                found[name] = 1 + max((found[other] for other in self.waits_for[name] & wanted), default=0)
        return found

    def steps_from(self, name: str) -> set[str]:
        """The step and every step that waits for it, directly or through others."""
        wanted, grew = {name}, True
        while grew:
            more = {step.name for step in self.steps if self._steps_before(step) & wanted}
            grew = not more <= wanted
            wanted |= more
        return wanted


def _all_writes(step: Step) -> tuple[str, ...]:
    folds = tuple(path.format(fold=k) for k in range(step.num_folds) for path in step.fold_writes)
    return (*step.writes, *folds)


def _meet(one: str, other: str) -> bool:
    """Whether two patterns can stand for the same file; `*` does not stand for a slash."""
    ones, others = one.split("/"), other.split("/")
    return len(ones) == len(others) and all(
        fnmatchcase(a, b) or fnmatchcase(b, a) for a, b in zip(ones, others, strict=True)
    )
