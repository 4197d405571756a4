"""The table at the end of a run: what was made and how good it is.

reads:  clips/<run>/, oof/<run>/, ensemble/<run>/weights.json, spotting/<run>/, submissions/<run>/,
        hidden labels when given
writes: report/<run>/summary.txt, report/<run>/summary.json

    python -m report.summary --run demo [--answers track1.csv] [--answers2 SMG_DIR]
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from ensemble.join import read_entries
from ensemble.missing_inputs import describe_missing, missing_inputs
from ensemble.mixture import softmax
from miga.clips import load_clips
from miga.errors import InputError, run_command
from miga.files import read_json, replacing, write_json
from miga.paths import (
    check_run_name,
    clips_dir,
    oof_json,
    oof_npz,
    report_dir,
    spotting_json,
    submission_csv,
    weights_json,
)
from oof.metrics import scores
from spotting.label_files import read_segments, read_truth
from spotting.score import check_videos, score_videos
from spotting.segments import Segments, make_segments
from spotting.unseen import describe_unseen
from submissions.check import check_submission
from submissions.table import read_table
from submissions.track1 import check_same_ids

SCORES = ("top1", "top5", "class_average")
COLUMNS = (*(f"oof_{score}" for score in SCORES), *(f"test_{score}" for score in SCORES), "minutes", "peak_gb")
HEADER = f"  {'track 1':30}  oof top-1  top-5  class avg | test top-1  top-5  class avg | minutes    GB"


def test_labels(run: str, answers: Path | None) -> dict[str, int] | None:
    """Test clip id -> zero-based class, from an answer file or from labelled test recordings; None when hidden.

    Raises:
        InputError: the answer file has other ids than the run's test clips, or a class that is not one.
    """
    clips = load_clips(run, "track1")
    test = clips.table[clips.table.split == "test"]
    if answers is not None:
        table = read_table(answers)
        check_same_ids(table.iloc[:, 0], test.clip_id.tolist(), str(answers), f"the test clips of run {run}")
        bad = ~table.iloc[:, 1].isin([str(label) for label in range(clips.num_classes)])
        if bad.any():
            row = bad.idxmax()
            raise InputError(
                f"{answers}, row {row}: class {table.iloc[:, 1][row]!r}, expected 0 to {clips.num_classes - 1}"
            )
        return dict(zip(table.iloc[:, 0], table.iloc[:, 1].astype(int), strict=True))
    if len(test) and (test.label >= 0).all():
        return dict(zip(test.clip_id, test.label, strict=True))
    return None


def read_blend(run: str) -> dict:
    return read_json(weights_json(run), f"run `python -m ensemble.blend --run {run} --overwrite`")


def track1_rows(run: str, labels: dict[str, int] | None) -> dict[str, dict]:
    """Name -> COLUMNS, for each entry and for the blend; None where a figure cannot be had."""
    facts = read_blend(run)
    names = facts["entries"]
    entries = read_entries([oof_npz(run, name) for name in names])
    rows = {}
    for name, logits, test_logits in zip(names, entries.logits, entries.test_logits, strict=True):
        made = read_json(oof_json(run, name), f"train {name} again") if oof_json(run, name).exists() else {}
        oof = scores(logits, entries.label)
        probabilities = dict(zip(entries.test_clip_id, softmax(test_logits).mean(0), strict=True))
        rows[name] = {
            **{f"oof_{score}": oof[score] for score in SCORES},
            **_test_scores(probabilities, labels),
            "minutes": made.get("minutes"),
            "peak_gb": made.get("peak_gb"),
        }
    certain = {}
    if len(entries.test_clip_id):
        submitted = read_table(submission_csv(run, "track1"))
        one_hot = np.eye(len(entries.classes))[submitted.iloc[:, 1].astype(int)]
        certain = dict(zip(submitted.iloc[:, 0], one_hot, strict=True))
    rows[f"blend ({facts['shipped']})"] = {
        **{f"oof_{score}": facts["estimate"][score] for score in SCORES},
        **_test_scores(certain, labels),
        "test_top5": None,  # the file that is handed in holds one class a clip
        "minutes": None,
        "peak_gb": None,
    }
    return rows


def _test_scores(probabilities: dict[str, np.ndarray], labels: dict[str, int] | None) -> dict:
    """Scores of the test clips, from (K,) probabilities a clip; None each where the labels are hidden."""
    if labels is None:
        return {f"test_{score}": None for score in SCORES}
    ids = sorted(labels)
    found = scores(np.stack([probabilities[id_] for id_ in ids]), np.array([labels[id_] for id_ in ids]))
    return {f"test_{score}": found[score] for score in SCORES}


def format_track1(rows: dict[str, dict]) -> list[str]:
    lines = [HEADER]
    for name, row in rows.items():
        cells = [f"{row[column]:.3f}" if row[column] is not None else "-" for column in COLUMNS[:6]]
        cost = [f"{row[column]:.1f}" if row[column] is not None else "" for column in COLUMNS[6:]]
        oof, test = (f"{top1:>9}  {top5:>5}  {average:>9}" for top1, top5, average in (cells[:3], cells[3:]))
        lines.append(f"  {name:30}  {oof} |  {test} | {cost[0]:>7}  {cost[1]:>4}")
    return lines


def clips_unseen(run: str) -> list[str]:
    """Which test clips were answered without what, a line an input."""
    paths = [oof_npz(run, name) for name in read_blend(run)["entries"]]
    return describe_missing(missing_inputs(read_entries(paths), paths))


def track2_rows(run: str, answers: Path | None) -> dict[str, dict | None]:
    """Out-of-fold and test F1 of spotting by the strict and the organisers' rule; None where labels are hidden."""
    facts = read_json(spotting_json(run), f"run `python -m spotting.blend --run {run}`")
    base, path = load_clips(run, "track2").frame_base, submission_csv(run, "track2")
    truth = read_truth(answers, base)[0] if answers is not None else labelled_test_segments(run)
    test = None
    if truth:
        predicted = read_segments(path, base)
        check_videos(truth, predicted, str(answers or "the labelled test recordings"), path)
        test = score_videos(truth, predicted)
    return {"out-of-fold": facts["out_of_fold"], "test": test}


