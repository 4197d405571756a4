"""The folds of an entry joined by clip id into oof/<run>/<name>.npz and .json."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from miga.clips import Clips
from miga.files import read_json, write_json
from miga.paths import oof_json, oof_npz
from miga.training.config import plain
from miga.training.inputs import inputs_of
from miga.training.verbs import Place
from miga.training.versions import in_all, library_versions
from oof.arrays import read_arrays
from oof.artifacts import Oof, write_oof
from oof.metrics import scores

if TYPE_CHECKING:
    from models.command.folds import FoldWork

TRAIN_AGAIN = "train this fold again with --overwrite"


def join_folds(work: FoldWork, places: list[Place], clips: Clips, folds: pd.DataFrame) -> None:
    """Write the out-of-fold file of a run from the predictions of every fold."""
    run = places[0].run
    parts = [read_arrays(place.folder / "predictions.npz", TRAIN_AGAIN) for place in places]
    facts = [read_json(place.folder / "fold.json", TRAIN_AGAIN) for place in places]
    train, test_clip_id = folds[folds.fold >= 0], folds.clip_id[folds.fold < 0].to_numpy()
    label = clips.table.label.to_numpy()[clips.rows_of(train.clip_id.to_numpy())]
    held_out = pd.concat(pd.DataFrame(part["logits"], index=part["clip_id"]) for part in parts)
    logits = held_out.loc[train.clip_id].to_numpy()
    of_test = [by_id(part["test_clip_id"], part["test_logits"], test_clip_id) for part in parts]
    oof = Oof(
        clip_id=train.clip_id.to_numpy(),
        fold=train.fold.to_numpy(),
        label=label,
        logits=logits,
        classes=np.array(clips.classes),
        test_clip_id=test_clip_id,
        test_logits=np.stack(of_test),
        test_has_input=by_id(parts[0]["test_clip_id"], parts[0]["test_has_input"], test_clip_id),
    )
    write_oof(oof_npz(run, work.name), oof)
    is_test = (clips.table.split == "test").to_numpy()
    inputs = inputs_of(clips, work.needs, run, work.config)
    result = scores(logits, label)
    made_of = facts[0]["fingerprint"]
    write_json(
        oof_json(run, work.name),
        {
            "config": plain(dataclasses.asdict(work.config)),
            "folds_sha256": made_of["folds"],
            "clips_sha256": made_of["clips"],
            "pictures_sha256": made_of.get("pictures"),
            "test_clips_without": {i: clips.table.clip_id[is_test & ~has].tolist() for i, has in inputs.items()},
            "versions": library_versions(),
            **in_all(facts, ("device", "number_format")),
            "minutes": sum(fact["minutes"] for fact in facts),
            "peak_gb": max(fact["peak_gb"] for fact in facts),
            "scores": result,
            "fold_scores": [fact["scores"] for fact in facts],
        },
    )
    spread = float(np.std([fact["scores"]["top1"] for fact in facts]))
    print(
        f"{work.name}: out-of-fold top-1 {result['top1']:.3f} (spread over folds {spread:.3f}), "
        f"class average {result['class_average']:.3f}, macro-F1 {result['macro_f1']:.3f} -> {oof_npz(run, work.name)}"
    )


def by_id(found: np.ndarray, rows: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The rows of the ids `wanted`, from rows of the ids `found`.

    Raises:
        KeyError: an id was not found.
    """
    place_of = {identifier: place for place, identifier in enumerate(found.tolist())}
    return rows[[place_of[identifier] for identifier in wanted.tolist()]]
