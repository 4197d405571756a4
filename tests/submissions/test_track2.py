"""The track 2 CSV, read alike by the check and the scorer: python -m pytest tests/submissions/test_track2.py"""

import json

import pytest

from miga.errors import InputError
from miga.files import write_json
from miga.frame_base import FrameBase
from miga.paths import clips_dir, submission_csv
from report.summary import track2_rows
from spotting.blend import submission_table
from spotting.job import gestures_of
from spotting.label_files import read_segments
from spotting.score import main as score
from submissions.check import check_submission
from submissions.check import main as check
from submissions.track2 import read_track2
from tests.spotting.tiny_videos import tiny_videos, write_tiny_videos
from tests.tiny import write_clips

HEAD = "video,class,start,end,score\n"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("v,8,10,29,nan\n", r"row 2: score is 'nan', expected a number"),
        ("v,8,10,29,\n", r"row 2: score is '', expected a number"),
        ("v,8,10,29,0.5\nv,8,10,29,inf\n", r"row 3: score is 'inf'"),
        ("v,8,10,99999999999999999999,0.5\n", r"row 2: end is '9+', expected a whole number of up to 9 digits"),
        ("v,99999999999999999999,10,20,0.5\n", "row 2: class is '9+'"),
        ("v,8.5,10,20,0.5\n", "row 2: class is '8.5'"),
        ("v,8,-1,20,0.5\n", "row 2: start is '-1'"),
        ("v,8,29,10,0.5\n", "row 2: start 29 is after end 10"),
        ("\nv,8,10,20,0.5\n ,8,10,20,0.5\n", "row 4: the video has no name"),
        ("v,8,10,29,0.9\nv,8,10,29,0.9,7,8\n", "row 3: 7 cells, expected 5 as in row 1"),
    ],
)
def test_the_check_refuses_what_the_scorer_refuses(tmp_path, rows, message):
    path = tmp_path / "p.csv"
    path.write_text(HEAD + rows)
    for read in (check_submission, lambda path: read_segments(path, FrameBase(1))):
        with pytest.raises(InputError, match=message):
            read(path)


def test_odd_but_legal_segments(tmp_path):
    path = tmp_path / "p.csv"
    path.write_bytes(b"\xef\xbb\xbfnote,score,end,start,class,video\r\n,1e-3,10,10,0,0007\r\n\r\n")
    table = read_track2(path, FrameBase(1))
    assert table.values.tolist() == [["0007", 0, 10, 10, 0.001]]
    path.write_text("video,class,start,end\nv,1,1,2\n")
    assert read_track2(path, FrameBase(1)).score.tolist() == [1.0]
    path.write_text(HEAD)
    assert check_submission(path).endswith("valid, 0 segments in 0 videos, frames counted from 1")


def test_a_file_without_a_header_is_said_to_lack_it(tmp_path):
    path = tmp_path / "p.csv"
    path.write_text("Sample0036,8,10,29,0.9\n")
    with pytest.raises(InputError, match="expected a header"):
        check_submission(path)


@pytest.mark.parametrize("first", [0, 1])
def test_the_frame_base_travels_from_the_reader_to_the_writer_the_check_and_the_scorer(workdir, capsys, first):
    clips = write_tiny_videos(first_frame=first)
    videos = clips.videos.video_id[:2].tolist()
    clips.table.loc[clips.table.index[0], ["start_frame", "row_offset"]] = 0
    submission_table(clips, {v: gestures_of(clips, v) for v in videos}).to_csv(path := "mine.csv", index=False)
    rows = [line.split(",") for line in (workdir / path).read_text().splitlines()[1:]]
    assert min(int(row[2]) for row in rows) == first and {row[1] for row in rows} == {"3", "5"}
    labels = "".join(f"{code},{start},{end}\n" for video, code, start, end, _ in rows if video == videos[0])
    name = f"{videos[0]}_label.csv" if first == 0 else f"{videos[0]}_finelabels.csv"
    (workdir / "truth").mkdir()
    (workdir / "truth" / name).write_text(labels)
    score(["--truth", "truth", "--pred", path])  # the label files say how they count
    assert json.loads(capsys.readouterr().out)["recall"] == 1.0
    for command in (["--run", "tiny"], ["--first-frame", str(first)]):
        check([path, *command])
        assert f"frames counted from {first}" in capsys.readouterr().out
        score(["--truth", path, "--pred", path, *command])
        assert json.loads(capsys.readouterr().out)["f1"] == 1.0
    other = ["--first-frame", str(1 - first)]
    if first == 0:
        with pytest.raises(InputError, match="row 2: start is 0, but frames count from 1"):
            check([path, *other])


@pytest.mark.parametrize("first", [0, 1])
def test_the_report_and_the_check_know_the_base_of_a_runs_own_file(workdir, capsys, first):
    clips = tiny_videos(first_frame=first)
    clips.table.loc[clips.table.video_id == "0004", "split"] = "test"  # a test video whose labels are known
    clips.table.loc[clips.table.clip_id == "0004_0", "start_frame"] = 0
    write_clips(clips, "tiny", "track2")
    own = submission_csv("tiny", "track2")
    own.parent.mkdir(parents=True)
    submission_table(clips, {"0004": gestures_of(clips, "0004")}).to_csv(own, index=False)
    write_json(workdir / "spotting/tiny/thresholds.json", {"out_of_fold": None})
    assert track2_rows("tiny", None)["test"]["strict"]["f1"] == 1.0
    assert track2_rows("tiny", None)["test"]["organiser"]["f1"] == 1.0
    check([str(own)])
    assert f"frames counted from {first}" in capsys.readouterr().out
    (clips_dir("tiny", "track2") / "meta.json").unlink()
    if first == 1:
        check([str(own)])  # without the recordings, as from anywhere else
