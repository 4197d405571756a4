"""SMG folders into clips. Alone: python -m pytest tests/recordings/test_smg.py"""

import numpy as np
import pytest

from miga.clips import load_clips
from recordings.prepare import main
from recordings.readers.smg import read_skeleton_csv
from tests.recordings.on_disk import fails, kinect, write_rows, write_smg, write_smg_video, write_video


def test_frames_count_from_one(workdir):
    """Label rows 1..10 are rows 0..9 of the file; the first sequence number of the official test is 36."""
    write_smg(workdir / "data")
    main(["--run", "r", "--track2", "data"])
    clips = load_clips("r", "track2")
    table = clips.table.set_index("clip_id")
    assert list(table.index) == ["Sample0001_0", "Sample0001_1", "Sample0002_0", "Sample0036_0"]
    assert list(table.start_frame) == [0, 19, 4, 1] and list(table.num_frames) == [10, 31, 5, 29]
    assert list(table.label) == [0, 16, 1, 0]
    assert list(table.split) == ["train", "train", "train", "test"]
    assert list(table.subject_id) == ["Sample0001", "Sample0001", "Sample0002", "Sample0036"]
    assert clips.meta["first_frame"] == 1 and set(clips.videos.fps) == {28.0}
    expected = kinect(50)[19:50, :, [7, 8]]
    np.testing.assert_allclose(clips.joints_of(1)[:, 0, :, :2], expected, rtol=1e-5)


def test_a_joint_is_seen_where_any_value_is_not_zero(tmp_path):
    """Infinite pixels, as the Kinect writes for joints out of its view, are missing too."""
    values = kinect(4)
    values[0, 3] = 0
    values[1, 4, 7:9] = 0
    values[2, 5, :3] = 0
    folder = write_smg_video(tmp_path, "Sample0001", values, None)
    path = folder / "Sample0001_skeleton.csv"
    text = path.read_text().splitlines()
    cells = text[3].split(",")
    cells[7], cells[8] = "-inf", "-inf"
    path.write_text("\n".join([*text[:3], ",".join(cells)]) + "\n")
    joints = read_skeleton_csv(path)[:, 0]
    assert joints.shape == (4, 25, 3) and np.isfinite(joints).all()
    assert not joints[0, 3].any() and not joints[1, 4].any() and not joints[3, 0].any()
    assert joints[2, 5, 2] == 1 and joints[0, 0, 2] == 1


@pytest.mark.parametrize(
    ("wanted", "expected"), [("2", {"Sample0002"}), ("Sample0001,30-40", {"Sample0001", "Sample0036"})]
)
def test_a_person_may_choose_the_test(workdir, wanted, expected):
    write_smg(workdir / "data")
    main(["--run", "r", "--track2", "data", "--test-videos", wanted])
    videos = load_clips("r", "track2").videos
    assert set(videos.video_id[videos.split == "test"]) == expected


def test_sequences_without_labels_are_the_test(workdir):
    write_smg(workdir / "data")
    write_smg_video(workdir / "data", "Sample0003", kinect(20), None)
    main(["--run", "r", "--track2", "data"])
    clips = load_clips("r", "track2")
    assert set(clips.videos.video_id[clips.videos.split == "test"]) == {"Sample0003", "Sample0036"}
    assert "Sample0003" not in set(clips.table.video_id)


def test_part_folders_and_rgb(workdir):
    """Folder names say the split, whatever the number; the long mp4 is found by its name."""
    write_smg(workdir / "data/smg_data_phase1/smg_skeleton_train")
    write_smg_video(workdir / "data/smg_skeleton_test", "Sample0039", kinect(25), [(3, 1, 25)])
    write_video(workdir / "data/SMG_RGB_Phase1/train/Sample0001/Sample0001_color.mp4", 50)
    main(["--run", "r", "--track2", "data"])
    clips = load_clips("r", "track2")
    table = clips.table.set_index("clip_id")
    assert set(clips.videos.video_id[clips.videos.split == "test"]) == {"Sample0039"}
    assert table.frames_path["Sample0001_1"].endswith("Sample0001_color.mp4")
    assert table.frames_start["Sample0001_1"] == 19


