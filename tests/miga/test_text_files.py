"""Bytes to text. Alone: python -m pytest -n 0 tests/miga/test_text_files.py"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miga.errors import InputError
from miga.text_files import read_encoded_text, read_text

UNICODE = ("utf-8", "utf-8-sig", "utf-16", "utf-32")
LINES = st.text(st.characters(codec="utf-8", exclude_characters="\0\ufeff"), max_size=60)


@given(LINES, st.sampled_from(UNICODE))
def test_unicode_text_comes_back_whatever_form_it_was_saved_in(tmp_path_factory, text, encoding):
    path = tmp_path_factory.mktemp("text") / "a.csv"
    path.write_bytes(text.encode(encoding))
    assert read_text(path) == text


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_without_its_mark_is_known_by_its_zero_bytes(tmp_path, encoding):
    path = tmp_path / "a.csv"
    path.write_bytes("video_id,subject_id\n0001,Иванов\n".encode(encoding))
    assert read_text(path) == "video_id,subject_id\n0001,Иванов\n"


@pytest.mark.parametrize("name", ["Müller", "Gonçalves", "Ångström", "créée", "Škoda", "Œuvre", "ÖZ"])
def test_western_names_of_a_windows_spreadsheet(tmp_path, name):
    path = tmp_path / "a.csv"
    path.write_bytes(f"0001;{name}\r\n".encode("cp1252"))
    assert read_encoded_text(path) == (f"0001;{name}\r\n", "cp1252")


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("Müller", "mac-roman"),
        ("Müller", "cp850"),
        ("Иванов", "cp1251"),
        ("Иванов", "koi8-r"),
        ("Łukasz", "cp1250"),
        ("Γιώργος", "cp1253"),
        ("山田", "shift-jis"),
        ("李明", "gbk"),
    ],
)
def test_an_encoding_that_cannot_be_told_is_refused_with_its_line(tmp_path, name, encoding):
    path = tmp_path / "who.csv"
    path.write_bytes(f"video_id,subject_id\n0001,{name}\n".encode(encoding))
    with pytest.raises(InputError, match=r"who\.csv line 2: byte 0x.*UTF-8"):
        read_text(path)


def test_what_is_no_text_is_one_sentence(tmp_path):
    (tmp_path / "zeros.csv").write_bytes(b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        \x00\x02\xb0\xff\x00\x00")
    (tmp_path / "odd.csv").write_bytes("a".encode("utf-16") + b"x")
    for name in ("zeros.csv", "odd.csv", "none.csv"):
        with pytest.raises(InputError, match=name):
            read_text(tmp_path / name)
