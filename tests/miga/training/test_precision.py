"""The number format that is used gives right gradients: python -m pytest tests/miga/training/test_precision.py"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from benchmarks.number_format import FRAMES, KERNELS, gradient_error
from benchmarks.paper_step import ENTRIES, module_of
from miga.errors import InputError
from miga.training.precision import autocast, describe_format, number_format

CPU, GPU = torch.device("cpu"), torch.device("cuda")
ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("supported", [True, False])
@pytest.mark.parametrize("asked", ["fp32", "bf16"])
def test_a_cpu_computes_in_fp32_whatever_is_asked(monkeypatch, supported, asked):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: supported)
    assert number_format(asked, CPU) == "fp32"
    with autocast(asked, CPU):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32


def test_the_first_line_says_what_is_used_and_why():
    assert describe_format("fp32", CPU) == "cpu in fp32"
    assert describe_format("bf16", CPU) == "cpu in fp32 (bf16 is for a GPU)"
    assert describe_format("bf16", GPU) == "cuda in bf16"


def test_wrong_precisions_are_named():
    with pytest.raises(InputError, match="expected fp32, bf16 or fp16"):
        number_format("int8", CPU)
    with pytest.raises(InputError, match="needs a GPU"):
        number_format("fp16", CPU)
    assert number_format("fp16", GPU) == "fp16"


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("frames", FRAMES)
def test_clips_shorter_than_the_kernel_have_right_weight_gradients(kernel, frames):
    """In bf16 on a CPU with such kernels some are memory that nobody wrote."""
    assert max(gradient_error(kernel, frames, autocast("bf16", CPU), seed) for seed in range(2)) < 1e-5


WITH_OTHER_KERNELS = """
import torch
from benchmarks.number_format import FRAMES, KERNELS, gradient_error
from miga.training.precision import autocast

for kernel in KERNELS:
    for frames in FRAMES:
        assert gradient_error(kernel, frames, autocast("bf16", torch.device("cpu"))) < 1e-5, (kernel, frames)
"""


def test_the_kernels_of_older_processors_are_right_as_well():
    """oneDNN is told to use no more than AVX2, which it reads when it is loaded."""
    environment = os.environ | {"ONEDNN_MAX_CPU_ISA": "AVX2", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    process = subprocess.run(
        [sys.executable, "-c", WITH_OTHER_KERNELS], env=environment, capture_output=True, text=True, timeout=120
    )
    assert process.returncode == 0, process.stderr


@pytest.mark.parametrize("profile", ["smoke", "demo", "bench", "paper"])
@pytest.mark.parametrize("name", ENTRIES)
def test_no_network_strides_by_a_1x1_convolution_of_few_channels(name, profile):
    """In channels-last memory oneDNN's AVX2 kernel (torch 2.13) writes past the end of its own for 2 to 7 of them."""
    pytest.importorskip(f"models.{name}.model", reason="the entry's folder may be deleted")
    with torch.device("meta"):
        model, _ = ENTRIES[name](module_of(name, "config").PROFILES[profile], 1)
    for layer, module in model.named_modules():
        if isinstance(module, nn.Conv2d) and set(module.kernel_size) == {1} and set(module.stride) != {1}:
            assert module.in_channels // module.groups >= 8, layer