def labelled_test_segments(run: str) -> dict[str, Segments]:
    """Gestures of the test videos whose labels the recordings hold, in the codes of the label files; {} when hidden."""
    clips = load_clips(run, "track2")
    codes = np.array(clips.meta["codes"])
    test = clips.table[(clips.table.split == "test") & (clips.table.label >= 0) & (clips.table.start_frame >= 0)]
    return {
        video_id: make_segments(
            rows.start_frame.to_numpy(), (rows.start_frame + rows.num_frames).to_numpy(), codes[rows.label.to_numpy()]
        )
        for video_id, rows in test.groupby("video_id")
    }


def format_track2(rows: dict[str, dict | None]) -> list[str]:
    lines = [f"  {'track 2, F1 at IoU 0.3':30}     strict  precision     recall | organisers' rule"]
    for name, row in rows.items():
        if row is None:
            lines.append(f"  {name:30}  labels are hidden")
            continue
        strict, lenient = row["strict"], row["organiser"]
        lines.append(
            f"  {name:30}  {strict['f1']:9.3f}  {strict['precision']:9.3f}  {strict['recall']:9.3f}"
            f" | {lenient['f1']:9.3f}"
        )
    return lines


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="The table at the end of a run.")
    parser.add_argument("--run", required=True, type=check_run_name)
    parser.add_argument("--answers", type=Path, help="hidden labels of track 1: csv id,class")
    parser.add_argument("--answers2", type=Path, help="hidden labels of track 2: SMG folders with finelabels")
    args = parser.parse_args(argv)
    result: dict[str, Any] = {}
    lines: list[str] = []
    notes: list[str] = []
    made: list[str] = []
    if clips_dir(args.run, "track1").exists():
        labels = test_labels(args.run, args.answers)
        result["track1"] = track1_rows(args.run, labels)
        lines += format_track1(result["track1"])
        if (load_clips(args.run, "track1").table.split == "test").any():
            made.append(check_submission(submission_csv(args.run, "track1")))
        notes += clips_unseen(args.run)
    if clips_dir(args.run, "track2").exists():
        result["track2"] = track2_rows(args.run, args.answers2)
        lines += format_track2(result["track2"])
        base = load_clips(args.run, "track2").frame_base
        made.append(check_submission(submission_csv(args.run, "track2"), base=base))
        notes += describe_unseen(load_clips(args.run, "track2"))
    lines += [f"  {line}" for line in made]
    lines += [f"  note: {note}" for note in notes]
    text = "\n".join(lines) + "\n"
    folder = report_dir(args.run)
    with replacing(folder / "summary.txt") as temporary:
        temporary.write_text(text)
    write_json(folder / "summary.json", result)
    print(text, end="")


if __name__ == "__main__":
    run_command(main)
