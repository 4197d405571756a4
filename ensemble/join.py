"""Read the entries of a blend and line their rows up by clip id; nothing is ever matched by position."""

import re
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from folds.make import load_folds
from miga.errors import InputError
from miga.files import file_sha256, read_json
from miga.paths import folds_csv, oof_npz
from oof.artifacts import NOT_GIVEN, Oof, read_oof

PART_NAME = re.compile(r"(?P<model>.+)_part(?P<number>\d+)")  # a tail model: ensemble/join_parts.py reads these
RETRAINED = "_crt"  # ends the name of an entry whose classifier was trained again with balanced sampling (cRT)
ADAPTED = "_adapted"  # ends the name of an entry whose networks took in each person's statistics (ensemble/adapt.py)


@dataclass(frozen=True)
class Entries:
    """E models over the same N training and M test clips, rows sorted by clip id.

    names: E texts. clip_id, fold, label: (N,). logits: (E, N, K). classes: (K,). test_clip_id: (M,).
    test_logits: E arrays (F, M, K), one slice a fold model. test_has_input: (E, M) bool, whether a clip has what the
    model looks at; not given: all have.
    """

    names: tuple[str, ...]
    clip_id: np.ndarray
    fold: np.ndarray
    label: np.ndarray
    logits: np.ndarray
    classes: np.ndarray
    test_clip_id: np.ndarray
    test_logits: tuple[np.ndarray, ...]
    test_has_input: np.ndarray = field(default_factory=lambda: NOT_GIVEN)

    def __post_init__(self) -> None:
        if self.test_has_input is NOT_GIVEN:
            object.__setattr__(self, "test_has_input", np.ones((len(self.names), len(self.test_clip_id)), bool))


def entry_paths(run: str, models: str | None = None) -> tuple[list[Path], list[Path]]:
    """The npz files of full-class entries and those of tail models: the named ones, or all of the run."""
    every = sorted(oof_npz(run, "any").parent.glob("*.npz"))
    parts = [path for path in every if PART_NAME.fullmatch(path.stem)]
    if models:
        return [oof_npz(run, name) for name in sorted(models.split(","))], parts
    return [path for path in every if path not in parts], parts


def read_entries(paths: list[Path], run: str | None = None) -> Entries:
    """Read npz files and join them on clip id.

    Args:
        paths: oof/<run>/<name>.npz files, any order of rows.
        run: its folds/<run>.csv says which clips there must be; without it the first entry does.
    Raises:
        InputError: no entry, or one with missing or extra clips, other folds, other labels or another class list.
    """
    if not paths:
        raise InputError("no entries to blend: train at least one model (python -m models.<name>.train) first")
    oofs = [read_oof(path) for path in paths]
    if run is not None:
        for path in paths:
            check_folds_hash(path, folds_csv(run))
    wanted = sorted_by_id(oofs[0])
    source = paths[0]
    if run is not None:
        wanted, source = _as_in_folds(run, oofs[0]), folds_csv(run)
    aligned = []
    for oof, path in zip(oofs, paths, strict=True):
        if not np.array_equal(oof.classes, oofs[0].classes):
            raise InputError(
                f"{path}: its class list differs from that of {paths[0]} at {_first_difference(oof, oofs[0])}; "
                "expected the same names in the same order"
            )
        oof = reordered(oof, wanted, path, source)
        _check_same("label", oof.label, wanted, path, source)
        aligned.append(oof)
    return Entries(
        names=tuple(path.stem for path in paths),
        clip_id=wanted.clip_id,
        fold=wanted.fold.astype(int),
        label=wanted.label.astype(int),
        logits=np.stack([oof.logits for oof in aligned]),
        classes=wanted.classes,
        test_clip_id=wanted.test_clip_id,
        test_logits=tuple(oof.test_logits for oof in aligned),
        test_has_input=np.stack([oof.test_has_input for oof in aligned]),
    )


