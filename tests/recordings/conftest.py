import pytest

from tests.recordings.on_disk import write_imigue


@pytest.fixture
def data(workdir):
    """A small right set in iMiGUE layout, in ./data."""
    write_imigue(workdir / "data")
    return workdir / "data"
