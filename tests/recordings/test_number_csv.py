"""Rows of numbers, never cut. Alone: python -m pytest -n 0 tests/recordings/test_number_csv.py"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from miga.errors import InputError
from recordings.readers.number_csv import read_numbers, read_rows

COLUMNS = np.array([1, 2, 3])
ROW = "0,1.5,2.5,3.5"


def read(path, text, allow_nan=False):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_numbers(path, read_rows(path, 4), COLUMNS, allow_nan)


@given(
    st.lists(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=5, max_size=5), min_size=1),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["", "\n", "\n\n", "  \n", "\r\n\r\n"]),
)
def test_the_numbers_of_the_file(tmp_path_factory, rows, between, end):
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    values = read(path, between.join(",".join(map(repr, row)) for row in rows) + end)
    np.testing.assert_array_equal(values, np.array(rows, np.float32)[:, 1:4])


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([ROW, ROW, ROW + ROW, ROW], "line 3: 7 columns, expected 4 as in the other lines"),
        ([ROW, ROW, ROW + "," + ROW, ROW], "line 3: 8 columns, expected 4"),
        (["0,1,024.5,2,3", ROW, ROW], "line 1: 5 columns, expected 4"),
        ([ROW, "0,1,5,2.5,3.5", ROW], "line 2: 5 columns, expected 4"),
        ([ROW, "0,1.5", ROW], "line 2: 2 columns, expected at least 4"),
        ([ROW, "", ROW], "line 2: an empty line between the rows"),
        ([ROW, "  ", ROW], "line 2: an empty line between the rows"),
        (["1,2,3"] * 3, "line 1: 3 columns, expected at least 4"),
        (["0,1,5,2,5,3,5"] * 3, "line 1: 7 columns and no decimal point, expected 4"),
        ([ROW, "0,1.5,left,3.5"], "line 2 column 3: expected a number, got 'left'"),
        ([ROW, "0,1.5,inf,3.5"], "line 2 column 3: expected a number, got 'inf'"),
        ([ROW, "0,1.5,,3.5"], "line 2 column 3: expected a number, got ''"),
        (["0;1.5;2.5;3.5"], "line 1: 1 columns, expected at least 4"),
        (["", ""], "the file is empty"),
    ],
)
def test_rows_of_another_length_are_never_cut(tmp_path, lines, expected):
    with pytest.raises(InputError) as caught:
        read(tmp_path / "a.csv", "\n".join(lines) + "\n")
    assert f"{tmp_path / 'a.csv'}" in str(caught.value) and expected in str(caught.value)


def test_more_columns_in_all_rows_are_legal(tmp_path):
    np.testing.assert_array_equal(read(tmp_path / "a.csv", f"{ROW},9\n{ROW},8\n"), [[1.5, 2.5, 3.5]] * 2)
    assert read(tmp_path / "a.csv", "0,1.5,2,3,4,5,6,7,8,9\n").tolist() == [[1.5, 2, 3]]


def test_what_a_kinect_could_not_map_is_a_value(tmp_path):
    values = read(tmp_path / "a.csv", "0,-inf,2,\n0,nan,-Infinity,3\n", allow_nan=True)
    assert np.isfinite(values).tolist() == [[False, True, False], [False, False, True]]
    with pytest.raises(InputError, match=r"line 1 column 2: expected a number, got '-1\.#INF'"):
        read(tmp_path / "a.csv", "0,-1.#INF,2,3\n", allow_nan=True)


def test_other_encodings(tmp_path):
    for encoding in ("utf-8-sig", "utf-16"):
        assert read(tmp_path / "a.csv", ROW.encode(encoding)).tolist() == [[1.5, 2.5, 3.5]]
