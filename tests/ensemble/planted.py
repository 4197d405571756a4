"""Entries of known quality over known labels, and a prepared run with such entries."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from ensemble.join import Entries, read_entries
from folds.make import load_folds
from folds.make import main as make_folds_main
from miga.paths import oof_npz
from oof.artifacts import Oof, write_oof
from tests.tiny import tiny_clips, write_clips

NUM_CLASSES = 5


def planted_logits(label: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """(N, K): unit noise, and `strength` more for the label; 0 is an entry that knows nothing."""
    return strength * np.eye(NUM_CLASSES)[label] + rng.normal(size=(len(label), NUM_CLASSES))


def an_entry(strength: float, seed: int, num_clips: int = 200, num_test: int = 50) -> Oof:
    truth = np.random.default_rng(99)
    label, test_label = truth.integers(0, NUM_CLASSES, num_clips), truth.integers(0, NUM_CLASSES, num_test)
    rng = np.random.default_rng(seed)
    return Oof(
        clip_id=np.array([f"0001_{i}" for i in range(num_clips)]),
        fold=np.arange(num_clips) % 4,
        label=label,
        logits=planted_logits(label, strength, rng).astype(np.float32),
        classes=np.array([f"class {k}" for k in range(NUM_CLASSES)]),
        test_clip_id=np.array([f"0054_{i}" for i in range(num_test)]),
        test_logits=np.stack([planted_logits(test_label, strength, rng) for _ in range(4)]).astype(np.float32),
    )


def shuffled(oof: Oof, seed: int) -> Oof:
    """The same content with its rows in another order."""
    rng = np.random.default_rng(seed)
    rows, test_rows = rng.permutation(len(oof.clip_id)), rng.permutation(len(oof.test_clip_id))
    return replace(
        oof,
        clip_id=oof.clip_id[rows],
        fold=oof.fold[rows],
        label=oof.label[rows],
        logits=oof.logits[rows],
        test_clip_id=oof.test_clip_id[test_rows],
        test_logits=oof.test_logits[:, test_rows],
    )


def entries_of(folder: Path, oofs: dict[str, Oof]) -> Entries:
    for name, oof in oofs.items():
        write_oof(folder / f"{name}.npz", oof)
    return read_entries([folder / f"{name}.npz" for name in oofs])


def part_of(oof: Oof, tail: list[int], strength: float, seed: int) -> Oof:
    """A tail model for the classes `tail` over the clips of `oof`."""
    rng = np.random.default_rng(seed)
    map_ = np.full(len(oof.classes), len(tail))
    map_[tail] = np.arange(len(tail))
    label = map_[oof.label]
    num_folds, num_test = oof.test_logits.shape[:2]
    return replace(
        oof,
        label=label,
        classes=np.array([*oof.classes[tail], "OTHERS"]),
        logits=strength * np.eye(len(tail) + 1)[label] + rng.normal(size=(len(label), len(tail) + 1)),
        test_logits=rng.normal(size=(num_folds, num_test, len(tail) + 1)),
    )


def prepared_run(num_entries: int = 2, num_folds: int = 2, strength: float = 0.0) -> None:
    """A tiny run with finished entries below the current directory; its four classes are those of tests.tiny."""
    clips = tiny_clips()
    write_clips(clips, "tiny")
    make_folds_main(["--run", "tiny", "--num-folds", str(num_folds)])
    table = clips.table
    train, test = table[table.split == "train"], table[table.split == "test"]
    fold_of = load_folds("tiny").set_index("clip_id").fold
    for number in range(num_entries):
        rng = np.random.default_rng(number)
        label = train.label.to_numpy()
        write_oof(
            oof_npz("tiny", f"entry{number}"),
            Oof(
                clip_id=train.clip_id.to_numpy(),
                fold=fold_of[train.clip_id].to_numpy(),
                label=label,
                logits=strength * np.eye(4)[label] + rng.normal(size=(len(train), 4)),
                classes=np.array(clips.classes),
                test_clip_id=test.clip_id.to_numpy(),
                test_logits=rng.normal(size=(num_folds, len(test), 4)),
            ),
        )
