"""The list on the screen: state and minutes of every step, or the commands for another scheduler."""

from miga.engine.receipts import is_finished, read_receipt
from miga.engine.steps import Plan, Step, Task, tasks_of
from miga.paths import clips_dir


def print_state(run: str, plan: Plan, num_places: int) -> None:
    """One line a step: state, folds done, minutes spent and left."""
    spent = planned = left = 0.0
    rows = []
    for step in plan.steps:
        tasks = list(tasks_of(step))
        receipts = {task.name: read_receipt(run, task) for task in tasks}
        finished = [task for task in tasks if is_finished(run, task)]
        minutes = sum(receipt["minutes"] for receipt in receipts.values() if receipt)
        spent += minutes
        planned += sum(task.minutes for task in tasks if receipts[task.name])
        unfinished = sum(task.minutes for task in tasks if task not in finished)
        rows.append((step, _state(run, step, tasks, finished), minutes, unfinished))
    scale = spent / planned if planned > 0.5 else 1.0
    print(f"{'step':30} {'state':16} {'minutes spent':>13} {'left':>7}")
    for step, state, minutes, unfinished in rows:
        to_do = 0.0 if state == "left out" else unfinished * scale
        left += to_do
        print(f"{step.name:30} {state:16} {minutes:13.1f} {to_do:7.1f}")
    print(f"{'all':30} {'':16} {spent:13.1f} {left:7.1f}  ({left / num_places:.0f} min on {num_places} at a time)")


def _state(run: str, step: Step, tasks: list[Task], finished: list[Task]) -> str:
    if len(finished) == len(tasks):
        return "done"
    if _is_left_out(run, step):
        return "left out"
    folds = [task for task in finished if task.fold is not None]
    return f"{len(folds)} of {step.num_folds} folds" if step.num_folds else "to do"


def _is_left_out(run: str, step: Step) -> bool:
    """Whether the prepared recordings leave the step out; before they are prepared nobody knows."""
    return clips_dir(run, "track1").exists() and bool(step.why_left_out())


def print_commands(run: str, plan: Plan, wanted: set[str]) -> None:
    """The commands in waves: those of one wave may run side by side once the wave before has ended.

    Once the recordings are prepared, steps that they have no pictures for are not listed.
    """
    left_out = {step.name for step in plan.steps if _is_left_out(run, step)}
    wanted = {task.name for task in plan.tasks if task.name in wanted and task.step.name not in left_out}
    wave_of = plan.wave_of(wanted)
    tasks = [task for task in plan.tasks if task.name in wanted]
    for number in sorted(set(wave_of.values())):
        print(f"# wave {number}")
        for task in tasks:
            if wave_of[task.name] == number:
                print(" ".join(["python", "-m", task.step.module, *task.arguments]))
