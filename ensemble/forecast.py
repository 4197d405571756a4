"""What to expect of the leaderboard, and how sure that is.

reads:  oof/<run>/*.npz, folds/<run>.csv, ensemble/<run>/weights.json, ensemble/<run>/crossfit.npz
writes: ensemble/<run>/forecast.json, ensemble/<run>/forecast.txt

    python -m ensemble.forecast --run mine

Every figure is cross-fitted: each fold of people is scored by what was trained, fitted and chosen on the other folds.
The forecast is the top-1 of the whole procedure so, with an interval for as many new people as the test has
(`ensemble.prediction`; how often it holds: `benchmarks.forecast_coverage`).
"""

import argparse

import numpy as np
import pandas as pd

from ensemble.calibration import cross_calibrated, expected_calibration_error
from ensemble.forecast_table import format_forecast
from ensemble.join import Entries, read_entries
from ensemble.mixture import softmax
from ensemble.parts import class_parts
from ensemble.prediction import class_average_values, predict
from folds.make import grouping_column, load_folds
from miga.errors import InputError, run_command
from miga.files import file_sha256, read_json, replacing, write_json
from miga.paths import check_run_name, crossfit_npz, forecast_json, forecast_txt, oof_npz, weights_json
from oof.arrays import read_arrays
from oof.metrics import scores

SHIPPED, SINGLE = "as shipped", "best single"


def read_systems(run: str) -> tuple[Entries, dict[str, np.ndarray], dict]:
    """The entries, (N, K) cross-fitted probabilities by system, and the rest that the blend wrote.

    Raises:
        InputError: there is no blend, or it was made from other entries.
    """
    if not weights_json(run).exists() or not crossfit_npz(run).exists():
        raise InputError(f"{weights_json(run)}: no blend yet; run `python -m ensemble.blend --run {run}` first")
    again = f"run `python -m ensemble.blend --run {run} --overwrite`"
    facts = read_json(weights_json(run), again)
    paths = [oof_npz(run, name) for name in facts["entries"]]
    entries = read_entries(paths, run)
    for path in paths:
        if facts["made_from"][path.stem] != file_sha256(path):
            raise InputError(f"{path}: changed since the blend; run `python -m ensemble.blend --run {run}` again")
    arrays = read_arrays(crossfit_npz(run), again)
    if not np.array_equal(arrays["clip_id"], entries.clip_id):
        raise InputError(f"{crossfit_npz(run)}: has other clips than the entries; run ensemble.blend again")
    systems = {SINGLE: best_single(entries)}
    systems |= dict(zip(arrays["recipes"].tolist(), arrays["probabilities"], strict=True))
    systems[SHIPPED] = arrays["estimate"]
    return entries, systems, {**facts, **{name: arrays[name] for name in ("left_out", "predicted_without")}}


def best_single(entries: Entries) -> np.ndarray:
    """(N, K) probabilities: each fold by the entry that has the best top-1 on the other folds."""
    right = entries.logits.argmax(2) == entries.label
    mixed = np.zeros(entries.logits.shape[1:])
    for fold in np.unique(entries.fold):
        inside = entries.fold == fold
        others = ~inside if not inside.all() else inside
        mixed[inside] = softmax(entries.logits[right[:, others].mean(1).argmax(), inside])
    return mixed


def people(run: str, entries: Entries) -> tuple[np.ndarray, str]:
    """(N,) whose clip each is, and whether those are called `subject`, or `video` where people are unknown."""
    folds = load_folds(run)
    column = grouping_column(folds[folds.fold >= 0])
    return folds.set_index("clip_id").loc[entries.clip_id, column].to_numpy().astype(str), column.removesuffix("_id")


def test_people(run: str, subject: np.ndarray, kind: str) -> np.ndarray:
    """(M,) number of clips of each new person that the forecast is for.

    Test people are often unnamed: then as many as have that many clips among the training people, and with as unequal
    numbers. Without test clips it is one person, with as many clips as the mean.
    """
    folds = load_folds(run)
    test = folds.loc[folds.fold < 0, f"{kind}_id"]
    clips = np.unique(subject, return_counts=True)[1]
    if test.empty:
        return np.array([round(clips.mean())])
    if (test != "").all():
        return test.value_counts(sort=False).to_numpy()
    num_people = max(1, round(len(test) / clips.mean()))
    shares = np.quantile(clips, (np.arange(num_people) + 0.5) / num_people)
    upto = np.round(len(test) * np.append(0, shares.cumsum() / shares.sum()))
    new_clips = np.diff(upto).astype(int)
    return new_clips[new_clips > 0]


