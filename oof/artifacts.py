"""The file in which a model says what it thinks of every clip: oof/<run>/<name>.npz.

    clip_id (N,) text, fold (N,) int8, label (N,) int16, logits (N, K) float32, classes (K,) text: each training clip
    once, by the fold model that never saw it; test_clip_id (M,) text, test_logits (F, M, K) float32: every fold model;
    test_has_input (M,) bool: whether the clip has what the model looks at (absent in older files: all have).

Raw logits or log-probabilities, loadable with pickling off. Any framework that writes this form can enter the blend,
whatever the number types and the order of rows.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from miga.errors import InputError
from miga.files import replacing
from oof.arrays import as_real, as_text, as_truth, as_whole, read_arrays

ARRAYS = ("clip_id", "fold", "label", "logits", "classes", "test_clip_id", "test_logits")
HAS_INPUT = "test_has_input"  # may be left out
TEXT, WHOLE = ("clip_id", "classes", "test_clip_id"), ("fold", "label")
NOT_GIVEN = np.zeros(0, bool)
FEW_ROWS = 5  # fewer rows of logits may sum to one by chance


@dataclass(frozen=True)
class Oof:
    """Contents of one npz; shapes as in the module's first lines."""

    clip_id: np.ndarray
    fold: np.ndarray
    label: np.ndarray
    logits: np.ndarray
    classes: np.ndarray
    test_clip_id: np.ndarray
    test_logits: np.ndarray
    test_has_input: np.ndarray = field(default_factory=lambda: NOT_GIVEN)  # not given: all have

    def __post_init__(self) -> None:
        if self.test_has_input is NOT_GIVEN:
            object.__setattr__(self, "test_has_input", np.ones(len(self.test_clip_id), bool))


def write_oof(path: Path, oof: Oof) -> None:
    """Write `oof` after checking it; the same content gives the same bytes.

    Raises:
        InputError: shapes disagree, an id comes twice, or a logit is not finite.
    """
    check_oof(oof, path)
    with replacing(path) as temporary, open(temporary, "wb") as file:
        np.savez(
            file,
            clip_id=oof.clip_id.astype(np.str_),
            fold=oof.fold.astype(np.int8),
            label=oof.label.astype(np.int16),
            logits=oof.logits.astype(np.float32),
            classes=oof.classes.astype(np.str_),
            test_clip_id=oof.test_clip_id.astype(np.str_),
            test_logits=oof.test_logits.astype(np.float32),
            test_has_input=oof.test_has_input.astype(bool),
        )


def read_oof(path: Path) -> Oof:
    """Read and check one npz.

    Returns:
        text ids and classes, whole numbers for fold and label, float32 logits, whatever types the file has.
    Raises:
        InputError: it is missing, damaged, would need pickling, or breaks the contract.
    """
    arrays = read_arrays(path, "train this model again, or copy the file again from where it was made")
    missing = [name for name in ARRAYS if name not in arrays]
    if missing:
        raise InputError(f"{path}: array {missing[0]!r} is missing; expected {', '.join(ARRAYS)}")

    def typed(name: str) -> np.ndarray:
        convert = as_text if name in TEXT else as_whole if name in WHOLE else as_real
        return convert(arrays[name], f"{path}: {name}")

    has_input = as_truth(arrays[HAS_INPUT], f"{path}: {HAS_INPUT}") if HAS_INPUT in arrays else NOT_GIVEN
    oof = Oof(**{name: typed(name) for name in ARRAYS}, test_has_input=has_input)
    check_oof(oof, path)
    return oof


def check_oof(oof: Oof, path: Path) -> None:
    """Raise InputError with the first broken promise of the contract."""
    num_clips, num_classes, num_test = len(oof.clip_id), len(oof.classes), len(oof.test_clip_id)
    for name, array, shape in (
        ("fold", oof.fold, (num_clips,)),
        ("label", oof.label, (num_clips,)),
        ("logits", oof.logits, (num_clips, num_classes)),
        ("test_has_input", oof.test_has_input, (num_test,)),
    ):
        if array.shape != shape:
            raise InputError(f"{path}: {name} has shape {array.shape}, expected {shape}")
    shape = oof.test_logits.shape
    if len(shape) != 3 or shape[1:] != (num_test, num_classes) or not shape[0]:
        raise InputError(
            f"{path}: test_logits has shape {shape}, expected (folds, {num_test}, {num_classes}), "
            "one slice or more, each by another fold model"
        )
    for name, ids in (("clip_id", oof.clip_id), ("test_clip_id", oof.test_clip_id)):
        unique, counts = np.unique(ids, return_counts=True)
        if (counts > 1).any():
            raise InputError(f"{path}: {name} {str(unique[counts > 1][0])!r} comes {counts.max()} times, expected once")
    bad_label = (oof.label < 0) | (oof.label >= num_classes)
    if bad_label.any():
        row = int(np.argmax(bad_label))
        raise InputError(
            f"{path}: clip {str(oof.clip_id[row])!r} has label {oof.label[row]}, expected 0 to {num_classes - 1}"
        )
    for name, ids, bad in (
        ("logits", oof.clip_id, ~np.isfinite(oof.logits).all(1)),
        ("test_logits", oof.test_clip_id, ~np.isfinite(oof.test_logits).all((0, 2)) if num_test else np.zeros(0, bool)),
    ):
        if bad.any():
            raise InputError(
                f"{path}: {name} of clip {str(ids[np.argmax(bad)])!r} is not finite; train this model again"
            )
    _check_no_probabilities(oof, path)


def _check_no_probabilities(oof: Oof, path: Path) -> None:
    """Refuse probabilities, of all clips or of one fold, percent too: a blend would take the softmax of them again."""
    folds = [oof.logits[oof.fold == fold] for fold in np.unique(oof.fold)]
    for name, parts in (("logits", [oof.logits, *folds]), ("test_logits", [*oof.test_logits])):
        for rows in parts:
            sums = rows.sum(1)
            is_sum = any(np.allclose(sums, total, rtol=0, atol=total / 100) for total in (1, 100))
            if len(rows) >= FEW_ROWS and rows.shape[1] > 1 and (rows >= 0).all() and is_sum:
                raise InputError(
                    f"{path}: {name} are probabilities (never negative, each row sums to {sums[0]:.4g}), expected "
                    "logits or log-probabilities; write numpy.log(numpy.maximum(p, 1e-9)) of them"
                )
