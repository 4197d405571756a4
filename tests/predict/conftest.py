"""A run with a small entry, its tail model and its cRT, blended: trained once a file, copied for each test."""

import shutil
from pathlib import Path

import pytest

from ensemble.blend import main as blend
from ensemble.train_parts import main as train_parts
from tests.ensemble.conftest import trained_entry
from tests.ensemble.mean_joints import NAME, RUN


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.chdir(folder)
        with trained_entry(folder, monkeypatch):
            train_parts([*RUN, "--entries", NAME])
            blend(["--run", "tiny", "--trials", "8"])
            yield folder


@pytest.fixture
def run(trained, workdir) -> str:
    """Name of the run, in the working folder."""
    shutil.copytree(trained, workdir, dirs_exist_ok=True)
    return "tiny"
