"""Running a list on cores and on pretended GPUs: python -m pytest -n 0 tests/miga/engine/test_run.py"""

import os
import time
from pathlib import Path

import pytest

from miga.engine.lock import locked
from miga.engine.machine import Cores, Gpus
from miga.engine.receipts import is_finished
from miga.engine.run import Runner, TaskFailedError
from miga.engine.steps import Plan
from miga.errors import InputError
from tests.miga.engine.lists import HERE, small_list

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(params=["cores", "gpus"])
def machine(request, workdir, monkeypatch):
    """Steps start in a scratch folder, so the code is found by PYTHONPATH."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return Cores(2, {HERE}) if request.param == "cores" else Gpus([0, 1])


def run_all(steps, machine, **options) -> Plan:
    plan = Plan(steps)
    Runner("r", plan, {task.name for task in plan.tasks}, machine, **options)()
    return plan


def test_everything_runs_once_and_a_second_time_nothing(machine):
    plan = run_all(small_list(), machine)
    assert Path("blend.txt").read_text() == "blend\n" and Path("oof/long_1.txt").read_text() == "long\n"
    assert all(is_finished("r", task) for task in plan.tasks)
    run_all(small_list(), machine)
    assert Path("blend.txt").read_text() == "blend\n"


def test_what_changed_is_done_again_with_what_follows(machine):
    plan = run_all(small_list(), machine)
    Path("oof/short_0.txt").unlink()
    unfinished = [task.name for task in plan.tasks if not is_finished("r", task)]
    assert unfinished == ["short.0", "short"]
    run_all(small_list(), machine)
    assert Path("oof/short_1.txt").read_text() == "short\n" and Path("oof/short_0.txt").read_text() == "short\n"
    assert Path("blend.txt").read_text() == "blend\nblend\n"  # its reads were written again


def test_a_failure_is_one_sentence_with_the_step_and_its_exit_code(machine):
    with pytest.raises(TaskFailedError) as caught:
        run_all(small_list(detector="fail"), machine)
    assert caught.value.exit_code == 2
    assert str(caught.value).splitlines()[0] == "detector: this step was asked to fail"


def test_a_failure_stops_what_runs_beside_it(machine):
    steps = [step for step in small_list(detector="fail") if step.name == "detector"]
    slow = small_list()[0]
    slow = type(slow)("folds", HERE, ("folds", "folds.csv", "60"), writes=("folds.csv",))
    began = time.monotonic()
    with pytest.raises(TaskFailedError):
        run_all([slow, *steps], machine)
    assert time.monotonic() - began < 30 and not Path("folds.csv").exists()


def test_a_step_that_is_left_out_holds_nobody_up(machine, capsys):
    steps = small_list()
    left_out = type(steps[1])(**{**vars(steps[1]), "why_left_out": lambda: "there are no pictures"})
    run_all([steps[0], left_out, *steps[2:]], machine)
    assert Path("blend.txt").exists() and not Path("oof/short_all.txt").exists()
    assert "short: left out, there are no pictures" in capsys.readouterr().out


def test_each_gpu_has_one_task(workdir, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    gpus = Gpus([3, 5])
    entry = small_list()[1]
    entry = type(entry)(**{**vars(entry), "wants_gpu": True})
    first, second, join = Plan([entry]).tasks
    started = [gpus.start(task, task.arguments, Path("log.txt")) for task in (first, second, join)]
    assert started[2] is None and sorted(gpus._gpu_of.values()) == [3, 5]
    gpus.free(first)
    assert gpus.start(join, join.arguments, Path("log.txt")) is not None
    for running in started[:2]:
        running.stop()


def test_one_run_is_made_by_one_process(workdir):
    with locked("r"), pytest.raises(InputError, match=f"run r is being made by process {os.getpid()}"), locked("r"):
        pass
    with locked("r"):
        pass
