"""How the run was made: options, minutes of each step, versions and devices; and the tables of the papers."""

from collections import defaultdict

from miga.files import read_json
from miga.paths import oof_json, report_dir
from report.blocks import NONE, Section, Table, number
from report.run_files import NotMade, RunFiles

SCORES = {"top1": "top-1", "top5": "top-5", "class_average": "class average", "f1": "F1"}
SOURCES = {"published": "published", "out_of_fold": "out of fold", "test": "test people"}


def how_made(files: RunFiles) -> list:
    blocks = []
    if files.options:
        given = [[name, str(value)] for name, value in files.options.items() if value not in ("", None, [], False)]
        blocks.append(Table("Options of the run", ["option", "value"], given))
    minutes: dict[str, float] = defaultdict(float)
    ended: dict[str, str] = {}
    for path in sorted((report_dir(files.run) / "receipts").glob("*.json")):
        receipt = read_json(path, "delete it, the step then looks itself what is left to do")
        step = path.stem.split(".")[0]
        if step == "page":  # of an earlier page
            continue
        minutes[step] += receipt["minutes"]
        ended[step] = max(ended.get(step, ""), receipt["ended"])
    if minutes:
        rows = [[step, number(minutes[step], 1), ended[step]] for step in sorted(minutes, key=ended.__getitem__)]
        rows.append(["all", number(sum(minutes.values()), 1), max(ended.values())])
        blocks.append(Table("Minutes of each step, over all folds", ["step", "minutes", "ended"], rows, is_folded=True))
    blocks += _entries(files)
    if not blocks:
        raise NotMade(f"Not there yet: {files.cure('prepare')}.")
    return blocks


def _entries(files: RunFiles) -> list:
    """Versions and devices, each once; settings of each entry, folded."""
    paths = sorted(oof_json(files.run, "any").parent.glob("*.json"))
    made = {path.stem: read_json(path, f"train {path.stem} again") for path in paths}
    if not made:
        return []
    versions: dict[str, set[str]] = defaultdict(set)
    for facts in made.values():
        for name, version in facts.get("versions", {}).items():
            versions[name].add(version)
        for name in ("device", "number_format"):
            versions[name.replace("_", " ")].add(str(facts.get(name, "not recorded")))
    rows = [[name, ", ".join(sorted(found))] for name, found in versions.items()]
    blocks = [Table("Versions and devices of the entries", ["of", "is"], rows)]
    for name, facts in made.items():
        settings = [[field, str(value)] for field, value in facts.get("config", {}).items()]
        if settings:
            blocks.append(Table(f"Settings of {name}", ["setting", "value"], settings, is_folded=True))
    return blocks


def papers(files: RunFiles) -> list:
    """Published figures beside ours, a table a paper."""
    paths = sorted((report_dir(files.run) / "papers").glob("*.json"))
    if not paths:
        raise NotMade(
            f"Not there yet: a command for each paper makes its table (python -m papers.s3 --run {files.run})."
        )
    blocks: list = []
    for path in paths:
        facts = read_json(path, f"run `python -m papers.{path.stem} --run {files.run}` again")
        scores = [name for name in SCORES if any(name in row["published"] for row in facts["rows"])]
        columns = [f"{SCORES[name]}, {title}" for title in SOURCES.values() for name in scores]
        rows = [
            [row["system"], row["where"]]
            + [_score(row, source, name) for source in SOURCES for name in scores]
            + [row["note"]]
            for row in facts["rows"]
        ]
        blocks.append(Table(f"{facts['paper']}, in per cent", ["system", "where", *columns, "note"], rows))
    return blocks


def _score(row: dict, source: str, name: str) -> str:
    """Published scores are per cent and ours shares; F1 is a share in both."""
    value = (row[source] or {}).get(name)
    if value is None:
        return NONE
    is_share = source != "published" or name == "f1"
    return f"{100 * value:.2f}" if is_share else f"{value:.2f}"


HOW_MADE = Section("how_made", "How it was made", "Everything that the figures depend on.")
PAPERS = Section("papers", "The papers' tables", "What was published, and what this run reaches.")
