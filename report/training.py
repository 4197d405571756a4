"""How the networks learnt: training curves of every entry, and GE-CN's picture of held-out clips."""

import base64
import csv
import io
from pathlib import Path

import altair as alt
import numpy as np

from miga.paths import fold_checkpoint_dir, report_dir
from report.blocks import Chart, Picture, Section, SmallCharts, Table, number
from report.charts import SMALL_HEIGHT, records, spec_of
from report.run_files import NotMade, RunFiles

MAX_POINTS = 60  # of a curve; more than there are pixels for
FOLD_COLOURS = ["#3f7fc9", "#c8702a", "#2f8f63", "#9a66b8", "#808790"]


def read_curves(run: str) -> dict[str, dict[int, list[dict[str, float]]]]:
    """Entry -> fold -> rows of its log so far; a row that is being written is left out."""
    curves: dict[str, dict[int, list[dict[str, float]]]] = {}
    base = fold_checkpoint_dir(run, "any", 0).parents[1]
    for path in sorted(base.glob("*/fold*/log.csv")):
        rows = read_log_csv(path)
        if rows:
            curves.setdefault(path.parents[1].name, {})[int(path.parent.name.removeprefix("fold"))] = rows
    return curves


def read_log_csv(path: Path) -> list[dict[str, float]]:
    text = path.read_text()
    whole = text[: text.rfind("\n") + 1]
    return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(io.StringIO(whole))]


def curves(files: RunFiles) -> list:
    """A small chart an entry: loss by epoch, a line a fold."""
    found = read_curves(files.run)
    if not found:
        raise NotMade("Not there yet: no network has trained an epoch; each entry's own step writes its curve.")
    charts, rows = [], []
    for name, folds in found.items():
        points = [
            (fold, row["epoch"], row["loss"], row["train_top1"])
            for fold, log in folds.items()
            for row in (log[i] for i in np.unique(np.linspace(0, len(log) - 1, MAX_POINTS).astype(int)))
        ]
        fold, epoch, loss, top1 = zip(*points, strict=True)
        chart = (
            alt.Chart(records(fold=fold, epoch=epoch, loss=loss, top1=top1))
            .mark_line(strokeWidth=1.5)
            .encode(
                x=alt.X("epoch:Q", title=None, axis=alt.Axis(tickCount=4, tickMinStep=1, format="d")),
                y=alt.Y("loss:Q", title=None, axis=alt.Axis(tickCount=4)),
                color=alt.Color("fold:N", legend=None, scale=alt.Scale(range=FOLD_COLOURS)),
                tooltip=["fold:N", "epoch:Q", "loss:Q", "top1:Q"],
            )
        )
        last = [log[-1] for log in folds.values()]
        epochs = ", ".join(sorted({f"{row['epoch']:.0f}" for row in last}))
        told = f"{max(log[0]['loss'] for log in folds.values()):.2f} to {last[0]['loss']:.2f}, epoch {epochs}"
        charts.append(Chart(name, f"training loss {told}", spec_of(chart, SMALL_HEIGHT)))
        means = [number(float(np.mean([row[column] for row in last]))) for column in ("loss", "train_top1")]
        rows.append([name, str(len(folds)), epochs, *means])
    columns = ["entry", "folds", "epochs", "last loss", "last top-1 in training"]
    return [SmallCharts(charts, Table("Where the trainings are", columns, rows, is_folded=True))]


def tsne(files: RunFiles) -> list:
    _ = files.clips1
    path = files.needs(report_dir(files.run) / "gecn_tsne.png", "tsne")
    content = base64.b64encode(path.read_bytes()).decode()
    alt_text = "Two scatter plots of held-out clips by t-SNE, coloured by class: the four largest classes, and all."
    return [Picture(f"data:image/png;base64,{content}", alt_text)]


CURVES = Section("curves", "Training curves", "Loss of each epoch on the training clips, a line a fold.")
TSNE = Section(
    "tsne", "t-SNE: held-out clips as GE-CN sees them", "Points that lie together look alike to the network of fold 0."
)
