"""Tables of people as spreadsheets save them. Alone: python -m pytest -n 0 tests/recordings/test_subjects.py"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from miga.errors import InputError
from recordings.recording import Problems
from recordings.subjects import Subjects, read_subjects

NAMES = ["Müller", "Škoda", "Anna, the second", "d"]
FORMS = st.fixed_dictionaries(
    {
        "encoding": st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
        "separator": st.sampled_from([",", ";", "\t", "|", ", ", "; "]),
        "end": st.sampled_from(["\n", "\r\n", "\r"]),
        "number": st.sampled_from(["{:04d}", "{}", "{}.0", "{},00", " {} "]),
        "header": st.sampled_from(["{0}{2}{1}", "{0}{2}{1}{2}age", "{1}{2}{0}", "note{2}{0}{2}{1}"]),
        "empty_rows": st.booleans(),
        "says_separator": st.booleans(),
    }
)


def save(path, form):
    """The same table of four videos in a form that some spreadsheet writes."""
    between, end = form["separator"], form["end"]
    columns = [name.strip() for name in form["header"].format("video_id", "Subject_ID ", between).split(between)]
    lines = [f"sep={between.strip() or between}"] if form["says_separator"] else []
    lines.append(between.join(columns))
    for number, name in zip((1, 2, 3, 54), NAMES, strict=True):
        cells = {"video_id": f'"{form["number"].format(number)}"', "Subject_ID": f'"{name}"'}
        lines.append(between.join(cells.get(column, "7") for column in columns))
        if form["empty_rows"]:
            lines += ["", between.strip() * (len(columns) - 1)]
    path.write_bytes((end.join(lines) + end).encode(form["encoding"]))
    return path


@settings(max_examples=60, deadline=None)
@given(FORMS)
def test_any_form_of_a_spreadsheet_gives_the_same_people(tmp_path_factory, form):
    subjects = Subjects(save(tmp_path_factory.mktemp("t") / "who.csv", form), subject_is_video=False)
    assert [subjects.of(video) for video in ("0001", "0002", "0003", "0054")] == NAMES
    problems = Problems()
    subjects.check(dict.fromkeys(("0001", "0002", "0003", "0054"), "train"), problems)
    assert not problems.fatal and bool(problems.notes) == (form["encoding"] == "cp1252")


def test_one_person_whether_an_accent_is_part_of_the_letter_or_not(tmp_path):
    (tmp_path / "who.csv").write_text("video_id,subject_id\n1,M\u00fcller\n1,Mu\u0308ller\n", encoding="utf-8")
    assert read_subjects(tmp_path / "who.csv") == {"1": "M\u00fcller"}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", r"line 1: no column subject_id; expected video_id,subject_id"),
        (b"sep=;\nvideo_id;person\n1;A\n", r"line 2: no column subject_id"),
        (b"video_id,subject_id\n\n1,A\n2,\n", r"line 4: video_id or subject_id is empty"),
        (b'video_id,subject_id\n1,"A\n2,B\n', r"line \d: no row of a csv"),
        (b"video_id,subject_id\n1,A\n0001.0,B\n", r"line 3: video 0001.0 has the subjects A and B"),
        (b"PK\x03\x04\x14\x00\x06\x00xl/workbook.xml", r"a spreadsheet's own format.*CSV UTF-8"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00\x00", r"a spreadsheet's own format.*CSV UTF-8"),
        ("video_id,subject_id\n1,Müller\n".encode("mac-roman"), r"line 2: byte 0x9f"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(tmp_path, data, expected):
    (tmp_path / "who.csv").write_bytes(data)
    with pytest.raises(InputError, match=rf"who\.csv.*{expected}") as caught:
        read_subjects(tmp_path / "who.csv")
    assert "\n" not in str(caught.value)
