"""Read the tail models of a run, oof/<run>/<name>_part<i>.npz, as what `ensemble.merge` takes.

Models of different design trained on the same part are averaged, probabilities 1:1 (M2HEN, eq. 5).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ensemble.join import PART_NAME, Entries, check_folds_hash, reordered
from ensemble.merge import Tail
from ensemble.mixture import shared_weights, softmax
from ensemble.parts import OTHERS
from miga.errors import InputError
from miga.paths import folds_csv
from oof.artifacts import Oof, read_oof


@dataclass(frozen=True)
class Parts:
    """Tail models by falling part number, over the rows of the entries.

    names: the parts, e.g. ("part3", "part2"). tails: over the N training clips. test_tails: over the M test clips.
    """

    names: tuple[str, ...]
    tails: tuple[Tail, ...]
    test_tails: tuple[Tail, ...]


def read_parts(paths: list[Path], entries: Entries, run: str | None = None) -> Parts | None:
    """Read and join tail models; None when there is none.

    Raises:
        InputError: other clips, folds or labels than the entries have, classes that are not some of the run's
            followed by OTHERS, or two models of one part with other classes.
    """
    by_number: dict[int, list[tuple[Path, Oof]]] = {}
    for path in paths:
        if run is not None:
            check_folds_hash(path, folds_csv(run))
        name = PART_NAME.fullmatch(path.stem)
        assert name is not None, f"{path} is not the file of a tail model"
        number = int(name["number"])
        by_number.setdefault(number, []).append((path, _read_part(path, entries)))
    if not by_number:
        return None
    numbers = sorted(by_number, reverse=True)
    for number in numbers:
        (first_path, first), *others = by_number[number]
        for path, oof in others:
            if not np.array_equal(oof.classes, first.classes):
                raise InputError(f"{path}: its class list differs from that of {first_path}; train both parts again")
    groups = [[oof for _, oof in by_number[number]] for number in numbers]
    return Parts(
        names=tuple(f"part{number}" for number in numbers),
        tails=tuple(_tail(oofs, entries) for oofs in groups),
        test_tails=tuple(_test_tail(oofs, entries) for oofs in groups),
    )


def _read_part(path: Path, entries: Entries) -> Oof:
    oof = read_oof(path)
    own = oof.classes[:-1]
    unknown = np.setdiff1d(own, entries.classes)
    if oof.classes[-1] != OTHERS or len(unknown) or not 0 < len(own) < len(entries.classes):
        found = f"{str(unknown[0])!r} among them" if len(unknown) else f"{len(own)} and {str(oof.classes[-1])!r}"
        raise InputError(f"{path}: expected some of the run's classes and {OTHERS} last, got {found}; train it again")
    wanted = Oof(
        entries.clip_id, entries.fold, _part_labels(oof, entries), oof.logits, oof.classes,
        entries.test_clip_id, oof.test_logits,
    )  # fmt: skip
    oof = reordered(oof, wanted, path, Path(f"entry {entries.names[0]}"))
    differs = oof.label != wanted.label
    if differs.any():
        clip = str(entries.clip_id[np.argmax(differs)])
        raise InputError(f"{path}: clip {clip!r} has another label than in the entries; train it again")
    return oof


def _part_labels(oof: Oof, entries: Entries) -> np.ndarray:
    """(N,) the entries' labels in the numbers of a part."""
    position = {name: number for number, name in enumerate(oof.classes[:-1])}
    map_ = np.array([position.get(name, len(position)) for name in entries.classes])
    return map_[entries.label]


def _tail(oofs: list[Oof], entries: Entries) -> Tail:
    return Tail(_tail_classes(oofs[0], entries), np.mean([softmax(oof.logits) for oof in oofs], 0))


def _test_tail(oofs: list[Oof], entries: Entries) -> Tail:
    """Of the test clips; models without the input of a clip are left out of its mean."""
    has_input = np.stack([oof.test_has_input for oof in oofs])  # (models, M)
    shares = shared_weights(np.full(len(oofs), 1 / len(oofs)), has_input)[..., None]
    probabilities = np.stack([softmax(oof.test_logits).mean(0) for oof in oofs])  # (models, M, K_i + 1)
    return Tail(_tail_classes(oofs[0], entries), (shares * probabilities).sum(0), np.asarray(has_input.any(0)))


def _tail_classes(oof: Oof, entries: Entries) -> np.ndarray:
    number_of = {name: number for number, name in enumerate(entries.classes)}
    return np.array([number_of[name] for name in oof.classes[:-1]])
