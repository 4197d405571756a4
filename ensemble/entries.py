"""Entries of a run by name: which folder of models/ made one, and with what settings."""

import argparse
import dataclasses
import importlib
import pkgutil
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import models
from ensemble.join import ADAPTED, RETRAINED
from miga.errors import InputError
from miga.files import read_json
from miga.paths import fold_checkpoint_dir, oof_json
from miga.training.assembly import Entry
from miga.training.config import FitConfig

DERIVED = re.compile(rf"(_part\d+|{RETRAINED}|{ADAPTED})$")  # what ensemble/ makes of an entry


def add_entries_argument(parser: argparse.ArgumentParser, default: str) -> None:
    """`--entries`, for `wanted_entries`; `default` says in words what is taken without it."""
    parser.add_argument(
        "--entries",
        help="names as in oof/<run>/<name>.npz, or of folders of models/ for all their entries, joined by commas "
        f"(default: {default})",
    )


def wanted_entries(args: argparse.Namespace, default: Callable[[str], list[str]]) -> list[str]:
    """The entries that `--entries` names, else those that `default` names of the run; raises as `entries_named`."""
    names = args.entries.split(",") if args.entries else default(args.run)
    return [entry for name in names for entry in entries_named(args.run, name)]


def entries_named(run: str, name: str) -> list[str]:
    """The entry of this name, or where it is the name of a folder the entries of the run that begin with it.

    Raises:
        InputError: nothing of this name has been trained.
    """
    entry = entry_of(name)
    if oof_json(run, name).exists():
        return [name]
    found = [entry for entry in trained_entries(run) if entry.startswith(f"{name}_")]
    if not found:
        command = f"python -m models.{entry.folder}.train --run {run}"
        raise InputError(f"{oof_json(run, name)}: not there; train it first ({command})")
    return found


def trained_entries(run: str) -> list[str]:
    """Every entry of the run that a folder of models/ trained, in the order of their names."""
    stems = sorted(path.stem for path in oof_json(run, "any").parent.glob("*.json"))
    return [stem for stem in stems if entry_folder(stem) and not DERIVED.search(stem)]


def entry_folder(name: str) -> str | None:
    """The folder of models/ of the entry `<folder>` or `<folder>_<variant>`; None where no folder fits.

    Entries of the published tables have a folder in front, papers/<folder>_<variant>.
    """
    name = name.rpartition("/")[2]
    return max((one for one in folders() if name == one or name.startswith(f"{one}_")), key=len, default=None)


def folders() -> list[str]:
    return [module.name for module in pkgutil.iter_modules(models.__path__) if module.ispkg]


def entry_of(name: str) -> Entry:
    """What models/<folder>/entry.py says of the entry of this name.

    Raises:
        InputError: no folder of models/ fits.
    """
    folder = entry_folder(name)
    if folder is None:
        raise InputError(f"--entries {name}: no folder of models/ has this name; there are {', '.join(folders())}")
    return importlib.import_module(f"models.{folder}.entry").ENTRY


def entry_config(run: str, name: str, entry: Entry) -> FitConfig:
    """The settings that the entry was trained with, from its json.

    Raises:
        InputError: it was trained by a version with other settings.
    """
    path = oof_json(run, name)
    return config_from(read_json(path, f"train {name} again")["config"], entry, path, f"train {name} again")


def config_from(recorded: dict, entry: Entry, path: Path, cure: str) -> FitConfig:
    """Settings of the entry as `path` holds them; raises as `entry_config`, with `cure` as the sentence's end."""
    config_class = type(next(iter(entry.profiles.values())))
    known = {field.name for field in dataclasses.fields(config_class)}
    if recorded.keys() != known:
        differs = sorted(recorded.keys() ^ known)
        raise InputError(f"{path}: {entry.folder} now has other settings ({', '.join(differs)}); {cure}")
    fields: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in recorded.items()}
    return config_class(**fields)


def trained_weights(run: str, name: str, fold: int | None) -> Path:
    """The weights of an entry's fold; of its refit, on every training clip, for None.

    Raises:
        InputError: they are not here.
    """
    path = fold_checkpoint_dir(run, name, fold) / "weights.pt"
    if not path.exists():
        raise InputError(f"{path}: not there; train {name} first, or copy its checkpoints from where it was trained")
    return path
