"""Read the entries of a blend and line their rows up by clip id; nothing is ever matched by position."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from datasets.errors import InputError
from oof.artifacts import Oof, file_sha256, read_oof


@dataclass(frozen=True)
class Entries:
    """E models over the same N training and M test clips, in one order.

    names: E texts. clip_id, fold, label: (N,). logits: (E, N, K). classes: (K,). test_clip_id: (M,).
    test_logits: E arrays (F, M, K), one slice a fold model.
    """

    names: tuple[str, ...]
    clip_id: np.ndarray
    fold: np.ndarray
    label: np.ndarray
    logits: np.ndarray
    classes: np.ndarray
    test_clip_id: np.ndarray
    test_logits: tuple[np.ndarray, ...]


def read_entries(paths: list[Path], folds_path: Path | None = None) -> Entries:
    """Read npz files and join them on clip id.

    Args:
        paths: oof/<run>/<name>.npz files, any order of rows.
        folds_path: folds/<run>.csv; an entry whose json says it was made with other folds is refused.
    Raises:
        InputError: no entry, or one with missing or extra clips, other folds, other labels or another class list.
    """
    if not paths:
        raise InputError("no entries to blend: train at least one model (python -m models.<name>.train) first")
    oofs = [read_oof(path) for path in paths]
    if folds_path is not None:
        for path in paths:
            _check_folds_hash(path, folds_path)
    first = oofs[0]
    aligned = [_align(oof, first, path, paths[0]) for oof, path in zip(oofs, paths, strict=True)]
    return Entries(
        names=tuple(path.stem for path in paths),
        clip_id=first.clip_id,
        fold=first.fold.astype(int),
        label=first.label.astype(int),
        logits=np.stack([oof.logits for oof in aligned]),
        classes=first.classes,
        test_clip_id=first.test_clip_id,
        test_logits=tuple(oof.test_logits for oof in aligned),
    )


def _check_folds_hash(path: Path, folds_path: Path) -> None:
    facts = path.with_suffix(".json")
    if not facts.exists():
        return  # a file someone else's framework wrote; its fold column is compared instead
    made_with = json.loads(facts.read_text()).get("folds_sha256")
    if made_with != file_sha256(folds_path):
        raise InputError(f"{path}: made with other folds than {folds_path} holds now; train this model again")


def _align(oof: Oof, first: Oof, path: Path, first_path: Path) -> Oof:
    """Reorder the rows of `oof` to those of `first`."""
    if not np.array_equal(oof.classes, first.classes):
        raise InputError(f"{path}: its class list differs from that of {first_path}; expected the same names and order")
    rows = _order(oof.clip_id, first.clip_id, path, first_path, "training clip")
    test_rows = _order(oof.test_clip_id, first.test_clip_id, path, first_path, "test clip")
    for name in ("fold", "label"):
        differs = getattr(oof, name)[rows] != getattr(first, name)
        if differs.any():
            clip = str(first.clip_id[np.argmax(differs)])
            raise InputError(
                f"{path}: clip {clip!r} has another {name} than in {first_path}; make both from one folds file"
            )
    return replace(
        oof,
        clip_id=first.clip_id,
        fold=oof.fold[rows],
        label=oof.label[rows],
        logits=oof.logits[rows],
        test_clip_id=first.test_clip_id,
        test_logits=oof.test_logits[:, test_rows],
    )


def _order(ids: np.ndarray, wanted: np.ndarray, path: Path, first_path: Path, kind: str) -> np.ndarray:
    """Positions in `ids` of every id in `wanted`; both must hold the same ids."""
    missing, extra = np.setdiff1d(wanted, ids), np.setdiff1d(ids, wanted)
    if len(missing):
        raise InputError(
            f"{path}: {len(missing)} {kind}s of {first_path} are missing, first {str(missing[0])!r}; train it again"
        )
    if len(extra):
        raise InputError(
            f"{path}: {len(extra)} {kind}s are not in {first_path}, first {str(extra[0])!r}; train it again"
        )
    sorter = np.argsort(ids)
    return sorter[np.searchsorted(ids, wanted, sorter=sorter)]
