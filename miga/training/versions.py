"""What a result depends on beside its settings, to be written with it: libraries, devices, number formats."""

import platform
import re
from importlib.metadata import version
from pathlib import Path

import torch

CPUINFO = Path("/proc/cpuinfo")  # Linux; elsewhere `platform` knows
LIBRARIES = ("torch", "numpy", "pandas", "scikit-learn", "optuna", "timm", "av")


def library_versions() -> dict[str, str]:
    """Library name -> version, and the interpreter's."""
    return {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}}


def device_name(device: torch.device) -> str:
    """What stands beside a result: the name of the GPU, or of the processor, on whose kind the last digits depend."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    names = re.findall(r"^model name\s*: (.+)$", CPUINFO.read_text(), re.MULTILINE) if CPUINFO.exists() else []
    return f"cpu ({names[0] if names else platform.processor() or platform.machine()})"


def in_all(facts: list[dict[str, str]], names: tuple[str, ...]) -> dict[str, str]:
    """What folds say of themselves, each answer once: they may have been trained on several machines."""
    return {name: ", ".join(sorted({fact.get(name, "not recorded") for fact in facts})) for name in names}