def test_picture_size_by_the_coordinates(workdir):
    """Without RGB: the smallest camera size that holds 95 % of the points."""
    small = kinect(20)
    small[..., 7:9] /= 3
    write_smg_video(workdir / "data", "Sample0001", small, [(1, 1, 20)])
    main(["--run", "r", "--track2", "data"])
    clips = load_clips("r", "track2")
    assert (clips.table.width[0], clips.table.height[0]) == (640, 480)
    assert clips.meta["frame_size_from"] == "coordinates"


def test_frame_rate_when_the_data_file_is_missing(workdir):
    write_smg(workdir / "data")
    (workdir / "data/Sample0001/Sample0001_data.csv").unlink()
    write_rows(workdir / "data/Sample0002/Sample0002_data.csv", [(60, 15, 3000)])
    main(["--run", "r", "--track2", "data"])
    assert list(load_clips("r", "track2").videos.fps) == [28.0, 15.0, 28.0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("40,29.97,4000\n\n", 29.97), (" 60, 15, 3000 \r\n", 15), ("60,15", 15), ("60,15,3000,\n", 15)],
)
def test_frame_rates_as_people_write_them(workdir, text, expected):
    write_smg(workdir / "data")
    (workdir / "data/Sample0001/Sample0001_data.csv").write_text(text)
    main(["--run", "r", "--track2", "data"])
    assert load_clips("r", "track2").videos.fps[0] == expected


@pytest.mark.parametrize(
    "text", ["40,inf,4000", "40,nan,4000", "40,0,4000", "40,29,97,4000", "numFrames,fps,maxDepth", "40;28;4000", ""]
)
def test_a_frame_rate_that_is_none(workdir, text):
    write_smg(workdir / "data")
    (workdir / "data/Sample0001/Sample0001_data.csv").write_text(text)
    assert f"Sample0001_data.csv line 1: expected numFrames,fps,maxDepth, got {text!r}" in fails(track="track2")


@pytest.mark.parametrize("end", ["", "\n\n", "\r\n  \r\n"])
def test_empty_lines_at_the_end_are_nothing(workdir, end):
    write_smg(workdir / "data")
    for path in (workdir / "data/Sample0001").iterdir():
        path.write_text(path.read_text().rstrip("\n") + end)
    main(["--run", "r", "--track2", "data"])
    assert list(load_clips("r", "track2").videos.num_frames) == [50, 60, 30]


def test_real_layout(workdir, shared_data):
    """Real Kinect sequences: 20 videos, 199 gestures, 33,652 rows, ten holes with nobody tracked."""
    main(["--run", "r", "--track2", str(shared_data / "utkinect_smg"), "--test-videos", "13-20"])
    clips = load_clips("r", "track2")
    assert (len(clips), len(clips.videos), len(clips.joints)) == (199, 20, 33652)
    assert int((clips.joints[:, 0, :, 2] == 0).all(1).sum()) == 896
    assert int((clips.videos.split == "test").sum()) == 8


def test_rgb_of_a_test_sequence(workdir, capsys):
    """A sequence without clips has its RGB checked too; one that ends early is noted."""
    write_smg(workdir / "data")
    write_smg_video(workdir / "data", "Sample0037", kinect(20), None)
    write_video(workdir / "data/Sample0037_color.mp4", 15)
    main(["--run", "r", "--track2", "data"])
    videos = load_clips("r", "track2").videos.set_index("video_id")
    assert videos.frames_path["Sample0037"] == "data/Sample0037_color.mp4" and videos.frames_path["Sample0001"] == ""
    assert "15 frames for 20 skeleton rows" in capsys.readouterr().out
    (workdir / "data/Sample0037_color.mp4").write_bytes(b"")
    main(["--run", "r", "--track2", "data"])
    assert "Sample0037: data/Sample0037_color.mp4: the video file is empty" in capsys.readouterr().out
