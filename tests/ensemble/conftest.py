"""A run with one small entry, for what is made from entries."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import models
from folds.make import main as make_folds_main
from tests.ensemble.mean_joints import ENTRY, RUN
from tests.tiny import tiny_clips, write_clips


@contextmanager
def trained_entry(workdir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """In the working folder, the entry, trained on two folds of tiny clips of which classes 2 and 3 are rare."""
    folder = workdir / "models" / "mean_joints"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "entry.py").write_text(ENTRY)
    monkeypatch.setattr(models, "__path__", [*models.__path__, str(folder.parent)])
    clips = tiny_clips(num_train=90, num_test=6)
    label = clips.table.label.to_numpy().copy()
    for rare in (2, 3):  # every third stays: few, spread over people and so over folds
        label[(label == rare) & (np.cumsum(label == rare) % 3 > 0)] = 0
    clips.table["label"] = label
    write_clips(clips, "tiny")
    make_folds_main(["--run", "tiny", "--num-folds", "2"])
    import models.mean_joints.entry as module

    module.main([*RUN, "--profile", "smoke"])
    yield module
    for name in [name for name in sys.modules if name.startswith("models.mean_joints")]:
        del sys.modules[name]


@pytest.fixture
def entry(workdir, monkeypatch):
    with trained_entry(workdir, monkeypatch) as module:
        yield module
