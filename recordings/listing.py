"""List the files of a data set once; readers, the kind's detection and the fingerprint all work on this list."""

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from miga.errors import InputError

VIDEO_SUFFIXES = (".mp4", ".avi", ".mkv", ".webm", ".mov", ".gif")
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png")


@dataclass(frozen=True)
class Entry:
    """A file, or a folder of frame images, which counts as one thing however many frames it holds."""

    path: Path
    size: int
    mtime_ns: int
    is_frame_folder: bool = False

    @property
    def name(self) -> str:
        return self.path.name


def list_files(root: Path) -> list[Entry]:
    """Every file at or under `root` in sorted order, hidden ones apart; frame folders are not opened further.

    Links are followed; one that leads back to a folder it lies in brings nothing new and is passed over.

    Raises:
        InputError: `root` or what a link points to does not exist, or a folder cannot be opened.
    """
    if not os.path.exists(root):
        there = "" if root.is_absolute() else f", relative to {Path.cwd()}"
        raise InputError(f"{root}: no such file or folder{there}; check the path")
    status = root.stat()
    if not stat.S_ISDIR(status.st_mode):
        return [Entry(root, status.st_size, status.st_mtime_ns)]
    return sorted(_walk(root, {_identity(status)}), key=lambda entry: str(entry.path))


def visible_children(folder: Path) -> list[os.DirEntry]:
    """What lies in a folder, in order of names, without what systems hide there (`.DS_Store`, the `._` files of macOS).

    Raises:
        InputError: the folder cannot be opened.
    """
    try:
        with os.scandir(folder) as children:
            return sorted((c for c in children if not c.name.startswith(".")), key=lambda child: child.name)
    except OSError as error:
        raise InputError(f"{folder}: cannot be listed ({error.strerror}); check its permissions") from error


def _walk(folder: Path, above: set[tuple[int, int]]) -> list[Entry]:
    """above: the folder and those it lies in."""
    entries: list[Entry] = []
    has_images = False
    for child in visible_children(folder):
        if child.name.lower().endswith(IMAGE_SUFFIXES):
            has_images = True
        elif not os.path.exists(child.path):
            raise InputError(f"{child.path}: a link to nothing; remove it or restore what it points to")
        else:
            status = child.stat()
            if stat.S_ISREG(status.st_mode):
                entries.append(Entry(Path(child.path), status.st_size, status.st_mtime_ns))
            elif stat.S_ISDIR(status.st_mode) and _identity(status) not in above:
                entries += _walk(Path(child.path), above | {_identity(status)})
    if has_images:
        entries.append(Entry(folder, 0, folder.stat().st_mtime_ns, is_frame_folder=True))
    return entries


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def fingerprint(entries: list[Entry], options: object) -> str:
    """Text that changes when a file is added, removed, resized or rewritten, or when an option changes."""
    digest = hashlib.sha256(repr(options).encode())
    for entry in entries:
        digest.update(b"\n%b\t%d\t%d" % (os.fsencode(entry.path), entry.size, entry.mtime_ns))
    return digest.hexdigest()
