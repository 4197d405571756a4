"""Classes from head to tail: how many clips each has, in which part it is, and how well it is recognised."""

import altair as alt
import numpy as np

from ensemble.parts import PART_NAMES, class_parts
from report.blocks import Chart, Section, Table, Text, number, percent
from report.charts import BLUE, GREEN, ORANGE, PURPLE, colours, records, spec_of
from report.run_files import RunFiles

PART_COLOURS = [BLUE, GREEN, ORANGE, PURPLE]
ROW = 20  # pixels of a bar
DECADES = alt.Axis(values=[1, 3, 10, 30, 100, 300, 1000, 3000, 10000], labelOverlap=True)


def distribution(files: RunFiles) -> list:
    """Clips of each class, and the parts A-D that tail models go by."""
    clips, folds = files.clips1, files.folds
    counts = np.bincount(folds.label[folds.fold >= 0], minlength=clips.num_classes)
    parts = class_parts(counts)
    order = np.concatenate(parts)
    part = np.repeat(list(PART_NAMES[: len(parts)]), [len(one) for one in parts])
    names = [clips.classes[k] for k in order]
    chart = (
        alt.Chart(records(name=names, clips=counts[order], part=part))
        .mark_bar()
        .encode(
            y=alt.Y("name:N", sort=None, title=None),
            x=alt.X("clips:Q", title="training clips (logarithmic)", scale=alt.Scale(type="symlog"), axis=DECADES),
            color=alt.Color("part:N", title="part", scale=colours(list(PART_NAMES[: len(parts)]), PART_COLOURS)),
            tooltip=["name:N", "clips:Q", "part:N"],
        )
    )
    rows = [[name, letter, str(count)] for name, letter, count in zip(names, part, counts[order], strict=True)]
    empty = [clips.classes[k] for k in np.flatnonzero(counts == 0)]
    test = int((folds.fold < 0).sum())
    told = f"{counts.sum()} training clips of {len(order)} classes, {test} test clips. " + " ".join(
        f"Part {letter}: {len(one)} classes, {counts[one].sum()} clips."
        for letter, one in zip(PART_NAMES, parts, strict=False)
    )
    blocks: list = [
        Chart(
            "Training clips of each class",
            told,
            spec_of(chart, ROW * len(order)),
            Table("Training clips of each class", ["class", "part", "clips"], rows, is_folded=True),
        )
    ]
    if empty:
        blocks.append(Text(f"No training clip, so never answered: {', '.join(empty)}."))
    return blocks


def recalls(files: RunFiles) -> list:
    """Share of each class's clips that is named right, from the most frequent class to the rarest."""
    shown, classes = files.shown, files.clips1.classes
    counts = np.bincount(shown.label, minlength=len(classes))
    right = np.bincount(shown.label[shown.predicted == shown.label], minlength=len(classes))
    answered = np.bincount(shown.predicted, minlength=len(classes))
    parts = class_parts(counts)
    order = np.concatenate(parts)
    letters = list(PART_NAMES[: len(parts)])
    part = np.repeat(letters, [len(one) for one in parts])
    recall = right[order] / counts[order]
    precision = [right[k] / answered[k] if answered[k] else None for k in order]
    names = [classes[k] for k in order]
    chart = (
        alt.Chart(records(name=names, recall=recall, clips=counts[order], part=part))
        .mark_bar()
        .encode(
            y=alt.Y("name:N", sort=None, title=None),
            x=alt.X("recall:Q", title="share named right", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%")),
            color=alt.Color("part:N", title="part", scale=colours(letters, PART_COLOURS)),
            tooltip=["name:N", alt.Tooltip("recall:Q", format=".1%"), "clips:Q"],
        )
    )
    rows = [
        [name, str(counts[k]), percent(r), percent(p)]
        for name, k, r, p in zip(names, order, recall, precision, strict=True)
    ]
    never = sum(1 for one in recall if one == 0)
    told = (
        f"By {shown.how}. The mean over classes is {number(recall.mean())}; {never} of {len(order)} classes are "
        "never named right."
    )
    columns = ["class", "clips", "recall", "precision"]
    table = Table("Recall and precision of each class", columns, rows, is_folded=True)
    return [Chart("Recall of each class, the most frequent first", told, spec_of(chart, ROW * len(order)), table)]


DISTRIBUTION = Section(
    "distribution",
    "Classes and parts",
    "How often each gesture occurs. A part holds the classes with at least a fifth of the clips of its largest class.",
)
RECALLS = Section(
    "recalls", "From head to tail", "Frequent gestures first: what is rare is what a blend usually gives up."
)
