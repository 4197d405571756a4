"""Two runs side by side, with the chance that the second is better on new people.

reads:  clips/<run>/, folds/<run>.csv, folds/track2/<run>.csv, oof/<run>/, ensemble/<run>/, spotting/<run>/ of both
writes: report/<B>/against_<A>.txt

    python -m report.compare --run A --with B

Both are scored on the same clips, so people and clips that are hard are hard for both: what counts is the difference
clip by clip, with people as the unit (`ensemble.prediction`), as the forecast compares recipes.
"""

import argparse

import numpy as np
from scipy.stats import t

from ensemble.forecast import SHIPPED, people, read_systems, test_people
from ensemble.join import Entries
from ensemble.prediction import class_average_values, predict
from miga.clips import load_clips
from miga.errors import InputError, run_command
from miga.files import replacing
from miga.paths import check_run_name, clips_dir, report_against, spotting_json, weights_json
from oof.metrics import scores
from report.found_segments import people_of, person_values, read_found
from spotting.people import deviation

COLUMNS = f"  {'':44}{'A':>8}{'B':>8}{'B - A':>9}   chance that B is better"


def compare_track1(a: str, b: str) -> list[str]:
    """Lines about the blends and about each entry that both have.

    Raises:
        InputError: the runs have other clips, labels, classes or people.
    """
    (entries_a, systems_a, _), (entries_b, systems_b, _) = read_systems(a), read_systems(b)
    person = check_same_clips(a, b, entries_a, entries_b)
    new_clips, label = test_people(a, *person), entries_a.label
    lines = [f"track 1, {len(label)} clips of {len(np.unique(person[0]))} {_plural(person[1])}, cross-fitted", COLUMNS]
    ours, theirs = systems_a[SHIPPED], systems_b[SHIPPED]
    right = [(one.argmax(1) == label).astype(float) for one in (ours, theirs)]
    values = {
        "blend as shipped, top-1": right,
        "blend as shipped, class average": [class_average_values(one, label) for one in right],
    }
    for name in sorted(set(entries_a.names) & set(entries_b.names)):
        pair = [found.logits[found.names.index(name)] for found in (entries_a, entries_b)]
        values[f"{name}, top-1"] = [(one.argmax(1) == label).astype(float) for one in pair]
    for title, (before, after) in values.items():
        chance = predict(after - before, person[0], new_clips).chance_above_zero()
        lines.append(_line(title, before.mean(), after.mean(), chance if np.any(before != after) else None))
    for name, one in (("A", ours), ("B", theirs)):
        row = scores(one, label)
        lines.append(f"  {name}: top-5 {row['top5']:.3f}, macro-F1 {row['macro_f1']:.3f}")
    for name, mine, others in ((a, entries_a, entries_b), (b, entries_b, entries_a)):
        alone = sorted(set(mine.names) - set(others.names))
        lines += [f"  only {name} has {', '.join(alone)}"] if alone else []
    return lines


def check_same_clips(a: str, b: str, entries_a: Entries, entries_b: Entries) -> tuple[np.ndarray, str]:
    """Whose each clip is, and what such a person is called, when both runs are of the same clips.

    Folds may differ.
    """
    for what in ("classes", "clip_id", "label", "test_clip_id"):
        ours, theirs = getattr(entries_a, what), getattr(entries_b, what)
        if not np.array_equal(ours, theirs):
            lonely = sorted(set(ours.tolist()) ^ set(theirs.tolist()))
            sizes = f"{len(ours)} and {len(theirs)}" + (f", e.g. {lonely[0]!r}" if lonely else "")
            raise InputError(
                f"--run {a} --with {b}: their {what.replace('_', ' ')}s differ ({sizes}); "
                "only runs of the same recordings can be compared"
            )
    (subject, kind), (other, _) = people(a, entries_a), people(b, entries_b)
    if not np.array_equal(subject, other):
        clip = entries_a.clip_id[np.argmax(subject != other)]
        raise InputError(
            f"--run {a} --with {b}: clip {str(clip)!r} is another person's; prepare both with one --subjects"
        )
    return subject, kind


def compare_track2(a: str, b: str) -> list[str]:
    """A line about F1 out of fold.

    Raises:
        InputError: the runs have other videos or gestures.
    """
    (truth, found_a), (truth_b, found_b) = read_found(a), read_found(b)
    if list(truth) != list(truth_b):
        raise InputError(
            f"--run {a} --with {b}: their training videos of track 2 differ; compare runs of one recording"
        )
    for video in truth:
        if not all(
            np.array_equal(getattr(truth[video], c), getattr(truth_b[video], c)) for c in ("start", "end", "label")
        ):
            raise InputError(f"--run {a} --with {b}: video {video} has other gestures; compare runs of one recording")
    person = people_of(load_clips(a, "track2"), list(truth))
    before, after = person_values(truth, found_a, person), person_values(truth, found_b, person)
    lines = [f"track 2, {len(truth)} videos of {len(before)} people, thresholds cross-fitted", COLUMNS]
    return [*lines, _line("F1 at IoU 0.3", before.mean(), after.mean(), chance_of_more(after - before))]


def chance_of_more(difference: np.ndarray) -> float | None:
    """That the mean over as many new people is above zero, by Student's t; None where there is nothing to go by."""
    spread = deviation(difference, len(difference)) if len(difference) > 1 else 0.0
    return float(t.cdf(difference.mean() / spread, len(difference) - 1)) if spread else None


def _line(title: str, before: float, after: float, chance: float | None) -> str:
    told = "the same" if chance is None else f"{chance:.2f}"
    return f"  {title:44}{before:8.3f}{after:8.3f}{after - before:+9.3f}   {told}"


def _plural(kind: str) -> str:
    return {"subject": "people"}.get(kind, f"{kind}s")


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Two runs side by side, and the chance that B is better.")
    parser.add_argument("--run", required=True, type=check_run_name, metavar="A")
    parser.add_argument("--with", required=True, type=check_run_name, metavar="B", dest="other")
    args = parser.parse_args(argv)
    a, b = args.run, args.other
    lines = [f"A = {a}, B = {b}"]
    shared = 0
    for track, made, compared in (("track1", weights_json, compare_track1), ("track2", spotting_json, compare_track2)):
        prepared = [run for run in (a, b) if clips_dir(run, track).exists()]
        ready = [run for run in prepared if made(run).exists()]
        if len(ready) == 2:
            lines += ["", *compared(a, b)]
            shared += 1
        elif prepared:
            lines += ["", f"{track}: not compared, {made(a if a not in ready else b)} is not there"]
    if not shared:
        raise InputError(f"--run {a} --with {b}: there is no track that both runs have finished; see --list of each")
    text = "\n".join(lines) + "\n"
    with replacing(report_against(b, a)) as temporary:
        temporary.write_text(text)
    print(text, end="")


if __name__ == "__main__":
    run_command(main)
