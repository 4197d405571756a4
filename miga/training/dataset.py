"""Clips as a torch data set: every sample is drawn from its own seed, so workers and resuming change nothing.

A sample is asked for by (epoch, place in the epoch). So one loader serves a whole training: its workers live until the
end, and read ahead into the next epoch while the last batches of this one are learnt from.
"""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

Sample = dict[str, np.ndarray]
TrainRows = np.ndarray | Callable[[int], np.ndarray]  # rows of the clip table, or those of an epoch


class TrainSamples(Dataset):
    """One random sample a clip and epoch.

    Args:
        rows: (N,) row numbers in the clip table; or a function that draws them for an epoch, always N. A row may come
            several times: each is a sample of its own.
        labels: (clips,) of the whole table, so that a row number finds its label.
        sample_clip: (row, rng) -> named arrays, augmentation included.
        seed: of the run; the sample's generator is seeded by (seed, epoch, row), and by how often the row came before.
        mirror: (K,) class of the mirror image of each class, which a sample gets that says `mirrored`; None = its own.
    """

    def __init__(
        self,
        rows: TrainRows,
        labels: np.ndarray,
        sample_clip: Callable[[int, np.random.Generator], Sample],
        seed: int,
        mirror: np.ndarray | None = None,
    ):
        self._draw = rows if callable(rows) else lambda _epoch: rows
        self.labels, self.sample_clip, self.seed, self.mirror = labels, sample_clip, seed, mirror
        self._start_epoch(0)

    def _start_epoch(self, epoch: int) -> None:
        self.epoch, self.rows = epoch, self._draw(epoch)
        self.times_before = times_before(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, place: tuple[int, int]) -> dict[str, torch.Tensor]:
        """The sample at (epoch, index in the rows of that epoch)."""
        epoch, index = place
        if epoch != self.epoch:  # each worker has a copy of its own, and finds out so
            self._start_epoch(epoch)
        row = int(self.rows[index])
        repeat = [int(self.times_before[index])] if self.times_before[index] else []
        rng = np.random.default_rng([self.seed, self.epoch, row, *repeat])
        sample, label = dict(self.sample_clip(row, rng)), int(self.labels[row])
        if sample.pop("mirrored", False) and self.mirror is not None:
            label = int(self.mirror[label])
        return {**_tensors(sample), "label": torch.tensor(label), "row": torch.tensor(row)}


def times_before(rows: np.ndarray) -> np.ndarray:
    """(N,) how many earlier places hold the same row."""
    order = np.argsort(rows, kind="stable")
    ordered = rows[order]
    starts = np.flatnonzero(np.diff(ordered, prepend=ordered[:1] - 1))
    counted = np.empty(len(rows), dtype=np.int64)
    counted[order] = np.arange(len(rows)) - np.repeat(starts, np.diff(starts, append=len(rows)))
    return counted


class ViewSamples(Dataset):
    """All test views of a clip, stacked in front: each array is (views, ...), `mirrored` is (views,)."""

    def __init__(self, rows: np.ndarray, sample_views: Callable[[int], Sample]):
        self.rows, self.sample_views = rows, sample_views

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        return _tensors(self.sample_views(int(self.rows[index])))


def _tensors(sample: Sample) -> dict[str, torch.Tensor]:
    return {key: torch.from_numpy(np.ascontiguousarray(value)) for key, value in sample.items()}


def _one_thread(_worker: int) -> None:
    torch.set_num_threads(1)


def train_batches(
    samples: TrainSamples, batch_size: int, epochs: range, seed: int, num_workers: int, pin_memory: bool = False
) -> Iterator[dict[str, torch.Tensor]]:
    """The batches of these epochs one after another, `batches_in_epoch` of each, in orders fixed by (seed, epoch).

    Args:
        num_workers: processes that make samples ahead of time, two batches each; 0 = made when asked for.
        pin_memory: whether batches lie where a GPU can fetch them while the CPU goes on.
    """
    return iter(
        DataLoader(
            samples,
            batch_sampler=_places(len(samples), batch_size, epochs, seed),
            num_workers=num_workers,
            worker_init_fn=_one_thread,
            generator=torch.Generator().manual_seed(0),  # else the loader draws from, and so moves, the global one
            pin_memory=pin_memory,
        )
    )


def _places(num_samples: int, batch_size: int, epochs: range, seed: int) -> Iterator[list[tuple[int, int]]]:
    """(epoch, index) of the samples of each batch."""
    for epoch in epochs:
        order = np.random.default_rng([seed, epoch]).permutation(num_samples).tolist()
        for number in range(batches_in_epoch(num_samples, batch_size)):
            yield [(epoch, index) for index in order[number * batch_size : (number + 1) * batch_size]]


def batches_in_epoch(num_samples: int, batch_size: int) -> int:
    """The last, smaller batch is left out when there is a full one: batch norm over a handful of clips harms."""
    return max(1, num_samples // batch_size)


def steps_in_epoch(num_clips: int, batch_size: int, accumulation: int) -> int:
    """Optimizer steps of one epoch."""
    return -(-batches_in_epoch(num_clips, batch_size) // accumulation)


def view_batches(
    samples: ViewSamples, batch_size: int, num_workers: int, pin_memory: bool = False
) -> Iterator[dict[str, torch.Tensor]]:
    """Batches of clips in the order of `samples.rows`; arrays are (B, views, ...)."""
    return iter(
        DataLoader(
            samples,
            batch_size=batch_size,
            num_workers=num_workers,
            worker_init_fn=_one_thread,
            pin_memory=pin_memory,
        )
    )
