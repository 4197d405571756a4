"""What a person reads when a command ends early. Alone: python -m pytest tests/miga/test_errors.py"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from miga.errors import InputError, TrainingError, naming

ROOT = Path(__file__).parents[2]
COMMAND = """
import os, sys, time, torch
from miga.errors import InputError, TrainingError, naming, run_command
from miga.training.resources import run_side_by_side

def fold(number, kind):
    with naming(f"entry fold {number}"):
        if kind == "sleep":
            os.write(1, b"asleep\\n")  # whole, beside the other fold's
            time.sleep(60)
        if number == 1:
            raise {"input": InputError, "training": TrainingError, "bug": KeyError}[kind]("what to do")

def main():
    folds = [(number, sys.argv[1]) for number in range(2)]
    run_side_by_side(fold, folds, int(sys.argv[2]), torch.device("cpu"))

run_command(main)
"""


def popen(arguments: list[str], folder: Path, *path: Path) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, *arguments],
        env=os.environ | {"PYTHONPATH": ":".join(map(str, (*path, ROOT)))},
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # so that a signal to the group spares the tests
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # tests in the background ignore it
    )


def start(folder: Path, *arguments: str) -> subprocess.Popen:
    (folder / "command.py").write_text(COMMAND)
    return popen(["command.py", *arguments], folder)


@pytest.mark.parametrize(("kind", "jobs", "code"), [("input", "2", 2), ("training", "2", 3), ("training", "1", 3)])
def test_an_error_of_a_fold_is_one_sentence_that_names_the_fold(tmp_path, kind, jobs, code):
    process = start(tmp_path, kind, jobs)
    assert process.communicate()[1] == "error: entry fold 1: what to do\n"
    assert process.returncode == code


def test_debug_shows_the_traceback_and_ends_alike(tmp_path):
    process = start(tmp_path, "input", "1", "--debug")
    lines = process.communicate()[1].splitlines()
    assert lines[0].startswith("Traceback") and lines[-1] == "error: entry fold 1: what to do"
    assert process.returncode == 2


def test_a_bug_keeps_one_traceback_down_to_its_line(tmp_path):
    process = start(tmp_path, "bug", "2")
    text = process.communicate()[1]
    assert process.returncode == 1 and text.count("Traceback") == 1
    assert "KeyError: 'what to do'\nin entry fold 1" in text and ", in fold" in text


@pytest.mark.parametrize("signal_to", [os.kill, os.killpg])  # one process, and as a terminal sends it: all of them
def test_an_interrupt_ends_in_one_line(tmp_path, signal_to):
    process = start(tmp_path, "sleep", "2")
    assert [process.stdout.readline() for _ in range(2)] == ["asleep\n"] * 2
    signal_to(process.pid, signal.SIGINT)
    assert process.communicate(timeout=30)[1] == "interrupted; run again to resume\n"
    assert process.returncode == 130


@pytest.mark.parametrize("command", ["recordings.prepare", "models.posec3d.train"])
def test_an_interrupt_while_libraries_load_ends_in_the_same_line(tmp_path, command):
    """numpy, pandas or torch are imported for half a second and more before a command's first line."""
    heavy = tmp_path / "numpy.py"
    heavy.write_text("import time\nprint('loading', flush=True)\ntime.sleep(60)\n")
    process = popen(["-m", command], tmp_path, tmp_path)
    assert process.stdout.readline() == "loading\n"
    time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=30)[1] == "interrupted; run again to resume\n"
    assert process.returncode == 130


def test_names_are_put_in_front_from_the_inside_out():
    expected = pytest.raises(TrainingError, match=r"^entry fold 2: step rgb: the loss is nan$")
    with expected, naming("entry fold 2"), naming("step rgb"):
        raise TrainingError("the loss is nan")
    with pytest.raises(InputError, match=r"^a file: row 3$"), naming("a file"):
        raise InputError("row 3")
