"""The page at every stage of a run: python -m pytest -n 0 tests/report/test_page.py"""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from miga.files import write_json
from miga.paths import oof_npz, report_dir, report_html, spotting_dir
from report.page import PARTS, embedded, main
from tests.ensemble.planted import prepared_run
from tests.report.runs import blended_run, spotted_run
from tests.tiny import tiny_clips, write_clips

IDS = [section.id for section, _ in PARTS]
VOID = {"meta", "link", "img", "br", "wbr", "input"}


class Reader(HTMLParser):
    """Ids, open elements, and the text of each section."""

    def __init__(self, page: str):
        super().__init__()
        self.ids, self.open, self.section, self.text = [], [], "", {}
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.ids += [attributes["id"]] if "id" in attributes else []
        if tag == "section":
            self.section = attributes["id"]
        if tag == "img":
            assert attributes["alt"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        self.section = "" if tag == "section" else self.section

    def handle_data(self, data):
        self.text[self.section] = self.text.get(self.section, "") + data


def made(run: str = "tiny") -> tuple[str, Reader]:
    main(["--run", run])
    page = report_html(run).read_text()
    reader = Reader(page)
    assert not reader.open and len(reader.ids) == len(set(reader.ids))
    assert set(IDS) <= set(reader.ids)
    return page, reader


def data_of(page: str) -> dict:
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)[1])


def test_a_run_that_has_nothing_says_in_every_section_what_makes_it(workdir):
    _, reader = made()
    for name in IDS:
        assert "--only" in reader.text[name] or "Not there yet" in reader.text[name], name


def test_with_clips_alone(workdir):
    write_clips(tiny_clips(), "tiny")
    _, reader = made()
    assert "the step folds makes it" in reader.text["distribution"]
    assert "no recordings of track 2" in reader.text["timelines"]


def test_half_way_the_entries_so_far_are_shown(workdir):
    prepared_run(2)
    _, reader = made()
    assert "entry0" in reader.text["entries"] and "the step forecast makes it" in reader.text["entries"]
    assert "mean of the 2 entries so far" in reader.text["recalls"]
    assert "the step blend makes it" in reader.text["weights"]


def test_a_whole_run_of_skeletons(workdir):
    blended_run()
    spotted_run()
    page, reader = made()
    for name in IDS:
        expected = name in ("tsne", "error_kinds", "papers", "how_made")
        assert ("Not there yet" in reader.text[name]) == expected, name
    assert "Track 1, expected top-1" in reader.text["headline"] and "0.400" in reader.text["headline"]
    data = data_of(page)
    assert data["cells"] and set(data["strips"]) == {row[0] for rows in data["cells"].values() for row in rows}
    assert all(strip.startswith("data:image/webp;base64,UklG") for strip in data["strips"].values())
    assert "epoch 2" in reader.text["curves"]  # the third row is still being written
    before = report_html("tiny").read_bytes()
    main(["--run", "tiny"])
    assert report_html("tiny").read_bytes() == before


def test_tables_of_papers_and_kinds_of_errors(workdir):
    spotted_run()
    row = {"system": "M2HEN", "where": "Table 1, row 14", "note": "as printed", "test": None}
    rows = [
        {**row, "published": {"top1": 70.25}, "out_of_fold": {"top1": 0.6287}},
        {**row, "system": "another method", "published": {"top1": 68.9, "f1": 0.4}, "out_of_fold": None},
    ]
    write_json(report_dir("tiny") / "papers" / "s3.json", {"paper": "M2HEN, 2024", "rows": rows})
    kinds = {"missed": {"number": 7, "gain": 0.25}, "double": {"number": 0, "gain": 0.0}}
    write_json(spotting_dir("tiny") / "errors.json", {"f1": 0.4, "kinds": kinds})
    _, reader = made()
    cells = re.sub(r"\s+", " ", reader.text["papers"])
    assert "M2HEN, 2024, in per cent" in cells and "70.25" in cells and "62.87" in cells and "40.00" in cells
    assert "0.250" in reader.text["error_kinds"] and "F1 is 0.400" in reader.text["error_kinds"]


def test_a_broken_file_spoils_its_sections_alone(workdir, capsys):
    blended_run()
    oof_npz("tiny", "entry1").write_bytes(b"no npz")
    _, reader = made()
    assert "Cannot be shown" in reader.text["entries"] and "entry1.npz" in reader.text["entries"]
    assert "Cannot be shown" not in reader.text["weights"] + reader.text["distribution"]
    assert "note: entries:" in capsys.readouterr().err


def test_text_from_files_cannot_become_markup(workdir):
    assert "</script" not in embedded({"name": "</script><b>"})
    clips = tiny_clips()
    object.__setattr__(clips, "classes", ("<b>bold</b>", *clips.classes[1:]))
    clips.meta["classes"] = list(clips.classes)
    write_clips(clips, "tiny")
    from folds.make import main as make_folds_main

    make_folds_main(["--run", "tiny", "--num-folds", "2"])
    page, _ = made()
    assert "<b>bold" not in page and "&lt;b&gt;bold" in page


@pytest.mark.slow
def test_at_the_size_of_imigue(workdir):
    from benchmarks.page import measure

    seconds, megabytes = measure(Path("."), num_entries=16)
    assert seconds < 60 and megabytes < 15
