"""The table at the end of a run: what was made and how good it is.

reads:  oof/<run>/, ensemble/<run>/weights.json, spotting/<run>/, submissions/<run>/, hidden labels when given
writes: report/<run>/summary.txt, report/<run>/summary.json

    python -m report.summary --run demo [--answers track1.csv] [--answers2 SMG_DIR]
"""

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd

from datasets.clips import load_clips
from datasets.errors import InputError, run_command
from datasets.files import replacing, write_json
from datasets.paths import check_run_name, clips_dir, oof_json, oof_npz, report_dir, submission_csv, weights_json
from ensemble.join import read_entries
from ensemble.tune import softmax
from oof.metrics import class_average, scores
from submissions.track1 import check_same_ids, read_sample

COLUMNS = ("oof_top1", "oof_class_average", "test_top1", "test_class_average", "minutes", "peak_gb")
HEADER = f"  {'track 1':30}  oof top-1  class avg | test top-1  class avg | minutes    GB"


def test_labels(run: str, answers: Path | None) -> dict[str, int] | None:
    """Test clip id -> zero-based class, from an answer file or from labelled test recordings; None when hidden.

    Raises:
        InputError: the answer file has other ids than the run's test clips, or a class that is not one.
    """
    clips = load_clips(run, "track1")
    test = clips.table[clips.table.split == "test"]
    if answers is not None:
        table = read_sample(answers)
        check_same_ids(table.iloc[:, 0].tolist(), test.clip_id.tolist(), str(answers), f"the test clips of run {run}")
        bad = ~table.iloc[:, 1].isin([str(label) for label in range(clips.num_classes)])
        if bad.any():
            row = int(bad.to_numpy().argmax())
            raise InputError(
                f"{answers}, row {row + 2}: class {table.iloc[row, 1]!r}, expected 0 to {clips.num_classes - 1}"
            )
        return dict(zip(table.iloc[:, 0], table.iloc[:, 1].astype(int), strict=True))
    if len(test) and (test.label >= 0).all():
        return dict(zip(test.clip_id, test.label, strict=True))
    return None


def track1_rows(run: str, labels: dict[str, int] | None) -> dict[str, dict]:
    """Name -> COLUMNS, for each entry and for the blend; None where a figure cannot be had."""
    facts = json.loads(weights_json(run).read_text())
    names = list(facts["blend"])
    entries = read_entries([oof_npz(run, name) for name in names])
    rows = {}
    for name, logits, test_logits in zip(names, entries.logits, entries.test_logits, strict=True):
        made = json.loads(oof_json(run, name).read_text()) if oof_json(run, name).exists() else {}
        oof = scores(logits, entries.label)
        predicted = softmax(test_logits).mean(0).argmax(1)
        rows[name] = {
            "oof_top1": oof["top1"],
            "oof_class_average": oof["class_average"],
            **_test_scores(dict(zip(entries.test_clip_id, predicted, strict=True)), labels, len(entries.classes)),
            "minutes": made.get("minutes"),
            "peak_gb": made.get("peak_gb"),
        }
    submitted = read_sample(submission_csv(run, "track1"))
    predicted = dict(zip(submitted.iloc[:, 0], submitted.iloc[:, 1].astype(int), strict=True))
    estimate = facts["cross_fitted"] if facts["shipped"] == "tuned" else facts["equal"]
    rows[f"blend ({facts['shipped']} weights)"] = {
        "oof_top1": estimate["top1"],
        "oof_class_average": estimate["class_average"],
        **_test_scores(predicted, labels, len(entries.classes)),
        "minutes": None,
        "peak_gb": None,
    }
    return rows


def _test_scores(predicted: dict[str, int], labels: dict[str, int] | None, num_classes: int) -> dict:
    if labels is None:
        return {"test_top1": None, "test_class_average": None}
    ids = sorted(labels)
    truth, guess = np.array([labels[id_] for id_ in ids]), np.array([predicted[id_] for id_ in ids])
    return {"test_top1": float((truth == guess).mean()), "test_class_average": class_average(guess, truth, num_classes)}


def format_track1(rows: dict[str, dict]) -> list[str]:
    lines = [HEADER]
    for name, row in rows.items():
        cells = [f"{row[column]:.3f}" if row[column] is not None else "-" for column in COLUMNS[:4]]
        cost = [f"{row[column]:.1f}" if row[column] is not None else "" for column in COLUMNS[4:]]
        lines.append(
            f"  {name:30}  {cells[0]:>9}  {cells[1]:>9} | {cells[2]:>10}  {cells[3]:>9} | {cost[0]:>7}  {cost[1]:>4}"
        )
    return lines
