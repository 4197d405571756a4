"""Blend the entries of a run and write the track 1 submission.

reads:  oof/<run>/*.npz, folds/<run>.csv
writes: ensemble/<run>/weights.json, submissions/<run>/track1.csv

    python -m ensemble.blend --run mine [--models posec3d_joint,gecn] [--sample sample_submission.csv]
"""

import argparse
import json
from pathlib import Path

import numpy as np

from datasets.errors import InputError, run_command
from datasets.files import write_json
from datasets.paths import check_run_name, folds_csv, oof_npz, submission_csv, weights_json
from ensemble.join import Entries, read_entries
from ensemble.tune import Blend, blend_probabilities, blend_test_probabilities, cross_fit, tune
from oof.artifacts import file_sha256
from oof.metrics import scores
from submissions.check import check_submission
from submissions.track1 import write_track1


def fold_top1(probabilities: np.ndarray, entries: Entries) -> np.ndarray:
    """(F,) top-1 of each fold."""
    right = probabilities.argmax(1) == entries.label
    return np.array([right[entries.fold == fold].mean() for fold in np.unique(entries.fold)])


def choose(entries: Entries, num_trials: int, seed: int) -> tuple[Blend, dict]:
    """Tune a blend and decide whether it ships: only if cross-fitting beats equal weights by more than the spread.

    The spread is the standard deviation over folds of (cross-fitted minus equal) top-1.

    Returns:
        the blend to ship, and plain values for weights.json: scores of best single, equal, tuned and cross-fitted.
    """
    num_entries = len(entries.names)
    singles = [scores(logits, entries.label) for logits in entries.logits]
    best_single = int(np.argmax([single["top1"] for single in singles]))
    equal = Blend.equal(num_entries)
    tuned = tune(entries.logits, entries.label, num_trials, seed)
    equal_probs = blend_probabilities(entries.logits, equal)
    nested_probs = cross_fit(entries.logits, entries.label, entries.fold, num_trials, seed)
    difference = fold_top1(nested_probs, entries) - fold_top1(equal_probs, entries)
    equal_scores, nested_scores = scores(equal_probs, entries.label), scores(nested_probs, entries.label)
    ships_tuned = bool(nested_scores["top1"] - equal_scores["top1"] > difference.std())
    facts = {
        "shipped": "tuned" if ships_tuned else "equal",
        "single": dict(zip(entries.names, singles, strict=True)),
        "best_single": {"name": entries.names[best_single], **singles[best_single]},
        "equal": equal_scores,
        "tuned": scores(blend_probabilities(entries.logits, tuned), entries.label),
        "cross_fitted": nested_scores,
        "spread_of_difference": float(difference.std()),
        "tuned_blend": _plain(tuned, entries.names),
        "seed": seed,
        "trials": num_trials,
    }
    shipped = tuned if ships_tuned else equal
    facts["blend"] = _plain(shipped, entries.names)
    return shipped, facts


def _plain(blend: Blend, names: tuple[str, ...]) -> dict:
    rows = zip(names, blend.weights, blend.temperatures, strict=True)
    return {name: {"weight": float(weight), "temperature": float(t)} for name, weight, t in rows}


def print_scores(facts: dict) -> None:
    """The four numbers, and what ships."""
    rows = (
        (f"best single ({facts['best_single']['name']})", facts["best_single"]),
        ("equal weights", facts["equal"]),
        ("tuned, scored on what it was tuned on", facts["tuned"]),
        ("tuned, cross-fitted over the folds", facts["cross_fitted"]),
    )
    print(f"  {'out-of-fold':44}  top-1  top-5  class avg  macro-F1")
    for title, row in rows:
        print(
            f"  {title:44}  {row['top1']:.3f}  {row['top5']:.3f}"
            f"      {row['class_average']:.3f}     {row['macro_f1']:.3f}"
        )
    gain = facts["cross_fitted"]["top1"] - facts["equal"]["top1"]
    print(
        f"  ships {facts['shipped']} weights: cross-fitted minus equal is {gain:+.3f}, "
        f"the spread over folds {facts['spread_of_difference']:.3f}"
    )
    for name, row in facts["blend"].items():
        print(f"    {name:28} weight {row['weight']:.3f}  temperature {row['temperature']:.2f}")


def entry_paths(run: str, models: str | None) -> list[Path]:
    """The npz files to blend: those named, or all of the run."""
    if models:
        return [oof_npz(run, name) for name in models.split(",")]
    return sorted(oof_npz(run, "any").parent.glob("*.npz"))


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Blend the entries of a run and write the track 1 submission.")
    parser.add_argument("--run", required=True, type=check_run_name)
    parser.add_argument("--models", help="names of the entries, joined by commas (default: all of the run)")
    parser.add_argument(
        "--trials", type=int, default=200, help="Optuna trials a search; a search for each fold is added"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sample", type=Path, help="sample_submission.csv: its header, ids and order are kept")
    parser.add_argument("--overwrite", action="store_true")
    args = parser.parse_args(argv)
    paths = entry_paths(args.run, args.models)
    made_from = {path.stem: file_sha256(path) for path in paths if path.exists()}
    made_from["options"] = [args.trials, args.seed, file_sha256(args.sample) if args.sample else ""]
    weights_path, csv_path = weights_json(args.run), submission_csv(args.run, "track1")
    if not args.overwrite and weights_path.exists() and csv_path.exists():
        facts = json.loads(weights_path.read_text())
        if facts["made_from"] == made_from:
            print(f"{csv_path}: already made from these entries, nothing to do")
            return
    entries = read_entries(paths, folds_csv(args.run))
    print(f"blend of {len(paths)} entries over {len(entries.clip_id)} clips")
    blend, facts = choose(entries, args.trials, args.seed)
    print_scores(facts)
    if not len(entries.test_clip_id):
        raise InputError(f"{paths[0]}: no test clips, so no submission; prepare the test recordings too")
    labels = blend_test_probabilities(entries.test_logits, blend).argmax(1)
    write_track1(csv_path, entries.test_clip_id, labels, args.sample)
    check_submission(csv_path, args.sample)
    write_json(weights_path, {**facts, "made_from": made_from})
    print(f"wrote {csv_path} ({len(labels)} clips) and {weights_path}")


if __name__ == "__main__":
    run_command(main)
