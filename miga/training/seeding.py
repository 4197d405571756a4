"""One place where randomness is fixed."""

import os

import numpy as np
import torch


def make_deterministic(device: torch.device) -> None:
    """Ask for repeatable kernels; on the CPU use one thread a process, so sums do not depend on the number of cores.

    On a GPU some kernels (atomics in interpolation and scatter backward) have no repeatable form: PyTorch warns
    and runs them, so GPU results repeat closely, not to the byte.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS repeats only with a fixed workspace
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.backends.cudnn.benchmark = False
    # Filling fresh memory with NaN finds bugs but costs a pass over every tensor.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    if device.type == "cpu":
        torch.set_num_threads(1)


def mixed_seed(*parts: int) -> int:
    """One 63-bit seed from several whole numbers; nearby inputs give unrelated seeds."""
    return int(np.random.SeedSequence(parts).generate_state(1, np.uint64)[0] >> np.uint64(1))


def seed_torch(*parts: int) -> None:
    """Seed torch's global generators (dropout, noise on the device) from several whole numbers."""
    torch.manual_seed(mixed_seed(*parts))
