"""Banded attention and suppression beside their plain forms.

reads:  nothing
writes: nothing

    OMP_NUM_THREADS=1 python -m benchmarks.spotting_parts

The plain forms: attention as a masked T x T matrix; suppression by a Python loop over pairs. Results must be equal.
Times are processor time, the least of several repeats, so that other work on the machine says little.
"""

import time
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor

from spotting.attention import banded_attention
from spotting.nms import suppress
from spotting.segments import Segments, make_segments


def masked_attention(query: Tensor, key: Tensor, value: Tensor, is_frame: Tensor, radius: int) -> Tensor:
    """The T x T form of `banded_attention`."""
    position = torch.arange(query.shape[-1])
    allowed = ((position[:, None] - position).abs() <= radius)[None, None] & is_frame[:, None, None]
    scores = query.transpose(2, 3) @ key / query.shape[2] ** 0.5
    return value @ scores.masked_fill(~allowed, -1e30).softmax(-1).transpose(2, 3)


def suppress_by_pairs(found: Segments, nms_iou: float) -> Segments:
    """The plain form of `suppress`."""
    kept: list[int] = []
    for i in np.lexsort((found.label, found.end, found.start, -found.score)).tolist():
        for j in kept:
            overlap = min(found.end[i], found.end[j]) - max(found.start[i], found.start[j])
            union = found.end[i] - found.start[i] + found.end[j] - found.start[j] - max(overlap, 0)
            if found.label[i] == found.label[j] and overlap > nms_iou * union:
                break
        else:
            kept.append(i)
    return found[np.array(kept, np.int64)]


def seconds(call: Callable[[], object], repeats: int = 3) -> float:
    """The least processor time of a call."""
    spent = []
    for _ in range(repeats):
        started = time.process_time()
        call()
        spent.append(time.process_time() - started)
    return min(spent)


def main() -> None:
    torch.manual_seed(0)
    for length in (256, 512, 2048):
        query, key, value = torch.randn(3, 1, 4, 32, length)
        inputs = (query, key, value, torch.ones(1, length, dtype=torch.bool), 4)
        torch.testing.assert_close(banded_attention(*inputs), masked_attention(*inputs), atol=1e-5, rtol=1e-4)
        fast, slow = seconds(partial(banded_attention, *inputs)), seconds(partial(masked_attention, *inputs))
        print(
            f"attention, {length} tokens: {1000 * fast:.2f} ms, masked matrix {1000 * slow:.2f} ms: {slow / fast:.1f} x"
        )
    rng = np.random.default_rng(0)
    for count in (200, 1000, 2000):
        start = rng.uniform(0, 20 * count, count)
        found = make_segments(start, start + rng.uniform(5, 100, count), rng.integers(0, 17, count), rng.random(count))
        kept, plain = suppress(found, 0.2, count), suppress_by_pairs(found, 0.2)
        assert np.array_equal(kept.start, plain.start)
        fast, slow = (
            seconds(partial(suppress, found, 0.2, count)),
            seconds(partial(suppress_by_pairs, found, 0.2), 1),
        )
        print(
            f"suppression, {count} candidates: {1000 * fast:.1f} ms, by pairs {1000 * slow:.1f} ms: {slow / fast:.1f} x"
        )


if __name__ == "__main__":
    main()
