"""What bf16 would save on this CPU, and whether it would be right: the reason why a CPU computes in fp32.

reads:  nothing
writes: nothing

    OMP_NUM_THREADS=1 python -m benchmarks.number_format [--profiles demo,bench] [--entries m3cn,gecn] [--repeats 3]

First table: a training step of every entry (forward, loss, backward; the last step of a recipe, at the profile's sizes
and batch, on random clips) in fp32 and in bf16 in turn; processor time, the least of the repeats. Second table: the
weight gradient of one temporal convolution in bf16 beside fp32; 0.003 is the format's own error, 1 and more is none.
"""

import argparse
import time
from contextlib import AbstractContextManager

import torch
import torch.nn.functional as F
from torch import nn

from benchmarks.paper_step import ENTRIES, NUM_CLASSES, module_of
from miga.training.seeding import seed_torch

KERNELS, FRAMES = (3, 5, 7), (1, 2, 3, 4, 8)


def bf16(enabled: bool = True) -> AbstractContextManager:
    return torch.autocast("cpu", torch.bfloat16, enabled=enabled)


def time_entry(name: str, profile: str, repeats: int) -> None:
    """Print one row of the first table."""
    seed_torch(0)
    config = module_of(name, "config").PROFILES[profile]
    model, inputs = ENTRIES[name](config, config.batch_size)
    model = model.train()
    if config.channels_last:
        model = model.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
    labels = torch.randint(NUM_CLASSES, (config.batch_size,))
    seconds: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(repeats + 1):  # the first one warms up
        for in_bf16, taken in seconds.items():
            start = time.process_time()
            with bf16(in_bf16):
                output = model(**inputs)
                loss = F.cross_entropy((output["logits"] if isinstance(output, dict) else output).float(), labels)
            loss.backward()
            model.zero_grad(set_to_none=True)
            taken.append(time.process_time() - start)
    slow, fast = (1e3 * min(taken[1:]) for taken in seconds.values())
    print(f"| {profile} | {name} | {slow:.0f} | {fast:.0f} | {slow / fast:.2f} |", flush=True)


def gradient_error(kernel: int, frames: int, context: AbstractContextManager, seed: int = 0) -> float:
    """Relative error of the weight gradient of a convolution over `kernel` frames of clips of `frames`; inf for NaN.

    Memory that was freed just before is full of 1e30: it shows where a kernel does not write what it returns.
    """
    seed_torch(seed)
    layer = nn.Conv3d(16, 16, (kernel, 1, 1), padding=(kernel // 2, 0, 0), bias=False)
    clip, upstream = torch.randn(4, 16, frames, 14, 14), torch.randn(4, 16, frames, 14, 14)
    (right,) = torch.autograd.grad(layer.double()(clip.double()), layer.weight, upstream.double())
    layer.float()
    litter = [torch.full((1 << 18,), 1e30) for _ in range(4)]
    del litter
    with context:
        output = layer(clip)
    (found,) = torch.autograd.grad(output, layer.weight, upstream.to(output.dtype))
    error = float((found.double() - right).norm() / right.norm())
    return error if error == error else float("inf")


def main() -> None:
    parser = argparse.ArgumentParser(description="Time a training step in fp32 and in bf16 on this CPU.")
    parser.add_argument("--profiles", default="demo,bench")
    parser.add_argument("--entries", default=",".join(ENTRIES))
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, bf16 kernels: {torch.cpu._is_avx512_bf16_supported()}")
    print("| profile | entry | fp32 ms | bf16 ms | ratio |\n|---|---|---|---|---|", flush=True)
    for profile in args.profiles.split(","):
        for name in args.entries.split(","):
            time_entry(name, profile, args.repeats)
    print("| frames of the kernel | " + " | ".join(f"clip of {frames}" for frames in FRAMES) + " |")
    print("|---" * (1 + len(FRAMES)) + "|")
    for kernel in KERNELS:
        errors = [max(gradient_error(kernel, frames, bf16(), seed) for seed in range(4)) for frames in FRAMES]
        print(f"| {kernel} | " + " | ".join(f"{error:.2g}" for error in errors) + " |")


if __name__ == "__main__":
    main()
