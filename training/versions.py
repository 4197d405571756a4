"""Versions of what a result depends on, to be written beside it."""

import platform
from importlib.metadata import version

LIBRARIES = ("torch", "numpy", "pandas", "scikit-learn", "optuna", "timm", "pytorchvideo", "av")


def library_versions() -> dict[str, str]:
    """Library name -> version, and the interpreter's."""
    return {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}}
