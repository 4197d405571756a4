"""The entries and the blend: every score there is, what they cost, and which weight each got."""

import altair as alt

from miga.files import read_json
from miga.paths import forecast_json, oof_json
from oof.metrics import scores
from report.blocks import Chart, Section, Table, Text, number, percent
from report.charts import BLUE, records, spec_of
from report.run_files import RunFiles


def entries(files: RunFiles) -> list:
    """A row an entry; then a row a recipe of the blend, with the chance that it beats the best single entry."""
    found, tested = files.entries, files.summary.get("track1", {})
    rows = []
    for name, logits in zip(found.names, found.logits, strict=True):
        path = oof_json(files.run, name)
        made = read_json(path, f"train {name} again") if path.exists() else {}
        own, test = scores(logits, found.label), tested.get(name, {})
        rows.append(
            [
                name,
                *(number(own[score]) for score in ("top1", "top5", "class_average")),
                *(number(test.get(f"test_{score}")) for score in ("top1", "class_average")),
                *(number(made.get(cost), 1) for cost in ("minutes", "peak_gb")),
            ]
        )
    rows.sort(key=lambda row: (row[1], row[0]), reverse=True)
    columns = ["entry", "top-1", "top-5", "class average", "test top-1", "test class average", "minutes", "GB"]
    blocks = [
        Table("Entries, out of fold on the training clips; test people where their labels are known", columns, rows)
    ]
    if not forecast_json(files.run).exists():
        return [*blocks, Text(f"Recipes of the blend are not there yet: {files.cure('forecast')}.")]
    facts = files.forecast
    test_top1 = tested.get(f"blend ({facts['shipped']})", {}).get("test_top1")
    rows = []
    for name, row in facts["systems"].items():
        low, high = row["top1_interval"]
        chance = facts["chance_of_beating"][name].get("best single")
        own_test = test_top1 if name == "as shipped" else None
        rows.append(
            [
                name,
                number(row["top1"]),
                f"{low:.3f} to {high:.3f}",
                number(row["class_average"]),
                number(row["macro_f1"]),
                number(chance, 2),
                number(own_test),
            ]
        )
    columns = [
        "recipe",
        "top-1",
        "95 % interval",
        "class average",
        "macro-F1",
        "chance to beat best single",
        "test top-1",
    ]
    return [*blocks, Table(f"Recipes of the blend, cross-fitted; ships: {facts['shipped']}", columns, rows)]


def weights(files: RunFiles) -> list:
    """Weight of each entry in what ships, and what the blend would lose without it."""
    facts = files.weights
    adds = files.forecast["adds"] if forecast_json(files.run).exists() else {}
    blend = sorted(facts["blend"].items(), key=lambda item: -item[1]["weight"])
    total = sum(one["weight"] for _, one in blend)
    chart = (
        alt.Chart(records(entry=[name for name, _ in blend], share=[one["weight"] / total for _, one in blend]))
        .mark_bar(color=BLUE)
        .encode(
            y=alt.Y("entry:N", sort=None, title=None),
            x=alt.X("share:Q", title="share of the weight", axis=alt.Axis(format="%")),
            tooltip=["entry:N", alt.Tooltip("share:Q", format=".1%")],
        )
    )
    rows = [
        [
            *(name, number(one["weight"]), percent(one["weight"] / total), number(one["temperature"], 2)),
            f"{100 * adds[name]:+.2f}" if name in adds else "",
        ]
        for name, one in blend
    ]
    columns = ["entry", "weight", "share", "temperature", "adds, points"]
    parts = ", ".join(f"{part} with {alpha:g}" for part, alpha in facts["alphas"].items())
    told = f"Ships: {facts['shipped']}; {len(blend)} of {len(facts['entries'])} entries have a weight."
    told += f" Tail models: {parts}." if parts else ""
    blocks: list = [
        Chart(
            "Weights of what ships",
            told,
            spec_of(chart, 24 * len(blend) + 10),
            Table("Weights and temperatures", columns, rows),
        )
    ]
    if facts["dropped"]:
        blocks.append(Text(f"Not missed, so without weight: {', '.join(facts['dropped'])}."))
    return blocks


ENTRIES = Section(
    "entries",
    "Entries and recipes",
    "An entry is one trained system. Each of its scores is by networks that never saw the clip's person.",
)
WEIGHTS = Section("weights", "Weights of the blend", "How much each entry has to say in the submission.")
