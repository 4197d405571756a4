"""`python -m pipeline`: run the list, or a part of it, or show it."""

import os
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from miga.engine.listing import print_commands, print_state
from miga.engine.options import Options, build_parser, options_of, remember
from miga.engine.receipts import is_finished
from miga.engine.steps import Plan, Step
from miga.errors import InputError
from miga.paths import report_dir

if TYPE_CHECKING:
    from miga.engine.machine import Machine


def main(steps_of: Callable[[Options], list[Step]], argv: list[str] | None = None) -> None:
    """Do what the command line asks for, with the steps that `steps_of` lists for its options."""
    given = vars(build_parser().parse_args(argv))
    if given.get("tune"):
        given["only"] = "blend,forecast"
        if "run" not in given:
            raise InputError("say which run to tune with --run NAME")
    options = options_of(given)
    plan = Plan(steps_of(options))
    wanted = wanted_tasks(plan, given)
    if given.get("list"):
        print_state(options.run, plan, num_places(given))
    elif given.get("print"):
        remember(options)  # the steps read them
        print_commands(options.run, plan, wanted)
    elif given.get("dry_run"):
        for task in plan.tasks:
            if task.name in wanted and (chosen_by_hand(given) or not is_finished(options.run, task)):
                print(f"{task.title:36} {task.step.module} {' '.join(task.arguments)}")
    else:
        run(options, plan, wanted, given)


def chosen_by_hand(given: dict) -> bool:
    """Whether the command names steps: those are then called whatever their receipts say."""
    return any(given.get(name) for name in ("only", "from_step", "overwrite"))


def wanted_tasks(plan: Plan, given: dict) -> set[str]:
    """Names of the tasks that --only, --from, --check and --fold leave.

    Raises:
        InputError: no such step or fold.
    """
    names = [step.name for step in plan.steps]
    chosen = set(names)
    if given.get("check"):
        chosen = {name for name in ("recordings", "prepare", "check") if name in names}
    if given.get("only"):
        chosen = {name.strip() for name in given["only"].split(",")}
    if given.get("from_step"):
        chosen = {given["from_step"]}
    for name in chosen - set(names):
        raise InputError(f"no step is called {name}; the steps are {', '.join(names)}")
    if given.get("from_step"):
        chosen = plan.steps_from(given["from_step"])
    tasks = [task for task in plan.tasks if task.step.name in chosen]
    if "fold" in given:
        tasks = [task for task in tasks if task.fold == given["fold"]]
        if not tasks:
            raise InputError(f"--fold {given['fold']}: none of these steps has this fold")
    return {task.name for task in tasks}


def num_places(given: dict) -> int:
    if "gpus" in given:
        return len(given["gpus"].split(","))
    jobs = given.get("jobs", os.cpu_count() or 1)
    if jobs < 1:
        raise InputError(f"--jobs {jobs}: expected 1 or more")
    return jobs


def run(options: Options, plan: Plan, wanted: set[str], given: dict) -> None:
    """Run the wanted tasks where the command line says."""
    by_hand = chosen_by_hand(given)
    tasks = [task for task in plan.tasks if task.name in wanted]
    if not by_hand and all(is_finished(options.run, task) or task.step.why_left_out() for task in tasks):
        summary = report_dir(options.run) / "summary.txt"
        print(summary.read_text() if summary.exists() else "", end="")
        print(f"run {options.run}: everything is done already, nothing to do")
        return
    from miga.engine.lock import locked
    from miga.engine.run import Runner, TaskFailedError

    remember(options)
    started = time.monotonic()
    with locked(options.run):
        machine = machine_of(plan, wanted, given)
        runner = Runner(options.run, plan, wanted, machine, not by_hand, given.get("overwrite", False))
        try:
            runner()
        except TaskFailedError as error:
            print(f"error: {error}", file=sys.stderr)
            raise SystemExit(error.exit_code) from None
    print(f"\nrun {options.run}: done in {time.monotonic() - started:.0f} s")


def machine_of(plan: Plan, wanted: set[str], given: dict) -> "Machine":
    """The cluster, GPUs or cores that the command line names; else every GPU, else every core."""
    if "ray" in given:
        from miga.engine.cluster import Cluster

        return Cluster(given["ray"])
    from miga.engine.machine import Cores, Gpus

    if "gpus" in given:
        return Gpus([_gpu_number(text) for text in given["gpus"].split(",")])
    if "jobs" not in given and (num_gpus := count_gpus()):
        return Gpus(list(range(num_gpus)))
    modules = {task.step.module for task in plan.tasks if task.name in wanted}
    return Cores(num_places(given), modules)


def _gpu_number(text: str) -> int:
    if not text.strip().isdecimal():
        raise InputError(f"--gpus {text}: expected numbers of GPUs such as 0,1")
    return int(text)


def count_gpus() -> int:
    import torch

    return torch.cuda.device_count()
