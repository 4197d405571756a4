"""Which networks speak of the test clips: those of the folds, the refit on every training clip, or all of them."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from ensemble.join import Entries, check_folds_hash, reordered
from miga.engine.options import TEST_ROWS
from miga.errors import InputError
from miga.files import read_json
from miga.paths import folds_csv, oof_json, refit_json, refit_npz
from oof.artifacts import Oof, read_oof

FOLDS, REFIT, BOTH = TEST_ROWS


def refit_paths(run: str, entries: Entries) -> dict[str, Path]:
    """Entry -> npz of its refit, of those that have one.

    Raises:
        InputError: none has.
    """
    paths = {name: refit_npz(run, name) for name in entries.names}
    found = {name: path for name, path in paths.items() if path.exists()}
    if not found:
        raise InputError(f"{refit_npz(run, '*')}: no such file; run `python -m ensemble.refit --run {run}` first")
    return found


def with_refits(entries: Entries, paths: dict[str, Path], run: str, choice: str) -> Entries:
    """The entries with the test rows that are wanted; those without a refit keep the rows of their folds.

    Args:
        choice: refit = the refit alone; both = the refit as one more network beside those of the folds, which are
            averaged in `ensemble.mixture`.
    Raises:
        InputError: a refit was made with other settings, folds, classes or test clips than the entry.
    """
    if choice not in (REFIT, BOTH):
        raise ValueError(f"choice {choice!r}: expected {REFIT} or {BOTH}")
    test_logits = list(entries.test_logits)
    for place, name in enumerate(entries.names):
        if name in paths:
            own = _read_refit(paths[name], name, entries, run)
            before = [*entries.test_logits[place]] if choice == BOTH else []
            test_logits[place] = np.stack([*before, *own.test_logits])
    return replace(entries, test_logits=tuple(test_logits))


def describe_test_rows(choice: str, refits: list[str], names: tuple[str, ...]) -> str:
    """Who speaks of the test clips, and that the estimate speaks of others."""
    who = "networks on every training clip" if choice == REFIT else "networks on every training clip and those of folds"
    of_folds = [name for name in names if name not in refits]
    rest = f"; by those of folds alone in {', '.join(of_folds)}, tail models and stackers" if of_folds else ""
    return f"test rows by {who}{rest}. The estimate is of the networks of folds"


def _read_refit(path: Path, name: str, entries: Entries, run: str) -> Oof:
    oof = read_oof(path)
    check_folds_hash(path, folds_csv(run))
    again = f"run `python -m ensemble.refit --run {run} --entries {name}` again"
    if len(oof.clip_id):
        raise InputError(f"{path}: holds {len(oof.clip_id)} training clips, expected test clips alone; {again}")
    if oof.classes.tolist() != entries.classes.tolist():
        raise InputError(f"{path}: has other classes than {name}; {again}")
    if read_json(refit_json(run, name), again)["config"] != read_json(oof_json(run, name), again)["config"]:
        raise InputError(f"{path}: made with other settings than {oof_json(run, name)}; {again}, with --overwrite")
    wanted = replace(oof, test_clip_id=entries.test_clip_id)
    return reordered(oof, wanted, path, oof_json(run, name).with_suffix(".npz"))
