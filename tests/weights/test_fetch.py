"""Public weights: the table, downloads from a server of the test, checks. Alone: python -m pytest -n 0 tests/weights"""

import hashlib
import http.server
import importlib
import threading
import zipfile
from pathlib import Path

import pytest
import torch

from miga.errors import InputError
from miga.paths import weights_toml
from weights import fetch as command
from weights.fetch import PublicFile, check, fetch, read_table

TABLE = read_table(Path(__file__).parents[2] / weights_toml())


@pytest.fixture
def served(tmp_path, monkeypatch):
    """A folder that a server shows, its address; the current folder is another."""
    folder, here = tmp_path / "served", tmp_path / "here"
    folder.mkdir()
    here.mkdir()
    monkeypatch.chdir(here)

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(folder))

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def public(name, address, **fields):
    return PublicFile(
        name, "a network", "MIT", fields.pop("sha256", ""), ("posec3d --weights {file}",), address, **fields
    )


@pytest.mark.parametrize("name", TABLE)
def test_every_row_says_where_it_is_and_which_option_of_an_entry_takes_it(name):
    file = TABLE[name]
    assert bool(file.address) != bool(file.package)
    assert file.what and file.licence and file.use
    assert set(file.sha256) <= set("0123456789abcdef") and len(file.sha256) in (0, 8, 64)
    stem = Path(file.member or file.address).stem
    if file.sha256 and "-" in stem:
        assert stem.rsplit("-", 1)[1] == file.sha256[:8]
    for use in file.use:
        entry, *options = use.split()
        profile = importlib.import_module(f"models.{entry}.entry").ENTRY.profiles["paper"]
        for option in options:
            assert not option.startswith("--") or hasattr(profile, option.removeprefix("--"))


def test_a_file_is_fetched_once_checked_and_its_option_is_told(served, capsys):
    folder, address = served
    torch.save({"state_dict": {"a": torch.ones(3)}}, folder / "net.pth")
    sha256 = hashlib.sha256((folder / "net.pth").read_bytes()).hexdigest()
    file = public("net", f"{address}/net.pth", sha256=sha256[:8])
    fetch(file)
    assert file.path.read_bytes() == (folder / "net.pth").read_bytes()
    assert "python -m models.posec3d.train --run RUN --weights weights/files/net.pth" in capsys.readouterr().out
    (folder / "net.pth").unlink()
    fetch(file)  # is there


def test_another_file_is_refused_and_leaves_nothing(served):
    folder, address = served
    torch.save({"a": torch.ones(3)}, folder / "net.pth")
    file = public("net", f"{address}/net.pth", sha256="00000000")
    with pytest.raises(InputError, match="expected 00000000"):
        fetch(file)
    assert not list(Path("weights/files").iterdir())


def test_without_a_public_sha256_the_first_download_counts(served, capsys):
    folder, address = served
    torch.save({"a": torch.ones(3)}, folder / "net.pth")
    file = public("net", f"{address}/net.pth")
    fetch(file)
    assert "no sha256 of it is public" in capsys.readouterr().out
    file.path.unlink()
    torch.save({"a": torch.zeros(3)}, folder / "net.pth")
    with pytest.raises(InputError, match="at its beginning"):
        fetch(file)


def test_what_holds_no_tensors_is_refused(served):
    folder, address = served
    (folder / "net.pth").write_text("<html>not here</html>")
    with pytest.raises(InputError):
        fetch(public("net", f"{address}/net.pth"))
    assert not list(Path("weights/files").iterdir())


def test_one_file_is_taken_out_of_an_archive(served):
    folder, address = served
    with zipfile.ZipFile(folder / "words.zip", "w") as archive:
        archive.writestr("words.300d.txt", "the 1 2 3\n")
    file = public("words", f"{address}/words.zip", member="words.300d.txt")
    fetch(file)
    assert file.path == Path("weights/files/words.txt") and file.path.read_text() == "the 1 2 3\n"
    with pytest.raises(InputError, match=r"words\.zip has no other\.txt"):
        fetch(public("other", f"{address}/words.zip", member="other.txt"))


def test_no_network_is_one_sentence_that_says_where_to_put_the_file(served):
    _, address = served
    for wrong in (f"{address}/absent.pth", "http://127.0.0.1:9/net.pth"):
        with pytest.raises(InputError, match=r"cannot be reached .* put it at weights/files/net\.pth"):
            fetch(public("net", wrong))
    assert not list(Path("weights/files").iterdir())


def test_names_and_tables_that_are_wrong(tmp_path, monkeypatch):
    monkeypatch.setattr(command, "weights_toml", lambda: tmp_path / "weights.toml")
    with pytest.raises(InputError, match="not a table of weights"):
        command.main(["--list"])
    (tmp_path / "weights.toml").write_text(
        '[a]\nwhat = "x"\nlicence = "y"\nsha256 = ""\nuse = ["posec3d --weights {file}"]\n'
    )
    with pytest.raises(InputError, match="no weights are named b; choose from a"):
        command.main(["b"])
    (tmp_path / "weights.toml").write_text('[a]\ncolour = "x"\nuse = []\n')
    with pytest.raises(InputError, match="colour"):
        command.main([])


def test_a_file_put_there_by_hand_is_checked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = public("net", "http://127.0.0.1:9/net.pth", sha256="12345678")
    file.path.parent.mkdir(parents=True)
    file.path.write_bytes(b"x")
    with pytest.raises(InputError, match="expected 12345678"):
        check(file, file.path)
