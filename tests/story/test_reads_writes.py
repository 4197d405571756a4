"""What steps say they read and write is what they do: python -m pytest -n 0 tests/story/test_reads_writes.py

A smoke run in which every process notes the files of the run that it opens, makes or renames. Three things must agree:
what was done, `reads:` and `writes:` in the docstring of a step's module, and the step in pipeline.py.
"""

import ast
import importlib.util
import json
import os
import re
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest

from miga.engine.options import options_of
from miga.engine.steps import Plan
from pipeline import steps_of
from tests.story.test_run import copy_of_the_checkout

ROOMS = ("clips", "folds", "checkpoints", "oof", "ensemble", "spotting", "submissions", "report", "input")
OF_THE_ENGINE = re.compile(r"report/smoke/(receipts/.*|log/.*|options\.json|.*lock.*)")
OF_CODE = re.compile(r".*(\.py|\.pyc|__pycache__.*|\.md|/templates/.*)")

NOTE_TAKER = """
import os, sys
folder, top = os.environ["NOTES"], os.environ["NOTES_TOP"]
busy, files = False, {}
def note(event, arguments):
    global busy
    if busy or event not in ("open", "os.rename"):
        return
    busy = True
    try:
        pid = os.getpid()
        if pid not in files:
            files[pid] = os.open(f"{folder}/{pid}", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            head = " ".join(sys.orig_argv[1:]) if len(files) == 1 else ""
            os.write(files[pid], f"process\\t{os.getppid()}\\t{head}\\n".encode())
        if event == "open":
            path, mode, flags = arguments
            if isinstance(path, (str, bytes)):
                writes = flags & (os.O_WRONLY | os.O_RDWR) if mode is None else set(str(mode)) & set("wax+")
                path = os.path.relpath(os.path.abspath(os.fsdecode(path)), top)
                os.write(files[pid], f"{'write' if writes else 'read'}\\t{path}\\n".encode(errors="replace"))
        else:
            source, target = (os.path.relpath(os.path.abspath(os.fsdecode(p)), top) for p in arguments[:2])
            os.write(files[pid], f"rename\\t{source}\\t{target}\\n".encode(errors="replace"))
    finally:
        busy = False
sys.addaudithook(note)
"""


