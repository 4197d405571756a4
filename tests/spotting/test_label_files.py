"""Label files that a submission is scored against: python -m pytest tests/spotting/test_label_files.py"""

import pytest

from miga.errors import InputError
from miga.frame_base import FrameBase
from spotting.label_files import read_segments, read_truth


@pytest.mark.parametrize(("name", "first"), [("Sample0007_finelabels.csv", 1), ("0007_label.csv", 0)])
def test_each_kind_counts_frames_in_its_own_way(tmp_path, name, first):
    (tmp_path / "deep" / "below").mkdir(parents=True)
    (tmp_path / "deep" / "below" / name).write_text(f"3,{first},{first + 9}\n17,{first + 20},{first + 20}\n")
    truth, base = read_truth(tmp_path, FrameBase(5))
    (segments,) = truth.values()
    assert base == FrameBase(first) and list(truth) == [name.split("_")[0]]
    assert segments.start.tolist() == [0, 20] and segments.end.tolist() == [10, 21]
    assert segments.label.tolist() == [3, 17] and segments.score.tolist() == [1, 1]


@pytest.mark.parametrize("first", [0, 1])
def test_a_csv_counts_as_it_is_said(tmp_path, first):
    (tmp_path / "t.csv").write_text(f"video,class,start,end\nb,3,{first},9\na,3,{first},9\nb,4,5,6\n")
    truth, base = read_truth(tmp_path / "t.csv", FrameBase(first))
    assert base == FrameBase(first) and list(truth) == ["b", "a"] and len(truth["b"]) == 2
    assert truth["a"].start.tolist() == [0] and truth["a"].end.tolist() == [10 - first]
    (tmp_path / "t.csv").write_text("video,class,start,end\n")
    assert read_segments(tmp_path / "t.csv", base) == {}


@pytest.mark.parametrize(
    "content",
    [
        b"8,10,29\n3,50,80\n",
        b"\xef\xbb\xbf8,10,29\r\n 3 , 50 , 80 \r\n\r\n\r\n",
        b"3,50,80\n8,10,29",
    ],
)
def test_legal_forms_of_one_file(tmp_path, content):
    (tmp_path / "S1_finelabels.csv").write_bytes(content)
    segments = read_truth(tmp_path, FrameBase(1))[0]["S1"]
    assert sorted(zip(segments.label, segments.start, segments.end, strict=True)) == [(3, 49, 80), (8, 9, 29)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"1,2\n", "row 1: expected three integers class,start,end, got '1,2'"),
        (b"8,10,29\n8,29,10\n", r"row 2: expected 1 <= start <= end, got \(8, 29, 10\)"),
        (b"8,0,29\n", "row 1: expected 1 <= start <= end"),
        (b"8,10,29\n\n8,30,39\n", "row 2: expected three integers"),
        (b"8,10,99999999999999999999\n", "row 1: expected 1 <= start <= end"),
        (b"99999999999999999999,10,29\n", "row 1: expected"),
        ("8,10,29\n".encode("utf-16"), r"S1_finelabels\.csv: saved in UTF-16-LE, expected UTF-8"),
    ],
)
def test_a_wrong_row_is_named(tmp_path, content, message):
    (tmp_path / "S1_finelabels.csv").write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_truth(tmp_path, FrameBase(1))


def test_folders_that_cannot_be_scored(tmp_path):
    with pytest.raises(InputError, match="found none"):
        read_truth(tmp_path, FrameBase(1))
    with pytest.raises(InputError, match="no such file"):
        read_truth(tmp_path / "absent", FrameBase(1))
    for folder in ("a", "backup"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "S1_finelabels.csv").write_text("8,10,29\n")
    with pytest.raises(InputError, match=r"backup/S1_finelabels\.csv: video S1 has another label file"):
        read_truth(tmp_path, FrameBase(1))
    (tmp_path / "backup" / "S1_finelabels.csv").rename(tmp_path / "backup" / "0001_label.csv")
    with pytest.raises(InputError, match="found both kinds"):
        read_truth(tmp_path, FrameBase(1))
