"""A training step of ours beside the public code of the same network, and beside what the machine can do at all.

Both networks get the same random clips at published size, the same loss (cross-entropy) and the same optimizer (SGD);
their steps are taken in turn, on one thread. Times are of the processor, so that other work on the machine counts
little; a ratio is the median over the pairs. No code of others is part of this repository: give a checkout.

The limits, as shares of our step's time: the convolutions of our network alone, forward and backward, each layer by
itself; and the product of two large matrices with as many multiplications as the whole step has.

reads:  a checkout of a public repository, see `benchmarks.rivals`
writes: nothing (prints a table)

    OMP_NUM_THREADS=1 python -m benchmarks.training_step posec3d [--rival ../pyskl]
    OMP_NUM_THREADS=1 python -m benchmarks.training_step gecn [--rival ../infogcn]
    OMP_NUM_THREADS=1 python -m benchmarks.training_step ehct [--rival ../Hyperformer]
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.heatmaps import processor_name
from benchmarks.paper_step import module_of
from benchmarks.rivals import hyperformer, infogcn, pyskl
from miga.errors import run_command
from miga.skeletons import SMG_25

NUM_CLASSES, NUM_CHANNELS = 60, 17  # of NTU and COCO, as in the rivals' published settings
SIDE = 1024  # of the matrices


def posec3d(batch: int) -> tuple[nn.Module, Tensor]:
    config = module_of("posec3d", "config").PROFILES["paper"]
    network = module_of("posec3d", "model").PoseC3D(NUM_CHANNELS, NUM_CLASSES)
    heatmaps = torch.rand(batch, NUM_CHANNELS, config.clip_len, config.train_size, config.train_size)
    return network.to(memory_format=torch.channels_last_3d), heatmaps.to(memory_format=torch.channels_last_3d)


def gecn(batch: int) -> tuple[nn.Module, Tensor]:
    return module_of("gecn", "model").GECN(SMG_25, NUM_CLASSES), torch.randn(batch, 3, 64, 25, 1)


def ehct(batch: int) -> tuple[nn.Module, Tensor]:
    return module_of("ehct", "model").EHCT(SMG_25, NUM_CLASSES), torch.randn(batch, 3, 64, 25, 1)


OURS = {"posec3d": posec3d, "gecn": gecn, "ehct": ehct}
THEIRS: dict[str, Callable[[Path], nn.Module]] = {
    "posec3d": lambda folder: pyskl(folder, NUM_CHANNELS, NUM_CLASSES),
    "gecn": lambda folder: infogcn(folder, NUM_CLASSES),
    "ehct": lambda folder: hyperformer(folder, NUM_CLASSES),
}


def step_of(network: nn.Module, clips: Tensor, labels: Tensor) -> Callable[[], None]:
    """A training step as a function."""
    network.train()
    optimizer = torch.optim.SGD(network.parameters(), 1e-3, momentum=0.9)

    def step() -> None:
        output = network(clips)
        F.cross_entropy(output["logits"] if isinstance(output, dict) else output, labels).backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return step


def convolutions_of(network: nn.Module, clips: Tensor) -> list[tuple[nn.Module, Tensor]]:
    """Every convolution with an input like the one that it gets."""
    found = []

    def remember(layer: nn.Module, inputs: tuple[Tensor]) -> None:
        found.append((layer, torch.randn_like(inputs[0])))

    layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.Conv3d)]
    hooks = [layer.register_forward_pre_hook(remember) for layer in layers]
    with torch.no_grad():
        network(clips)
    for hook in hooks:
        hook.remove()
    return found


def seconds_of_convolutions(found: list[tuple[nn.Module, Tensor]]) -> float:
    """Of all convolutions one after another, forward and backward; the first one has no gradient of its input."""
    seconds = 0.0
    for number, (layer, x) in enumerate(found):
        x.requires_grad_(number > 0)
        wanted = [*layer.parameters(), *([x] if number else [])]
        gradient = torch.ones_like(layer(x))
        start = time.process_time()
        torch.autograd.grad(layer(x), wanted, gradient)
        seconds += time.process_time() - start
    return seconds


def timed(function: Callable[[], object]) -> float:
    start = time.process_time()
    function()
    return time.process_time() - start


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("network", choices=OURS)
    parser.add_argument("--rival", type=Path, help="folder with a checkout of the public repository")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    network, clips = OURS[args.network](args.batch)
    labels = torch.randint(NUM_CLASSES, (args.batch,))
    ours = step_of(network, clips, labels)
    rival = step_of(THEIRS[args.network](args.rival), clips.contiguous(), labels) if args.rival else None
    with FlopCounterMode(display=False) as counter:
        ours()  # warms up, as the next line does
    if rival:
        rival()
    left, right = torch.randn(2, SIDE, SIDE)
    convolutions = convolutions_of(network, clips)
    rows = []
    for _ in range(args.repeats):
        own, other = timed(ours), timed(rival) if rival else float("nan")
        alone = seconds_of_convolutions(convolutions)
        rate = min(timed(lambda: left @ right) for _ in range(5)) / (2 * SIDE**3)  # seconds a FLOP
        rows.append((own, other / own, alone / own, counter.get_total_flops() * rate / own, 1e-9 / rate))
    own, ratio, of_convolutions, of_matrices, gflops = (statistics.median(column) for column in zip(*rows, strict=True))
    print(f"{processor_name()}, torch {torch.__version__}, one thread, {args.repeats} repeats, batch {args.batch}")
    heads = ("network", "ms a clip", f"{args.rival.name if rival else 'a rival'} / ours")
    limits = ("convolutions alone / step", f"matrices at {gflops:.0f} GFLOP/s / step")
    print(f"| {' | '.join((*heads, *limits))} |\n|{'---|' * 5}")
    beside = f"{ratio:.2f} ({min(row[1] for row in rows):.2f} to {max(row[1] for row in rows):.2f})" if rival else ""
    print(f"| {args.network} | {1e3 * own / args.batch:.0f} | {beside} | {of_convolutions:.2f} | {of_matrices:.2f} |")


if __name__ == "__main__":
    run_command(main)