def sorted_by_id(oof: Oof) -> Oof:
    """The same content in one canonical order, so that the order in a file changes nothing, not even a rounding."""
    rows, test_rows = np.argsort(oof.clip_id), np.argsort(oof.test_clip_id)
    return _take(oof, rows, test_rows)


def reordered(oof: Oof, wanted: Oof, path: Path, source: Path) -> Oof:
    """Rows of `oof` in the order of `wanted`, which `source` gave.

    Raises:
        InputError: other training or test clips, or a clip in another fold.
    """
    rows = _order(oof.clip_id, wanted.clip_id, path, source, "training clip")
    test_rows = _order(oof.test_clip_id, wanted.test_clip_id, path, source, "test clip")
    oof = _take(oof, rows, test_rows)
    _check_same("fold", oof.fold, wanted, path, source)
    return oof


def check_folds_hash(path: Path, folds_path: Path) -> None:
    """Refuse an npz whose json says that it was made with another folds file.

    A file that someone else's framework wrote has no such json; its fold column is compared all the same.
    """
    facts = path.with_suffix(".json")
    made_with = read_json(facts, "train this model again").get("folds_sha256") if facts.exists() else None
    if made_with is not None and made_with != file_sha256(folds_path):
        raise InputError(f"{path}: made with other folds than {folds_path} holds now; train this model again")


def _as_in_folds(run: str, like: Oof) -> Oof:
    """Ids, folds and labels of folds/<run>.csv in the form of an Oof, sorted by id; logits are those of `like`."""
    folds = load_folds(run)
    train, test = folds[folds.fold >= 0].sort_values("clip_id"), folds[folds.fold < 0].sort_values("clip_id")
    return replace(
        like,
        clip_id=train.clip_id.to_numpy().astype(np.str_),
        fold=train.fold.to_numpy(),
        label=train.label.to_numpy(),
        test_clip_id=test.clip_id.to_numpy().astype(np.str_),
    )


def _take(oof: Oof, rows: np.ndarray, test_rows: np.ndarray) -> Oof:
    return replace(
        oof,
        clip_id=oof.clip_id[rows],
        fold=oof.fold[rows],
        label=oof.label[rows],
        logits=oof.logits[rows],
        test_clip_id=oof.test_clip_id[test_rows],
        test_logits=oof.test_logits[:, test_rows],
        test_has_input=oof.test_has_input[test_rows],
    )


def _check_same(name: str, values: np.ndarray, wanted: Oof, path: Path, source: Path) -> None:
    differs = values != getattr(wanted, name)
    if differs.any():
        clip = str(wanted.clip_id[np.argmax(differs)])
        raise InputError(f"{path}: clip {clip!r} has another {name} than in {source}; make both from one folds file")


def _first_difference(oof: Oof, first: Oof) -> str:
    for position, (ours, theirs) in enumerate(zip(oof.classes, first.classes, strict=False)):
        if ours != theirs:
            return f"class {position} ({str(ours)!r}, not {str(theirs)!r})"
    return f"its length ({len(oof.classes)}, not {len(first.classes)})"


def _order(ids: np.ndarray, wanted: np.ndarray, path: Path, source: Path, kind: str) -> np.ndarray:
    """Positions in `ids` of every id in `wanted`; both must hold the same ids."""
    missing, extra = np.setdiff1d(wanted, ids), np.setdiff1d(ids, wanted)
    if len(missing):
        raise InputError(f"{path}: {len(missing)} {kind}s of {source} are missing ({_some(missing)}); train it again")
    if len(extra):
        raise InputError(f"{path}: {len(extra)} {kind}s are not in {source} ({_some(extra)}); train it again")
    sorter = np.argsort(ids)
    return sorter[np.searchsorted(ids, wanted, sorter=sorter)]


def _some(ids: np.ndarray) -> str:
    return ", ".join(repr(str(one)) for one in ids[:3]) + (", ..." if len(ids) > 3 else "")
