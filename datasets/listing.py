"""List the files of a data set once; readers, the kind's detection and the fingerprint all work on this list."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from datasets.errors import InputError

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

    Raises:
        InputError: `root` does not exist.
    """
    if not root.exists():
        raise InputError(f"{root}: no such file or folder; check the path")
    if root.is_file():
        status = root.stat()
        return [Entry(root, status.st_size, status.st_mtime_ns)]
    return sorted(_walk(root), key=lambda entry: str(entry.path))


def _walk(folder: Path) -> list[Entry]:
    entries: list[Entry] = []
    has_images = False
    with os.scandir(folder) as children:
        for child in children:
            if child.name.startswith("."):
                continue
            if child.name.lower().endswith(IMAGE_SUFFIXES):
                has_images = True
            elif child.is_dir():
                entries += _walk(Path(child.path))
            elif not os.path.exists(child.path):
                raise InputError(f"{child.path}: a link to nothing; remove it or restore what it points to")
            else:
                status = child.stat()
                entries.append(Entry(Path(child.path), status.st_size, status.st_mtime_ns))
    if has_images:
        entries.append(Entry(folder, 0, folder.stat().st_mtime_ns, is_frame_folder=True))
    return entries


def fingerprint(entries: list[Entry], options: object) -> str:
    """Text that changes when a file is added, removed, resized or rewritten, or when an option changes."""
    digest = hashlib.sha256(repr(options).encode())
    for entry in entries:
        digest.update(f"\n{entry.path}\t{entry.size}\t{entry.mtime_ns}".encode())
    return digest.hexdigest()
