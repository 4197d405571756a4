"""What the segments of track 2 get wrong, and what repairing each kind would gain.

reads:  clips/<run>/track2/, folds/track2/<run>.csv, spotting/<run>/out_of_fold.npz
writes: spotting/<run>/errors.json

    python -m spotting.errors --run mine [--system frames]

A segment that finds nothing is named by the gesture that it overlaps most, of any class (of its own in a tie):

    overlap          same class       other class
    0.3 and more     double           wrong class
    0.1 to 0.3       poor boundary    both
    below 0.1        background       background

A gesture is missed when no segment finds it and none has only its class or only its boundary wrong. An oracle repairs
one kind at a time: it gives the segment its gesture's class or boundary (and deletes it where that gesture is found by
then), deletes double, both and background, adds what is missed. Gains do not add up.

Source: TIDE (Bolya et al., arXiv 2008.08115) and DETAD (Alwassel et al., ECCV 2018), at the IoU of the challenge.
"""

import argparse
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from miga.clips import load_clips
from miga.errors import InputError, run_command
from miga.files import write_json
from miga.paths import check_run_name, spotting_errors_json
from spotting.score import IOU_THRESHOLD, strict_matches
from spotting.segments import Segments, concatenate, temporal_iou
from spotting.systems import SHIPPED, read_systems

NEAR_IOU = 0.1
FALSE_KINDS = ("wrong class", "poor boundary", "both", "double", "background")
KINDS = (*FALSE_KINDS, "missed")


class Verdict(NamedTuple):
    """Of one video."""

    kind: NDArray[np.str_]  # (N,) of every segment: hit or one of FALSE_KINDS
    gesture: NDArray[np.int64]  # (N,) the gesture that it finds or overlaps most; -1 for background
    is_found: NDArray[np.bool_]  # (G,)
    is_missed: NDArray[np.bool_]  # (G,)


def judge(truth: Segments, predicted: Segments) -> Verdict:
    """Name every segment's error, see the module."""
    matched = strict_matches(truth, predicted)
    is_found = np.isin(np.arange(len(truth)), matched)
    if len(truth) == 0:
        return Verdict(np.full(len(predicted), "background"), matched, is_found, is_found)
    iou = temporal_iou(predicted.start, predicted.end, truth.start, truth.end)
    same = predicted.label[:, None] == truth.label
    nearest = np.where(iou == iou.max(1, initial=0)[:, None], 1 + same, 0).argmax(1)
    rows = np.arange(len(predicted))
    overlap, is_same = iou[rows, nearest], same[rows, nearest]
    kind = np.select(
        [matched >= 0, overlap < NEAR_IOU, overlap >= IOU_THRESHOLD],
        ["hit", "background", np.where(is_same, "double", "wrong class")],
        np.where(is_same, "poor boundary", "both"),
    )
    gesture = np.where(matched >= 0, matched, np.where(kind == "background", -1, nearest))
    repairable = gesture[np.isin(kind, FALSE_KINDS[:2])]
    return Verdict(kind, gesture, is_found, ~is_found & ~np.isin(np.arange(len(truth)), repairable))


def repaired(verdict: Verdict, kind: str) -> NDArray[np.int64]:
    """(3,) hits, predicted, true of a video when an oracle has repaired one kind; '' for none."""
    hits, predicted = int(verdict.is_found.sum()), len(verdict.kind)
    if kind == "missed":
        added = int(verdict.is_missed.sum())
        return np.array([hits + added, predicted + added, len(verdict.is_found)])
    wrong = verdict.kind == kind
    gained = 0
    if kind in FALSE_KINDS[:2]:
        gestures = np.unique(verdict.gesture[wrong])
        gained = int((~verdict.is_found[gestures]).sum())
    return np.array([hits + gained, predicted - int(wrong.sum()) + gained, len(verdict.is_found)])


def summarise(verdicts: list[Verdict]) -> dict:
    """F1 as it is, and by kind how many there are and what F1 gains without them."""

    def f1(kind: str) -> float:
        hits, predicted, true = np.sum([repaired(one, kind) for one in verdicts], axis=0)
        return float(2 * hits / max(predicted + true, 1))

    number = {kind: sum(int((one.kind == kind).sum()) for one in verdicts) for kind in FALSE_KINDS}
    number["missed"] = sum(int(one.is_missed.sum()) for one in verdicts)
    return {"f1": f1(""), "kinds": {kind: {"number": number[kind], "gain": f1(kind) - f1("")} for kind in KINDS}}


