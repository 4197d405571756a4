"""Write a file whole or not at all: to a temporary name, then renamed. Read JSON, hash a file, hold a folder."""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from miga.errors import InputError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path in the same folder; on success it takes the place of `path`, on failure it is removed.

    The temporary keeps the suffix of `path`, because some writers choose the format by it. The data is synced
    before the rename, so that a power cut leaves either the old file or the new one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.tmp{path.suffix}")
    try:
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def holding(folder: Path) -> Iterator[None]:
    """Hold a folder alone; others that want it wait in turn. The system gives it back however a process ends."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"{folder}: another process is at work here, waiting for it ...", flush=True)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def write_json(path: Path, content: object) -> None:
    """Write sorted, indented JSON with a final newline; the same content gives the same bytes."""
    with replacing(path) as temporary:
        temporary.write_text(_json_text(content))


def write_json_once(path: Path, content: object) -> None:
    """The same, but a file that says so already is left alone, its time too."""
    if not path.exists() or path.read_text(encoding="utf-8") != _json_text(content):
        write_json(path, content)


def _json_text(content: object) -> str:
    return json.dumps(content, indent=2, sort_keys=True, allow_nan=False) + "\n"


def read_json(path: Path, cure: str) -> dict:
    """The object that a JSON file of ours holds.

    Args:
        cure: what to do about a file that cannot be read; ends the sentence.
    Raises:
        InputError: it is missing, empty, cut off, or holds something else.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not a JSON file that can be read ({error}); {cure}") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: expected a JSON object, got {type(content).__name__}; {cure}")
    return content


def file_sha256(path: Path) -> str:
    """Hash of a file's bytes, to say what something was made from."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
