"""The report that one looks at: one file, which needs no network, of whatever the run has made so far.

reads:  clips/<run>/, folds/<run>.csv, folds/track2/<run>.csv, checkpoints/<run>/*/fold<k>/log.csv, oof/<run>/,
        ensemble/<run>/, spotting/<run>/, submissions/log.csv, report/<run>/
writes: report/<run>/index.html

    python -m report.page --run demo

It holds pictures of the people in the worst clips: whoever may not see the recordings may not see this file.
"""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import jinja2
import vl_convert
from markupsafe import Markup, escape

from miga.errors import InputError, run_command
from miga.files import replacing
from miga.paths import check_run_name, report_html
from report import classes, confusion, entries, headline, made, spotting_charts, training, trust
from report.blocks import Section
from report.run_files import NotMade, RunFiles
from report.strips import FRAMES, SIDE, StripMaker

MOST_STRIPS, STRIPS_OF_A_CELL = 220, 4
VEGA_LITE = "6.4"
PARTS: list[tuple[Section, Callable[[RunFiles], list]]] = [
    (headline.HEADLINE, headline.headline),
    (entries.ENTRIES, entries.entries),
    (entries.WEIGHTS, entries.weights),
    (classes.DISTRIBUTION, classes.distribution),
    (classes.RECALLS, classes.recalls),
    (confusion.CONFUSION, confusion.confusion),
    (confusion.WRONG_LABELS, confusion.wrong_labels),
    (trust.RELIABILITY, trust.reliability),
    (training.CURVES, training.curves),
    (training.TSNE, training.tsne),
    (spotting_charts.TIMELINES, spotting_charts.timelines),
    (spotting_charts.ERROR_KINDS, spotting_charts.error_kinds),
    (spotting_charts.THRESHOLDS, spotting_charts.thresholds),
    (made.PAPERS, made.papers),
    (headline.LEADERBOARD, headline.leaderboard),
    (made.HOW_MADE, made.how_made),
]


def filled(section: Section, fill: Callable[[], list]) -> Section:
    """The section with its blocks; or with the sentence that says why there are none, which stderr gets too where a
    file is wrong."""
    try:
        return replace(section, blocks=fill())
    except NotMade as error:
        return replace(section, missing=str(error))
    except InputError as error:
        print(f"note: {section.id}: {error}", file=sys.stderr)
        return replace(section, missing=f"Cannot be shown: {error}")


def strips_of(files: RunFiles) -> dict[str, str]:
    """Clip id -> strip, of the worst clips; none while there are no predictions."""
    try:
        ids = confusion.clips_to_show(files, MOST_STRIPS, STRIPS_OF_A_CELL)
        maker = StripMaker(files.run, files.clips1)
    except NotMade:
        return {}
    except InputError as error:
        print(f"note: no clips are shown: {error}", file=sys.stderr)
        return {}
    return {id_: maker.strip(id_) for id_ in ids}


def render(title: str, sections: list[Section], strips: dict[str, str]) -> str:
    """The whole HTML file."""
    specs = [
        block.spec
        for section in sections
        for part in section.blocks
        for block in getattr(part, "charts", [part])
        if block.kind == "chart"
    ]
    cells = [block.clips for section in sections for block in section.blocks if block.kind == "confusion"]
    data = {"specs": specs, "strips": strips, "cells": cells[0] if cells else {}, "frames": FRAMES, "side": SIDE}
    return _template().render(
        title=title, sections=sections, data=embedded(data), vega=Markup(vega_bundle() if specs else "")
    )


def embedded(data: dict) -> Markup:
    """JSON that can stand inside a script element."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c"))


@cache
def vega_bundle() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script."""
    return vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", VEGA_LITE).replace("</script", "<\\/script")


def soft_breaks(text: str) -> Markup:
    """A long name may break after each of its underscores and slashes."""
    return Markup(str(escape(text)).replace("_", "_<wbr>").replace("/", "/<wbr>"))


def _template() -> jinja2.Template:
    loader = jinja2.FileSystemLoader(Path(__file__).parent / "templates")
    environment = jinja2.Environment(
        loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.filters["soft_breaks"] = soft_breaks
    return environment.get_template("page.html")


def make_page(run: str) -> Path:
    files = RunFiles(run)
    sections = [filled(section, partial(fill, files)) for section, fill in PARTS]
    path = report_html(run)
    with replacing(path) as temporary:
        temporary.write_text(render(f"Run {run}", sections, strips_of(files)), encoding="utf-8")
    return path


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="The report of a run as one HTML file.")
    parser.add_argument("--run", required=True, type=check_run_name)
    path = make_page(parser.parse_args(argv).run)
    print(f"wrote {path}, {path.stat().st_size / 2**20:.1f} MB")


if __name__ == "__main__":
    run_command(main)
