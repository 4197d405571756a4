"""Fit the stackers of a run on its out-of-fold probabilities; `ensemble.blend` decides whether they pay.

reads:  oof/<run>/*.npz, folds/<run>.csv
writes: ensemble/<run>/stack.npz

    python -m ensemble.stack --run mine
"""

import argparse
from pathlib import Path

import numpy as np

from ensemble.join import ADAPTED, Entries, entry_paths, read_entries
from ensemble.stackers import Stack, fit_stack
from miga.errors import InputError, run_command
from miga.files import file_sha256, replacing
from miga.paths import check_run_name, stack_npz
from oof.arrays import read_arrays
from oof.metrics import scores


def write_stack(path: Path, stack: Stack, entries: Entries, made_from: list[str]) -> None:
    """Write the arrays of a Stack, its rows' ids, and the names and hashes of the entries it was fitted on."""
    folds = [fold for fold in stack.logits if fold is not None]
    with replacing(path) as temporary, open(temporary, "wb") as file:
        np.savez(
            file,
            names=np.array(stack.names),
            made_from=np.array(made_from),
            clip_id=entries.clip_id,
            test_clip_id=entries.test_clip_id,
            held_out=np.array(folds),
            logits=np.stack([stack.logits[fold] for fold in (None, *folds)]).astype(np.float32),
            test_logits=np.stack(stack.test_logits).astype(np.float32),
        )


def read_stack(run: str, entries: Entries, paths: list[Path]) -> Stack | None:
    """The stackers of a run; None when there are none.

    Raises:
        InputError: they were fitted on other entries than `paths` hold now.
    """
    path = stack_npz(run)
    if not path.exists():
        return None
    arrays = read_arrays(path, f"run `python -m ensemble.stack --run {run} --overwrite`")
    if arrays["made_from"].tolist() != names_and_hashes(stacked(paths)) or not np.array_equal(
        arrays["clip_id"], entries.clip_id
    ):
        raise InputError(f"{path}: made from other entries than there are now; run `python -m ensemble.stack` again")
    held_out = (None, *arrays["held_out"].tolist())
    return Stack(
        names=tuple(arrays["names"].tolist()),
        logits=dict(zip(held_out, arrays["logits"], strict=True)),
        test_logits=tuple(arrays["test_logits"]),
    )


def stacked(paths: list[Path]) -> list[Path]:
    """The entries that a stacker sees: of a network and its adapted twin the network alone."""
    return [path for path in paths if not path.stem.endswith(ADAPTED)]


def names_and_hashes(paths: list[Path]) -> list[str]:
    """One text an entry: the name, and the hash of its file."""
    return [f"{path.stem} {file_sha256(path)}" for path in paths]


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Fit the stackers of a run on its out-of-fold probabilities.")
    parser.add_argument("--run", required=True, type=check_run_name)
    parser.add_argument("--overwrite", action="store_true")
    args = parser.parse_args(argv)
    paths = stacked(entry_paths(args.run)[0])
    entries = read_entries(paths, args.run)
    path, made_from = stack_npz(args.run), names_and_hashes(paths)
    if not args.overwrite and path.exists():
        arrays = read_arrays(path, f"run `python -m ensemble.stack --run {args.run} --overwrite`")
        if arrays["made_from"].tolist() == made_from:
            print(f"{path}: already made from these entries, nothing to do")
            return
    print(f"stackers on {len(paths)} entries over {len(entries.clip_id)} clips")
    stack = fit_stack(entries)
    write_stack(path, stack, entries, made_from)
    for name, logits in zip(stack.names, stack.logits[None], strict=True):
        result = scores(logits, entries.label)
        print(f"  {name}: cross-fitted top-1 {result['top1']:.3f}, class average {result['class_average']:.3f}")
    print(f"wrote {path}")


if __name__ == "__main__":
    run_command(main)
