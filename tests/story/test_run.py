"""The whole story from outside: python -m pytest tests/story

`bash run.sh --profile smoke` in a copy of the checkout: once undisturbed, once killed again and again.
"""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from submissions.check import check_submission

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ("submissions/smoke/track1.csv", "submissions/smoke/track2.csv", "ensemble/smoke/weights.json")


def copy_of_the_checkout(target: Path) -> Path:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    return target


def start(folder: Path, *arguments: str) -> subprocess.Popen:
    """run.sh with this interpreter's environment, in a process group of its own."""
    environment = {**os.environ, "VENV": str(folder / "venv")}
    environment.pop("PYTHONPATH", None)
    (folder / "venv" / "bin").mkdir(parents=True, exist_ok=True)
    python = folder / "venv" / "bin" / "python"
    if not python.exists():
        python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        python.chmod(0o755)
    with open(folder / "requirements.txt") as pins:
        (folder / "venv" / "installed_pins").write_text(subprocess.check_output(["cksum"], stdin=pins, text=True))
    return subprocess.Popen(
        ["bash", "run.sh", *arguments],
        cwd=folder, env=environment, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def digest(folder: Path) -> dict[str, str]:
    files = [folder / name for name in RESULTS] + sorted((folder / "oof" / "smoke").glob("*.npz"))
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> tuple[Path, str]:
    folder = copy_of_the_checkout(tmp_path_factory.mktemp("undisturbed"))
    process = start(folder, "--profile", "smoke")
    output, _ = process.communicate()
    assert process.returncode == 0, output
    return folder, output


def test_ends_with_two_valid_csvs_and_a_table(undisturbed):
    folder, output = undisturbed
    assert "valid" in check_submission(folder / RESULTS[0])
    assert "valid" in check_submission(folder / RESULTS[1])
    for word in ("posec3d_limb", "gecn", "m3cn", "ehct_joint", "blend (", "track 2, F1 at IoU 0.3", "test top-1"):
        assert word in output


def test_run_again_redoes_nothing(undisturbed):
    folder, _ = undisturbed
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    began = time.monotonic()
    process = start(folder, "--profile", "smoke")
    output, _ = process.communicate()
    assert process.returncode == 0 and "nothing to do" in output
    assert time.monotonic() - began < 10
    changed = [p for p, when in before.items() if p.stat().st_mtime_ns != when and "venv" not in p.parts]
    assert not changed


def test_killed_again_and_again_ends_with_the_same_bytes(undisturbed, tmp_path):
    """SIGKILL to the whole group at growing delays, so that the kills fall into different steps."""
    reference, _ = undisturbed
    folder = copy_of_the_checkout(tmp_path)
    delay, kills = 5.0, 0
    while True:
        process = start(folder, "--profile", "smoke")
        try:
            output, _ = process.communicate(timeout=delay)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            kills += 1
            delay *= 4
            continue
        assert process.returncode == 0, output
        break
    assert kills >= 2, "the run was too fast to be killed in several steps"
    assert digest(folder) == digest(reference)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--profile", "huge"), "--profile huge: expected smoke, demo, bench or paper"),
        (("--profile", "paper"), "needs --track1 PATH or --track2 PATH"),
        (("--frobnicate", "1"), "unrecognized arguments: --frobnicate"),
        (("--track1",), "--track1: expected one argument"),
        (("--track1", "folds"), "give your recordings a name with --run NAME"),
        (("--run", "x", "--track1", "nowhere"), "error: --track1 nowhere: no such file or folder"),
        (("--run", "x", "--track1", "folds"), "error: prepare: folds"),
        (("--run", "x", "--track1", "folds", "--sided-classes", "2-3"), "expected pairs of class codes"),
        (("--only", "nothing"), "no step is called nothing"),
        (("--set", "m3cn=1"), "expected FOLDER.FIELD=VALUE"),
    ],
)
def test_wrong_arguments_end_with_one_sentence(undisturbed, arguments, message):
    folder, _ = undisturbed
    process = start(folder, *arguments)
    output, _ = process.communicate()
    assert process.returncode != 0 and message in output and "Traceback" not in output
