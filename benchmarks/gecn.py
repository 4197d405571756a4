"""Time GE-CN's forward and backward pass on this machine's CPU.

reads:  nothing
writes: nothing

    python -m benchmarks.gecn [--width 64] [--frames 64] [--joints 22] [--batch 32] [--threads 1]

Wall time, the best of several repetitions, so that other programs disturb it less.
"""

import argparse
import time

import torch

from miga.skeletons import Skeleton, skeleton_of_size
from models.gecn.loss import GECNLoss
from models.gecn.model import GECN

NUM_CLASSES = 32
REPEATS = 5


def chain_of(num_joints: int) -> Skeleton:
    """A skeleton with that many joints in a row: the cost depends on the number of joints only."""
    limbs = tuple((joint, joint + 1) for joint in range(num_joints - 1))
    return Skeleton("chain", tuple(f"joint{i}" for i in range(num_joints)), limbs, flip_pairs=(), center=0)


def time_step(model: GECN, joints: torch.Tensor, labels: torch.Tensor) -> tuple[float, float]:
    """Seconds per clip of the forward pass and of forward and backward together."""
    loss = GECNLoss(NUM_CLASSES, model.z_dim)
    forward, both = [], []
    for _ in range(REPEATS + 1):  # the first one warms up
        model.zero_grad(set_to_none=True)
        start = time.perf_counter()
        value = loss(model(joints), labels)
        middle = time.perf_counter()
        value.backward()
        forward.append(middle - start)
        both.append(time.perf_counter() - start)
    return min(forward[1:]) / len(labels), min(both[1:]) / len(labels)


def main() -> None:
    parser = argparse.ArgumentParser(description="Time GE-CN's forward and backward pass.")
    for name, default in (("width", 64), ("frames", 64), ("joints", 22), ("batch", 32), ("threads", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    model = GECN(skeleton_of_size(args.joints) or chain_of(args.joints), NUM_CLASSES, width=args.width)
    joints = torch.randn(args.batch, 3, args.frames, args.joints, 1)
    forward, both = time_step(model, joints, torch.randint(NUM_CLASSES, (args.batch,)))
    print(
        f"width {args.width}, {args.frames} frames, {args.joints} joints, batch {args.batch}, {args.threads} threads: "
        f"forward {1e3 * forward:.2f} ms, forward and backward {1e3 * both:.2f} ms a clip"
    )


if __name__ == "__main__":
    main()
