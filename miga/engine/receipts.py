"""What is finished: a receipt a task, with everything that the task depended on and made.

A task is finished while its receipt still holds: the same command, the same code, and the same files read and written,
by name, size and time. A step whose receipt no longer holds is called again and finds out by its own fingerprints what
is left to do, so a receipt may be lost without harm.
"""

import hashlib
import time
from functools import cache
from pathlib import Path

from miga.engine.steps import Task
from miga.files import read_json, write_json
from miga.paths import receipt_json

SCRIPTS = ("run.sh", "environment.sh", "requirements.txt", "pipeline.py")


@cache
def code_hash() -> str:
    """Hash of every package in the current directory and of the scripts beside them."""
    packages = [path.parent for path in Path(".").glob("*/__init__.py") if path.parent.name != "tests"]
    files = [Path(name) for name in SCRIPTS if Path(name).exists()]
    files += [file for package in packages for file in package.rglob("*.py")]
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(str(path).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def listing(patterns: tuple[str, ...]) -> str:
    """Hash of names, sizes and times of the files that the patterns stand for, of all files below a folder."""
    digest = hashlib.sha256()
    for pattern in patterns:
        found = sorted(Path().glob(pattern)) if "*" in pattern and not Path(pattern).exists() else [Path(pattern)]
        for place in found:
            for file in sorted(place.rglob("*")) if place.is_dir() else [place]:
                if file.is_file():
                    stat = file.stat()
                    digest.update(f"{file}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def is_finished(run: str, task: Task) -> bool:
    """Whether the task's receipt holds."""
    receipt = read_receipt(run, task)
    return receipt is not None and {**_facts(task), **_files(task)}.items() <= receipt.items()


def read_receipt(run: str, task: Task) -> dict | None:
    path = receipt_json(run, task.name)
    return read_json(path, "delete it, the task then looks itself what is left to do") if path.exists() else None


def write_receipt(run: str, task: Task, minutes: float) -> None:
    """Record that the task has ended well.

    Args:
        minutes: that it took; a call that found everything done keeps the minutes of the call that did it.
    """
    earlier = read_receipt(run, task) or {}
    content = {**_facts(task), **_files(task), "ended": time.strftime("%Y-%m-%d %H:%M:%S")}
    same_result = earlier.get("writes") == content["writes"]
    content["minutes"] = max(minutes, earlier.get("minutes", 0.0)) if same_result else minutes
    write_json(receipt_json(run, task.name), content)


def _facts(task: Task) -> dict:
    return {"command": [task.step.module, *task.arguments], "code": code_hash()}


def _files(task: Task) -> dict:
    return {"reads": listing(task.reads), "writes": listing(task.writes)}
