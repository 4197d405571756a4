"""Mixed precision: which number format a network computes in on which device.

A CPU computes in fp32, whatever `precision` asks for: that is what a GPU uses. bf16 on a CPU would save an eighth of a
PoseC3D fold of the demo (benchmarks/number_format.py), on processors that have it, and there oneDNN (torch 2.13)
returns memory that nobody wrote as the weight gradient of a 3D convolution whose clip has fewer frames than its kernel
reaches.
"""

from contextlib import AbstractContextManager

import torch

from miga.errors import InputError

DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


def number_format(precision: str, device: torch.device) -> str:
    """What the forward pass on `device` computes in: fp32, bf16 or fp16.

    Raises:
        InputError: an unknown precision, or fp16 on a CPU: its loss scaling is a GPU's.
    """
    if precision not in ("fp32", *DTYPES):
        raise InputError(f"--precision {precision}: expected fp32, bf16 or fp16")
    if device.type != "cpu":
        return precision
    if precision == "fp16":
        raise InputError("--precision fp16: needs a GPU; a CPU computes in fp32")
    return "fp32"


def describe_format(precision: str, device: torch.device) -> str:
    """For the first line of a training: `cuda in bf16`, `cpu in fp32 (bf16 is for a GPU)`."""
    used = number_format(precision, device)
    why = "" if used == precision else f" ({precision} is for a GPU)"
    return f"{device} in {used}{why}"


def autocast(precision: str, device: torch.device) -> AbstractContextManager:
    """Context in which the forward pass runs in `precision`, where the device does."""
    used = number_format(precision, device)
    return torch.autocast(device.type, DTYPES.get(used), enabled=used in DTYPES)
