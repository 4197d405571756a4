"""Which task comes next: of those that wait for nothing, the one with the longest way to the end of the run."""

from dataclasses import dataclass, field

from miga.engine.steps import Plan, Task


@dataclass
class Schedule:
    """The tasks of a plan that are still to do; `started`, `ended` and `left_out` are told as they happen."""

    plan: Plan
    wanted: set[str]  # names of the tasks to run; all others count as ended
    running: set[str] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.ended |= {task.name for task in self.plan.tasks} - self.wanted
        order = self.plan.minutes_to_the_end
        self._by_length = sorted(self.plan.tasks, key=lambda task: -order[task.name])

    def ready(self) -> list[Task]:
        """The tasks that may start now, longest way first."""
        waiting = (t for t in self._by_length if t.name not in self.running and t.name not in self.ended)
        return [task for task in waiting if self.plan.waits_for[task.name] <= self.ended]

    def start(self, task: Task) -> None:
        self.running.add(task.name)

    def end(self, task: Task) -> None:
        self.running.discard(task.name)
        self.ended.add(task.name)

    @property
    def is_over(self) -> bool:
        return len(self.ended) == len(self.plan.tasks)

    def minutes_left(self, scale: float = 1.0) -> float:
        """Minutes of work in the tasks that have not ended, `scale` times what the list says of them."""
        return scale * sum(task.minutes for task in self.plan.tasks if task.name not in self.ended)
