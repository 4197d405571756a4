"""Put every entry of a run together and train it for one step, so that nothing fails hours later.

reads:  report/<run>/options.json, clips/<run>/track1/ with its pictures, the files that the settings name
writes: report/<run>/rehearsal.txt

    python -m preflight.rehearsal --run mine

Files that a training starts from are loaded into the network that they are for, downloads are made, and one batch goes
through the network and back on the device: seconds and memory of a step are listed. Nothing of it is kept.
"""

import argparse
import importlib
import time

import numpy as np
import torch
from torch.utils.data import default_collate

from miga.clips import Clips, load_clips
from miga.engine.options import options_of
from miga.errors import InputError, naming, run_command
from miga.files import replacing
from miga.paths import check_run_name, rehearsal_txt
from miga.training.assembly import Assembly, Entry
from miga.training.config import FitConfig
from miga.training.precision import autocast
from miga.training.progress import peak_memory_gb
from miga.training.resources import choose_device
from miga.training.seeding import make_deterministic, seed_torch
from miga.training.verbs import loss_on, network_on, train_samples
from preflight.check import entry_configs


def rehearse(entry: Entry, config: FitConfig, clips: Clips, device: torch.device) -> str:
    """One step of every training of the entry, its stages first; says what it took.

    Raises:
        InputError: a file to start from does not fit, or a batch does not fit into the memory of the device.
    """
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    seed_torch(config.seed, 0)
    whole = entry.assemble(clips, config)
    seconds = [one_step(assembly, clips, device) for assembly in (*(s.assemble() for s in whole.stages), whole)]
    taken = " + ".join(f"{each:.2f}" for each in seconds)
    return f"{taken} s a step of {config.batch_size} clips, {peak_memory_gb(device):.1f} GB"


def one_step(assembly: Assembly, clips: Clips, device: torch.device) -> float:
    """Seconds of a forward and a backward pass over a full batch of training clips."""
    config = assembly.config
    rows = np.flatnonzero((clips.table.split == "train").to_numpy())
    rows = np.resize(rows, config.batch_size)  # a small set comes round again
    samples = train_samples(assembly, clips, rows)
    batch = {key: value.to(device) for key, value in default_collate([samples[0, i] for i in range(len(rows))]).items()}
    network, loss = network_on(assembly, device).train(), loss_on(assembly, device)
    begun = time.monotonic()
    try:
        with autocast(config.precision, device):
            loss(network(**assembly.to_input(batch, is_train=True)), batch, 0).backward()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
    except torch.OutOfMemoryError as error:
        raise InputError(
            f"a batch of {config.batch_size} clips does not fit into the memory of the GPU; make it smaller with "
            "--set FOLDER.batch_size=N and --set FOLDER.accumulation=M"
        ) from error
    return time.monotonic() - begun


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Train every entry of a run for one step.")
    parser.add_argument("--run", required=True, type=check_run_name)
    args = parser.parse_args(argv)
    options, clips, device = options_of({"run": args.run}), load_clips(args.run, "track1"), choose_device(None)
    make_deterministic(device)
    lines, problems = [], []
    for folder, name, config in entry_configs(options, clips):
        entry = importlib.import_module(f"models.{folder}.entry").ENTRY
        if not entry.is_network:
            continue  # it is trained in a minute, and not in steps
        try:
            with naming(name):
                lines.append(f"  {name:28} {rehearse(entry, config, clips, device)}")
                print(lines[-1], flush=True)
        except InputError as error:
            problems.append(str(error))
    if problems:
        raise InputError("\n  ".join(problems))
    with replacing(rehearsal_txt(args.run)) as temporary:
        temporary.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    run_command(main)
