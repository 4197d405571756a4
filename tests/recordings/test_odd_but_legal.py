"""Bad clips left out on request, and odd recordings that are legal.

Alone: python -m pytest tests/recordings/test_odd_but_legal.py
"""

from pathlib import Path

import numpy as np

from miga.clips import load_clips
from recordings.prepare import main
from tests.recordings.on_disk import (
    fails,
    kinect,
    person,
    write_imigue_video,
    write_rows,
    write_smg_video,
    write_video,
)

TRAIN = Path("data/imigue_skeleton_train")


# Left out on request


def test_bad_clips_are_counted_listed_and_left_out(data, capsys):
    write_rows(TRAIN / "0001/0001_label.csv", [(1, 0, 19), (77, 20, 40), (31, 41, 41), (3, 50, 60)])
    (TRAIN / "0002/0002_light_hand.csv").write_text("")
    main(["--run", "r", "--track1", "data", "--skip-bad-clips"])
    clips = load_clips("r", "track1")
    assert list(clips.table.clip_id) == ["0001_0", "0001_2", "0003_0", "0054_0", "0054_1"]
    assert [item["what"] for item in clips.meta["left_out"]] == ["0001_1", "0001_3", "0002"]
    out = capsys.readouterr().out
    assert "3 by --skip-bad-clips" in out and "0001_1: data/imigue_skeleton_train/0001/0001_label.csv line 2" in out


def test_a_broken_video_is_left_out(data):
    write_video(data / "rgb/0001.mp4", 30)
    main(["--run", "r", "--track1", "data", "--skip-bad-clips"])
    clips = load_clips("r", "track1")
    assert [item["what"] for item in clips.meta["left_out"]] == ["0001_1", "0001_2"]
    assert "0001_0" in set(clips.table.clip_id)


def test_clashes_cannot_be_left_out(data):
    (data / "subjects.csv").write_text("video_id,subject_id\n1,A\n2,B\n3,B\n54,B\n")
    assert "subject B" in fails("--skip-bad-clips")


def test_nothing_left_to_train_on(workdir):
    write_imigue_video(workdir / "data", "train", "0001", person(9), [(55, 0, 8)])
    assert "not a single labelled training clip is left" in fails("--skip-bad-clips")


# Legal oddities


def test_nobody_in_view_is_legal(data, capsys):
    """All-zero skeletons keep their row and are counted."""
    write_imigue_video(data, "train", "0004", np.zeros((30, 35, 3)), [(5, 0, 9), (6, 10, 10)])
    main(["--run", "r", "--track1", "data"])
    clips = load_clips("r", "track1")
    index = list(clips.table.clip_id).index("0004_0")
    assert clips.joints_of(index).shape == (10, 1, 22, 3) and not clips.joints_of(index).any()
    assert "clips with nobody in view: 2" in capsys.readouterr().out


def test_nobody_in_view_anywhere_is_legal(workdir):
    write_imigue_video(workdir / "data", "train", "0001", np.zeros((30, 35, 3)), [(5, 0, 9)])
    main(["--run", "r", "--track1", "data"])
    assert len(load_clips("r", "track1")) == 1


def test_one_frame_clip_is_legal(data):
    main(["--run", "r", "--track1", "data"])
    clips = load_clips("r", "track1")
    index = list(clips.table.clip_id).index("0001_2")
    assert clips.joints_of(index).shape == (1, 1, 22, 3)


def test_one_frame_recording_is_legal(workdir):
    write_smg_video(workdir / "data", "Sample0001", kinect(1), [(1, 1, 1)])
    main(["--run", "r", "--track2", "data"])
    assert list(load_clips("r", "track2").table.num_frames) == [1]


def test_windows_line_ends_and_byte_order_mark_are_legal(data):
    for path in (TRAIN / "0001/0001_label.csv", TRAIN / "0001/0001_light_hand.csv"):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    main(["--run", "r", "--track1", "data"])
    assert list(load_clips("r", "track1").table.label[:3]) == [0, 31, 30]