def forecast(run: str) -> dict:
    """Plain values of everything that forecast.json holds."""
    entries, systems, facts = read_systems(run)
    subject, kind = people(run, entries)
    new_clips = test_people(run, subject, kind)
    label, names = entries.label, list(systems)
    right = np.stack([systems[name].argmax(1) == label for name in names]).astype(int)
    shipped = systems[SHIPPED]
    entry_right = entries.logits.argmax(2) == label
    num_folds = len(np.unique(entries.fold))
    return {
        "how": f"cross-fitted by {num_folds} folds of {kind}s; intervals are 95 %, over {kind}s",
        "kind": kind,
        "num_clips": len(label),
        "num_subjects": len(np.unique(subject)),
        "num_test_clips": len(entries.test_clip_id),
        "num_test_subjects": len(new_clips) if len(entries.test_clip_id) else 0,
        "shipped": facts["shipped"],
        "choice_held_out": num_folds > 2,
        "leaderboard": {
            "expected": float(right[-1].mean()),
            "interval": predict(right[-1], subject, new_clips).interval(),
            "new_clips": new_clips.tolist(),
        },
        "systems": {
            name: {**scores(systems[name], label), "top1_interval": predict(right[a], subject).interval()}
            for a, name in enumerate(names)
        },
        "class_average_interval": predict(class_average_values(right[-1], label), subject).interval(),
        "chance_of_beating": {
            one: {
                other: predict(right[a] - right[b], subject, new_clips).chance_above_zero()
                for b, other in enumerate(names)
                if a != b
            }
            for a, one in enumerate(names)
        },
        "class_groups": {name: group_recalls(systems[name].argmax(1), label) for name in names},
        "calibration": calibration({SHIPPED: np.log(np.maximum(shipped, 1e-12)), **named_logits(entries)}, entries),
        "single": {name: scores(logits, label) for name, logits in named_logits(entries).items()},
        "adds": {
            str(name): float(right[names.index(facts["shipped"])].mean() - (predicted == label).mean())
            for name, predicted in zip(facts["left_out"], facts["predicted_without"], strict=True)
        },
        "error_correlation": {
            "names": list(entries.names),
            "matrix": pd.DataFrame(entry_right.T).astype(float).corr().fillna(0.0).to_numpy().round(4).tolist(),
        },
    }


def named_logits(entries: Entries) -> dict[str, np.ndarray]:
    return dict(zip(entries.names, entries.logits, strict=True))


def group_recalls(predicted: np.ndarray, labels: np.ndarray) -> dict[str, float | None]:
    """Mean recall over head, medium and tail classes: part A, part B, and the rest; None for a group with no class."""
    parts = class_parts(np.bincount(labels))
    groups = {"head": parts[:1], "medium": parts[1:2], "tail": parts[2:]}
    recall = {k: float((predicted[labels == k] == k).mean()) for k in np.unique(labels)}
    return {
        name: float(np.mean([recall[k] for part in group for k in part])) if group else None
        for name, group in groups.items()
    }


def calibration(logits_of: dict[str, np.ndarray], entries: Entries) -> dict[str, dict[str, float]]:
    """Expected calibration error of each system before and after a temperature fitted on the other folds."""
    return {
        name: {
            "before": expected_calibration_error(softmax(logits), entries.label),
            "after": expected_calibration_error(cross_calibrated(logits, entries.label, entries.fold), entries.label),
        }
        for name, logits in logits_of.items()
    }


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="What to expect of the leaderboard, and how sure that is.")
    parser.add_argument("--run", required=True, type=check_run_name)
    args = parser.parse_args(argv)
    facts = forecast(args.run)
    text = format_forecast(facts)
    with replacing(forecast_txt(args.run)) as temporary:
        temporary.write_text(text)
    write_json(forecast_json(args.run), facts)
    print(text, end="")
    print(f"wrote {forecast_json(args.run)} and {forecast_txt(args.run)}")


if __name__ == "__main__":
    run_command(main)
