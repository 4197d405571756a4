"""Fixtures for every test: one thread (same sums everywhere), real recordings, a scratch working folder."""

from pathlib import Path

import pytest
import torch
from hypothesis import settings

settings.register_profile("untimed", deadline=None)  # a busy machine is not a failure
settings.load_profile("untimed")

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    torch.set_num_threads(1)


@pytest.fixture
def shared_data() -> Path:
    """Real recordings kept beside the checkout; a test that needs them skips where they are absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("no real recordings beside this checkout (shared/data)")
    return SHARED_DATA


@pytest.fixture
def workdir(tmp_path, monkeypatch) -> Path:
    """An empty current directory: every path of a run is relative to it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the story: it takes longest, and the other files fill the second process meanwhile."""
    items.sort(key=lambda item: "tests/story" not in item.nodeid)
