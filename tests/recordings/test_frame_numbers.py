"""Rows go to the frames they name. Alone: python -m pytest -n 0 tests/recordings/test_frame_numbers.py"""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from miga.clips import load_clips
from miga.errors import InputError
from recordings.prepare import main
from recordings.readers.frame_numbers import first_number, place_rows
from recordings.recording import Problems
from tests.recordings.on_disk import person, write_imigue

CSV = Path("0001_light_hand.csv")
FIRST = Path("data/imigue_skeleton_train/0001/0001_light_hand.csv")


def placed(cells: list[str], first: int = 0) -> tuple[list[int], list[str]]:
    """Row i holds i + 1; returns what is in each frame, 0 where nothing is, and the notes."""
    rows = np.arange(1, len(cells) + 1, dtype=np.float32)[:, None, None, None]
    problems = Problems()
    return place_rows(rows, CSV, cells, first, problems).ravel().astype(int).tolist(), problems.notes


@given(st.permutations(range(30)), st.integers(0, 1), st.data())
def test_every_row_is_at_its_frame(order, first, data):
    frames = order[: data.draw(st.integers(3, 30))]
    if not (np.diff(sorted(frames)) == 1).any():
        frames = [*range(10)]
    found, _ = placed([str(frame + first) for frame in frames], first)
    assert len(found) == max(frames) + 1
    assert all(found[frame] == row for row, frame in enumerate(frames, start=1))
    assert sum(value == 0 for value in found) == len(found) - len(frames)


def test_gaps_and_disorder_are_noted():
    assert placed(["0", "1", "2"]) == ([1, 2, 3], [])
    assert placed(["1.0", " 2", "3"], 1) == ([1, 2, 3], [])
    found, notes = placed(["0", "1", "4"])
    assert found == [1, 2, 0, 0, 3] and notes == [f"{CSV}: 2 of 5 frames have no row: nobody in view"]
    found, notes = placed(["1", "0", "2"])
    assert found == [2, 1, 3] and "put in order" in notes[0]
    assert placed(["7"])[0] == [0] * 7 + [1]


@pytest.mark.parametrize("cells", [["5", "5", "5"], ["a.jpg", "b.jpg"], ["0.00", "0.04", "0.08"], ["", ""]])
def test_a_column_that_counts_nothing_is_noted(cells):
    found, notes = placed(cells)
    assert found == list(range(1, len(cells) + 1)) and "does not count frames" in notes[0]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["0", "1", "1", "2"], "line 3: frame number 1 is in line 2 too"),
        (["0", "40", "80"], "frame numbers go up by 40 or more"),
        (["0", "1", "x"], "line 3: frame number 'x', expected a whole number from 0"),
        (["0", "-1", "2"], "line 2: frame number '-1'"),
        (["0", "1", "1e300"], "line 3: frame number '1e300'"),
        (["0", "1", "nan"], "line 3: frame number 'nan'"),
    ],
)
def test_numbers_that_cannot_be_are_one_sentence(cells, expected):
    with pytest.raises(InputError) as caught:
        placed(cells)
    assert f"{CSV}" in str(caught.value) and expected in str(caught.value)


def test_a_data_set_counts_from_one_number(tmp_path):
    paths = []
    for name, text in (("a", "1,2\n"), ("b", "7,2\n"), ("c", "x\n"), ("d", "")):
        paths.append(tmp_path / name)
        paths[-1].write_text(text)
    assert first_number(paths) == 1 and first_number(paths[1:]) == 0 and first_number([]) == 0
    (tmp_path / "e").write_bytes(b"\xef\xbb\xbf0,5\r\n")
    assert first_number([*paths, tmp_path / "e"]) == 0


def test_labels_count_frames_and_not_rows(workdir):
    write_imigue(workdir / "data")
    lines = FIRST.read_text().splitlines()
    FIRST.write_text("\n".join(lines[:10] + lines[15:]) + "\n")
    main(["--run", "r", "--track1", "data"])
    joints = load_clips("r", "track1").joints_of_video("0001")[:, 0]
    assert len(joints) == 60 and not joints[10:15].any()
    np.testing.assert_allclose(joints[30, 0], person(60)[30, 0], rtol=1e-5)
    FIRST.write_text("\n".join([*lines[:10], lines[9], *lines[11:]]) + "\n")
    with pytest.raises(InputError, match="line 11: frame number 9 is in line 10 too"):
        main(["--run", "r", "--track1", "data"])
