"""The training of a fold with 0, 2 and 8 loader workers: clips a second, and how long the network waits for data.

The fold is trained by `miga.training.fit` as an entry's command does it, for a few epochs, in a temporary folder.
The numbers of workers come in turn, and each figure is the median over the rounds. `first batch` is the wait for it,
when workers start; `waiting` is the share of the time after it. Times are wall times, but without workers the share is
of this process's own time on the processor, since there loading is its own work and other programs shall not count.
`loading alone` is how many clips a second of its time one core makes for no network.

reads:  clips/<run>/track1/ with the store of pictures where the entry needs them, folds/<run>.csv
writes: nothing (prints a table)

    python -m benchmarks.fold --run demo --entry posec3d [--profile demo] [--workers 0,2,8] [--epochs 4] [--rounds 3]
"""

import argparse
import dataclasses
import importlib
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from unittest.mock import patch

from benchmarks.heatmaps import processor_name
from folds.make import load_folds
from miga.clips import load_clips
from miga.errors import run_command
from miga.paths import check_run_name
from miga.training.assembly import Batch, Entry
from miga.training.config import PROFILE_NAMES, EntryConfig
from miga.training.dataset import TrainSamples, train_batches
from miga.training.fit import fit
from miga.training.resources import choose_device
from miga.training.seeding import make_deterministic, seed_torch
from miga.training.verbs import loss_on, train_samples
from models.command.folds import training_rows


def timed(batches: Iterator[Batch], waits: list[float], clock: Callable[[], float]) -> Iterator[Batch]:
    """The same batches; how long each was waited for is put into `waits`."""
    while True:
        start = clock()
        batch = next(batches, None)
        if batch is None:
            return
        waits.append(clock() - start)
        yield batch


def train_fold(entry: Entry, config: EntryConfig, run: str) -> tuple[float, float, float]:
    """Clips a second, seconds until the first batch, and the share of the rest that is waited for data."""
    clips, device = load_clips(run, "track1"), choose_device(None)
    seed_torch(0)
    assembly = entry.assemble(clips, config)
    waits: list[float] = []
    clock = time.perf_counter if config.num_workers else time.process_time

    def loader(*args, **kwargs) -> Iterator[Batch]:
        return timed(train_batches(*args, **kwargs), waits, clock)

    samples = train_samples(assembly, clips, training_rows(clips, load_folds(run), 0))
    with tempfile.TemporaryDirectory() as folder, patch("miga.training.fit.train_batches", loader):
        start, begun = time.perf_counter(), clock()
        fit(
            assembly.network,
            samples,
            config,
            prepare=partial(assembly.to_input, is_train=True),
            loss_fn=loss_on(assembly, device),
            folder=Path(folder),
            fingerprint={},
            title=f"{entry.folder}, {config.num_workers} workers",
            device=device,
            clip_ids=clips.table.clip_id.tolist(),
        )
        seconds, counted = time.perf_counter() - start, clock() - begun
    return len(waits) * config.batch_size / seconds, waits[0], sum(waits[1:]) / (counted - waits[0])


def loading_alone(samples: TrainSamples, batch_size: int) -> float:
    """Clips a second of one core that does nothing else."""
    start = time.process_time()
    num_clips = sum(len(batch["label"]) for batch in train_batches(samples, batch_size, range(2), 0, 0))
    return num_clips / (time.process_time() - start)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", required=True, type=check_run_name)
    parser.add_argument("--entry", required=True, help="a folder of models/")
    parser.add_argument("--profile", default="demo", choices=PROFILE_NAMES)
    parser.add_argument("--workers", default="0,2,8")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args(argv)
    make_deterministic(choose_device(None))
    entry = importlib.import_module(f"models.{args.entry}.entry").ENTRY
    config = dataclasses.replace(entry.profiles[args.profile], epochs=args.epochs, min_steps=0)
    numbers = [int(number) for number in args.workers.split(",")]
    found: dict[int, list[tuple[float, float, float]]] = {number: [] for number in numbers}
    for _ in range(args.rounds):
        for number in numbers:
            found[number].append(train_fold(entry, dataclasses.replace(config, num_workers=number), args.run))
    clips = load_clips(args.run, "track1")
    rows = training_rows(clips, load_folds(args.run), 0)
    alone = loading_alone(train_samples(entry.assemble(clips, config), clips, rows), config.batch_size)
    print(f"{processor_name()}, {args.entry} as in {args.profile}, {len(rows)} clips, {args.epochs} epochs")
    print(f"loading alone: {alone:.0f} clips/s of one core\n")
    print("| workers | clips/s | first batch, s | waiting for data, % |\n|---|---|---|---|")
    for number, figures in found.items():
        speed, first, waiting = (statistics.median(column) for column in zip(*figures, strict=True))
        print(f"| {number} | {speed:.0f} | {first:.2f} | {100 * waiting:.1f} |")


if __name__ == "__main__":
    run_command(main)
