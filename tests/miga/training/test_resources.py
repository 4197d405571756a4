"""Folds side by side. Alone: python -m pytest tests/miga/training/test_resources.py"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from miga.training.resources import parallel_folds, run_side_by_side

CPU = torch.device("cpu")
SLEEPING_FOLDS = """
import os, time, torch
from pathlib import Path
from miga.training.resources import run_side_by_side

def fold(number):
    Path(f"pid{number}").write_text(str(os.getpid()))
    time.sleep(60)

run_side_by_side(fold, [(0,), (1,)], 2, torch.device("cpu"))
"""


def write_square(number: int, folder: Path) -> None:
    (folder / str(number)).write_text(f"{number**2} {os.getpid()}")


@pytest.mark.parametrize("num_workers", [0, 1])
def test_every_task_runs_in_a_process_of_its_own(tmp_path, num_workers):
    run_side_by_side(write_square, [(n, tmp_path) for n in range(4)], 2, CPU, num_workers)
    texts = [(tmp_path / str(n)).read_text().split() for n in range(4)]
    assert [int(square) for square, _ in texts] == [0, 1, 4, 9]
    assert str(os.getpid()) not in [pid for _, pid in texts]


def test_an_error_of_a_task_is_raised(tmp_path):
    with pytest.raises(FileNotFoundError):
        run_side_by_side(write_square, [(0, tmp_path / "nowhere"), (1, tmp_path)], 2, CPU)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's signal on a parent's death is Linux's")
def test_no_fold_outlives_a_killed_run(tmp_path):
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    parent = subprocess.Popen([sys.executable, "-c", SLEEPING_FOLDS], cwd=tmp_path, env=environment)
    files = [tmp_path / "pid0", tmp_path / "pid1"]
    _wait_until(lambda: all(file.exists() and file.read_text() for file in files))
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    _wait_until(lambda: not any(_is_running(int(file.read_text())) for file in files))


def _is_running(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def _wait_until(condition, seconds: float = 45.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


def test_the_asked_number_of_folds_or_one_a_core():
    assert parallel_folds(3, 4, CPU) == 3
    assert parallel_folds(None, 1, CPU) == 1
    assert parallel_folds(None, 8, torch.device("cuda")) == 1
