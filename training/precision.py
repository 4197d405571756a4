"""Mixed precision: which number format the forward pass uses on which device."""

from contextlib import AbstractContextManager

import torch

from datasets.errors import InputError

DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


def usable_precision(precision: str, device: torch.device) -> str:
    """The asked precision, or fp32 on a CPU that has no bf16 arithmetic: emulated, it would be several times slower.

    Raises:
        InputError: an unknown precision, or fp16 on a CPU.
    """
    if precision not in ("fp32", *DTYPES):
        raise InputError(f"--precision {precision}: expected fp32, bf16 or fp16")
    if device.type != "cpu":
        return precision
    if precision == "fp16":
        raise InputError("--precision fp16: needs a GPU; choose bf16 or fp32 on a CPU")
    # The check behind torch's own test for native bf16 kernels; torch 2.13 has no public name for it.
    return precision if torch.cpu._is_avx512_bf16_supported() else "fp32"


def autocast(precision: str, device: torch.device) -> AbstractContextManager:
    """Context in which the forward pass runs in `precision`."""
    used = usable_precision(precision, device)
    return torch.autocast(device.type, DTYPES.get(used), enabled=used in DTYPES)