def by_group(
    verdicts: dict[str, Verdict], of_truth: dict[str, NDArray], of_found: dict[str, NDArray]
) -> dict[str, dict]:
    """Recall over the gestures of each group, precision over its segments, and their harmonic mean.

    Args:
        of_truth, of_found: per video, the group's name of every gesture, and of every segment.
    """
    groups = list(dict.fromkeys(np.concatenate([*of_truth.values(), *of_found.values()]).tolist()))
    rows = {}
    for group in sorted(groups):
        true, found, predicted, hits = 0, 0, 0, 0
        for video, one in verdicts.items():
            inside, segments = of_truth[video] == group, of_found[video] == group
            true, found = true + int(inside.sum()), found + int(one.is_found[inside].sum())
            predicted, hits = predicted + int(segments.sum()), hits + int((one.kind[segments] == "hit").sum())
        recall, precision = found / max(true, 1), hits / max(predicted, 1)
        f1 = 2 * recall * precision / max(recall + precision, 1e-12)
        rows[str(group)] = {"gestures": true, "segments": predicted, "recall": recall, "precision": precision, "f1": f1}
    return rows


def length_group(segments: Segments, bounds: NDArray) -> NDArray[np.str_]:
    """(N,) name of the third of the gestures' lengths that each segment's length lies in."""
    low, high = bounds
    names = np.array([f"1 up to {low:.0f} frames", f"2 up to {high:.0f} frames", f"3 above {high:.0f} frames"])
    return names[np.searchsorted(bounds, segments.end - segments.start, side="left")]


def frequency_group(segments: Segments, number: NDArray) -> NDArray[np.str_]:
    """(N,) how frequent the class of each is: thirds of the classes that there are, by their number of gestures."""
    order = np.lexsort((np.arange(len(number)), -number))
    third = np.full(len(number), "4 no gesture")
    for name, classes in zip(
        ("1 frequent", "2 medium", "3 rare"), np.array_split(order[: (number > 0).sum()], 3), strict=True
    ):
        third[classes] = name
    return third[segments.label]


def errors(run: str, system: str) -> dict:
    """Plain values of everything that errors.json holds.

    Raises:
        InputError: no such system.
    """
    systems, truth, person_of = read_systems(run)
    if system not in systems:
        raise InputError(f"--system {system}: expected one of {', '.join(systems)}")
    found, clips = systems[system], load_clips(run, "track2")
    verdicts = {video: judge(gestures, found[video]) for video, gestures in truth.items()}
    every = concatenate(list(truth.values()))
    bounds = np.quantile(every.end - every.start, [1 / 3, 2 / 3]) if len(every) else np.zeros(2)
    number = np.bincount(every.label, minlength=clips.num_classes)

    def grouped(name_of) -> dict:
        return by_group(
            verdicts, {v: name_of(v, one) for v, one in truth.items()}, {v: name_of(v, one) for v, one in found.items()}
        )

    codes = np.array([f"{code:>3} {name}" for code, name in zip(clips.meta["codes"], clips.classes, strict=True)])
    return {
        "system": system,
        **summarise(list(verdicts.values())),
        "by_length": grouped(lambda video, one: length_group(one, bounds)),
        "by_class_frequency": grouped(lambda video, one: frequency_group(one, number)),
        "by_class": grouped(lambda video, one: codes[one.label]),
        "by_person": grouped(lambda video, one: np.full(len(one), person_of[video])),
    }


def format_errors(facts: dict) -> str:
    lines = [f"{facts['system']}: strict F1 {facts['f1']:.3f}", f"  {'kind':16} number  F1 if it were repaired"]
    for kind, row in facts["kinds"].items():
        lines.append(f"  {kind:16} {row['number']:6}  {facts['f1'] + row['gain']:.3f}  (+{row['gain']:.3f})")
    for group in ("by_length", "by_class_frequency", "by_person"):
        lines.append(f"  {group.replace('_', ' '):24} gestures  recall  precision     F1")
        for name, row in facts[group].items():
            lines.append(
                f"    {name:22} {row['gestures']:8}  {row['recall']:6.3f}  {row['precision']:9.3f}  {row['f1']:.3f}"
            )
    return "\n".join(lines) + "\n"


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="What track 2 gets wrong, and what repairing it would gain.")
    parser.add_argument("--run", required=True, type=check_run_name)
    parser.add_argument("--system", default=SHIPPED, help=f"a recipe or member instead of {SHIPPED!r}")
    args = parser.parse_args(argv)
    facts = errors(args.run, args.system)
    write_json(spotting_errors_json(args.run), facts)
    print(format_errors(facts) + f"wrote {spotting_errors_json(args.run)}")


if __name__ == "__main__":
    run_command(main)