class Done:
    """What one task did: the files that it read, and those that it left behind."""

    def __init__(self):
        self.read: set[str] = set()
        self.written: set[str] = set()


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> tuple[Path, Plan, dict[str, Done]]:
    folder = copy_of_the_checkout(tmp_path_factory.mktemp("noted"))
    notes, hook = tmp_path_factory.mktemp("notes"), tmp_path_factory.mktemp("hook")
    (hook / "sitecustomize.py").write_text(NOTE_TAKER)
    environment = {**os.environ, "PYTHONPATH": str(hook), "NOTES": str(notes), "NOTES_TOP": str(folder.resolve())}
    command = [sys.executable, "-m", "pipeline", "--run", "smoke", "--profile", "smoke"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    before = Path.cwd()
    os.chdir(folder)  # which models there are, and whether there are pictures, is asked of the working folder
    try:
        plan = Plan(steps_of(options_of({"run": "smoke", "profile": "smoke"})))
        plan.tasks = [task for task in plan.tasks if not task.step.why_left_out()]
        return folder, plan, what_was_done(notes, plan)
    finally:
        os.chdir(before)


def what_was_done(notes: Path, plan: Plan) -> dict[str, Done]:
    """Task name -> what its process, and the processes that it started, did."""
    lines = {int(file.name): [line.split("\t") for line in file.read_text().splitlines()] for file in notes.iterdir()}
    parent = {pid: int(noted[0][1]) for pid, noted in lines.items()}
    by_command = {f"-m {task.step.module} {' '.join(task.arguments)}".strip(): task.name for task in plan.tasks}
    task_of: dict[int, str] = {}
    for pid, noted in lines.items():
        logs = [m[1] for kind, *p in noted if kind == "write" and (m := re.match(r"report/smoke/log/(.+)\.txt$", p[0]))]
        if noted[0][2] in by_command:
            task_of[pid] = by_command[noted[0][2]]
        elif len(set(logs)) == 1 and not noted[0][2].startswith("-m pipeline"):
            task_of[pid] = logs[0]
    found = {task.name: Done() for task in plan.tasks}
    for pid, noted in lines.items():
        ancestor = pid
        while ancestor in parent and ancestor not in task_of:
            ancestor = parent[ancestor]
        if ancestor not in task_of:
            continue
        done = found[task_of[ancestor]]
        for kind, *paths in noted[1:]:
            inside = [path for path in paths if path.split("/")[0] in ROOMS and not OF_CODE.fullmatch(path)]
            inside = [path for path in inside if not OF_THE_ENGINE.fullmatch(path)]
            if kind == "read":
                done.read.update(inside)
            else:
                done.written.update(inside[-1:])
    return found


def said(module: str, what: str) -> list[str]:
    """The paths after `reads:` or `writes:` of a module's docstring, as patterns that match whole paths below them."""
    spec = importlib.util.find_spec(module)
    text = ast.get_docstring(ast.parse(Path(spec.origin).read_text())) or ""
    block = re.search(rf"^{what}:(.*?)(?=^\S|^\s*$|\Z)", text, re.MULTILINE | re.DOTALL)
    assert block, f"{module}: its docstring does not say what it {what}"
    patterns = []
    for token in re.findall(r"[\w<>*{},.-]+/[\w<>*{},./-]*", re.sub(r"\s+", " ", block[1])):
        alternatives = [part.split(",") if i % 2 else [part] for i, part in enumerate(re.split(r"[{}]", token))]
        for parts in product(*alternatives):
            path = "".join(parts).rstrip(",.")
            escaped = re.sub(r"<[^>]*>|\*", "[^/]+", re.sub(r"[.+]", r"\\\g<0>", path))
            stem = escaped.rsplit(r"\.", 1)[0] if "." in path.split("/")[-1] else escaped.rstrip("/")
            patterns.append(rf"{stem}(\.\w+|/.*)?" if escaped == stem or escaped.endswith("/") else rf"{stem}\.\w+")
    return patterns


def covered(path: str, patterns: list[str]) -> bool:
    return any(re.fullmatch(pattern, path) for pattern in patterns)


def unsaid(paths: list[str], patterns: list[str]) -> list[str]:
    return [path for path in paths if not covered(path, patterns)]


def left_behind(folder: Path, done: Done) -> list[str]:
    return sorted(path for path in done.written if (folder / path).is_file())


def test_every_file_that_a_step_leaves_is_in_its_docstring(run):
    folder, plan, done = run
    wrong = {
        task.name: missing
        for task in plan.tasks
        if (missing := unsaid(left_behind(folder, done[task.name]), said(task.step.module, "writes")))
    }
    assert not wrong, json.dumps(wrong, indent=2)


def test_every_file_that_a_step_reads_is_in_its_docstring(run):
    """Or the step made it, or it is not there (a look whether it is), or a person brought it."""
    folder, plan, done = run
    wrong = {}
    for task in plan.tasks:
        own = {path for other in plan.tasks if other.step is task.step for path in done[other.name].written}
        patterns = [*said(task.step.module, "reads"), *said(task.step.module, "writes")]
        made = [p for p in sorted(done[task.name].read - own) if (folder / p).is_file() and not p.startswith("input/")]
        missing = unsaid(made, patterns)
        if missing:
            wrong[task.name] = missing
    assert not wrong, json.dumps(wrong, indent=2)


def test_what_the_list_says_is_what_was_done(run):
    folder, plan, _ = run
    for task in plan.tasks:
        for pattern in task.writes:
            assert sorted(folder.glob(pattern)), f"{task.name} says it writes {pattern}, which is not there"
            assert covered(pattern.replace("*", "x"), said(task.step.module, "writes")), f"{task.name}: {pattern}"


def test_a_step_waits_for_every_step_whose_files_it_reads(run):
    folder, plan, done = run
    writer = {path: task for task in plan.tasks for path in left_behind(folder, done[task.name])}
    early = []
    for task in plan.tasks:
        before = ancestors(plan, task.name)
        for path in sorted(done[task.name].read & writer.keys()):
            if writer[path].step is not task.step and writer[path].name not in before:
                early.append(f"{task.name} reads {path} of {writer[path].name} and does not wait for it")
    assert not early, "\n".join(early)


def ancestors(plan: Plan, name: str) -> set[str]:
    found: set[str] = set()
    waiting = list(plan.waits_for[name])
    while waiting:
        other = waiting.pop()
        if other not in found:
            found.add(other)
            waiting += plan.waits_for[other]
    return found


def test_the_note_taker_notes(run):
    """No step may seem blameless because nothing of it was seen."""
    _, plan, done = run
    for task in plan.tasks:
        if task.writes or task.reads:
            assert done[task.name].read or done[task.name].written, f"nothing of {task.name} was noted"
