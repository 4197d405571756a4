"""Any folder of models/ can be deleted. Alone: python -m pytest tests/models/test_standalone.py"""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NAMES = sorted(p.parent.name for p in (ROOT / "models").glob("*/train.py"))
ROOMS = (
    "miga",
    "preflight",
    "recordings",
    "folds",
    "models",
    "oof",
    "ensemble",
    "spotting",
    "submissions",
    "report",
    "predict",
)

# Imports every module of a checkout and collects the tests of its models, in a process with the big libraries loaded:
# each child is forked, because loading them again takes longer than everything else.
IMPORT_ALL = """
import importlib, os, sys
from pathlib import Path
import miga.training.torchvision_schemas
import cv2, lightgbm, optuna, pandas, pytest, pytorchvideo, scipy, sklearn.model_selection, timm, torch, torchvision
for name in [name for name in sys.modules if name.split(".")[0] == "miga"]:
    del sys.modules[name]
failed = []
for folder in sys.argv[1:]:
    child = os.fork()
    if child == 0:
        os.chdir(folder)
        sys.path[0:1] = [folder]
        importlib.invalidate_caches()
        for path in Path(".").glob("*/**/*.py"):
            if path.parts[0] != "tests":
                importlib.import_module(".".join(path.with_suffix("").parts).removesuffix(".__init__"))
        plain = ["-p", "no:xdist", "-p", "no:cacheprovider", "-o", "addopts=", "--assert=plain"]
        os._exit(int(pytest.main(["-q", "--collect-only", *plain, "tests/models"])))
    if os.waitpid(child, 0)[1]:
        failed.append(folder)
sys.exit(f"cannot do without: {failed}" if failed else 0)
"""


def imported_modules(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    plain = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return plain | {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}


@pytest.mark.parametrize("name", NAMES)
def test_nobody_imports_a_single_entry(name):
    # A story is told with some entries; what it tells goes for all.
    own = (f"models/{name}/", f"tests/models/test_{name}", f"benchmarks/{name}", "tests/story/", "tests/papers/")
    importers = [
        str(path.relative_to(ROOT))
        for room in (*ROOMS, "benchmarks", "tests")
        for path in (ROOT / room).rglob("*.py")
        if any(m == f"models.{name}" or m.startswith(f"models.{name}.") for m in imported_modules(path))
    ]
    assert [path for path in importers if not path.startswith(own)] == []


def test_any_entry_can_be_deleted(tmp_path):
    copies = []
    for name in NAMES:
        copy = tmp_path / name
        for room in (*ROOMS, "tests"):
            shutil.copytree(ROOT / room, copy / room, ignore=shutil.ignore_patterns("__pycache__", "*.npz", "*.npy"))
        for name_beside in ("pyproject.toml", "pipeline.py"):
            shutil.copy(ROOT / name_beside, copy)
        shutil.rmtree(copy / "models" / name)
        for test in (copy / "tests" / "models").glob(f"test_{name}*.py"):
            test.unlink()
        copies.append(str(copy))
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, *copies], cwd=ROOT, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
