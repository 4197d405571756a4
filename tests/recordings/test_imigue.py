"""iMiGUE folders into clips. Alone: python -m pytest tests/recordings/test_imigue.py"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from miga.clips import load_clips
from miga.skeletons import IMIGUE_22
from recordings.folders import select_videos, source_split_of
from recordings.joint_statistics import JointStatistics
from recordings.prepare import main
from recordings.readers.imigue import COLUMNS, POINTS, read_light_hand_csv
from recordings.recording import Problems
from tests.recordings.on_disk import person, write_imigue, write_imigue_video, write_picture, write_rows, write_video


@pytest.fixture
def prepared(workdir):
    write_imigue(workdir / "data")
    main(["--run", "r", "--track1", "data"])
    return load_clips("r", "track1")


def test_clips_and_labels(prepared):
    table = prepared.table.set_index("clip_id")
    assert list(table.index) == ["0001_0", "0001_1", "0001_2", "0002_0", "0003_0", "0054_0", "0054_1"]
    assert list(table.label) == [0, 31, 30, 0, 1, 1, 31]
    assert list(table.num_frames) == [20, 21, 1, 26, 40, 10, 40]
    assert list(table.start_frame) == [0, 20, 41, 5, 0, 0, 10]
    assert list(table.split) == ["train"] * 5 + ["test"] * 2
    assert table.source_split["0003_0"] == "validate"
    assert (table.subject_id == "").all()
    assert set(zip(table.width, table.height, strict=True)) == {(1280, 720)}
    assert prepared.meta["first_frame"] == 0 and prepared.meta["codes"][31] == 99


def test_joints_are_the_points_of_the_file(prepared):
    """Column 0 is skipped, hips and feet are dropped, nothing else is touched."""
    expected = person(60)[20:41][:, list(POINTS)]
    index = int(np.flatnonzero(prepared.table.clip_id == "0001_1")[0])
    np.testing.assert_allclose(prepared.joints_of(index)[:, 0], expected, rtol=1e-5)
    whole = prepared.joints_of_video("0001")
    assert whole.shape == (60, 1, 22, 3) and np.array_equal(whole[20:41], prepared.joints_of(index))


def test_joint_order_is_that_of_the_skeleton():
    """The table of the formats: eyes and ears are points 15-18, the finger groups 25-34."""
    names = dict(zip(IMIGUE_22.joints, POINTS, strict=True))
    assert (names["neck"], names["wrist_a"], names["eye_a"], names["ear_b"]) == (1, 4, 15, 18)
    assert names["finger_b1"] == 25 and names["finger_a5"] == 34
    assert COLUMNS[0] == 1 and COLUMNS[-1] == 105


@pytest.mark.parametrize("swapped", [False, True])
def test_fingers_go_to_the_nearer_wrist(workdir, swapped):
    """Whatever the file calls them, joints 12-16 end at wrist 7."""
    for part, video in (("train", "0001"), ("test", "0002")):
        points = person(30, seed=int(video))
        if swapped:
            points[:, 25:35] = np.roll(points[:, 25:35], 5, axis=1)
        write_imigue_video(workdir / "data", part, video, points, [(1, 0, 29)])
    main(["--run", "r", "--track1", "data"])
    clips = load_clips("r", "track1")
    joints = np.asarray(clips.joints)[:, 0]
    assert clips.meta["fingers_swapped"] is swapped
    assert np.linalg.norm(joints[:, 12:17, :2] - joints[:, 7:8, :2], axis=-1).max() < 30
    assert np.linalg.norm(joints[:, 17:22, :2] - joints[:, 4:5, :2], axis=-1).max() < 30


def test_fingers_are_decided_by_the_majority_of_videos():
    statistics = JointStatistics(IMIGUE_22, measure_fingers=True)
    straight = person(10)[:, None, list(POINTS)].astype(np.float32)
    crossed = straight.copy()
    crossed[:, :, 12:22] = np.roll(crossed[:, :, 12:22], 5, axis=2)
    for joints in (straight, crossed, np.repeat(straight, 1, axis=0), np.zeros_like(straight)):
        statistics.add(joints)
    assert (statistics.num_straight, statistics.num_swapped, statistics.fingers_swapped) == (2, 1, False)


def test_missing_points_are_zero(tmp_path):
    """No score, or a position at 0, 0, means that the point was not seen."""
    points = person(4)
    points[0, 0] = (300, 200, 0)
    points[1, 1] = (0, 0, 0.7)
    points[2, :] = 0
    points[3, 0, 2] = 1.0001
    folder = write_imigue_video(tmp_path, "train", "0001", points, None)
    joints = read_light_hand_csv(folder / "0001_light_hand.csv", 0, Problems())[:, 0]
    assert not joints[0, 0].any() and not joints[1, 1].any() and not joints[2].any()
    assert joints[3, 0, 2] == 1


def test_extra_columns_are_ignored(tmp_path):
    points = person(3)
    rows = [[i, *map(float, frame.reshape(-1)), 5, 6, 7] for i, frame in enumerate(points)]
    joints = read_light_hand_csv(write_rows(tmp_path / "0001_light_hand.csv", rows), 0, Problems())
    np.testing.assert_allclose(joints[:, 0], points[:, list(POINTS)], rtol=1e-5)


def test_impossible_test_codes_make_test_labels_unknown(workdir, capsys):
    """One code that is no class shows that the column is a dummy; the segments stay."""
    write_imigue(workdir / "data")
    write_rows(workdir / "data/imigue_skeleton_test/0054/0054_label.csv", [(2, 0, 9), (0, 10, 49)])
    main(["--run", "r", "--track1", "data"])
    table = load_clips("r", "track1").table
    assert list(table.label[table.split == "test"]) == [-1, -1]
    assert "labels are unknown" in capsys.readouterr().out


def test_a_test_video_without_labels_has_no_clips(workdir, capsys):
    write_imigue(workdir / "data")
    (workdir / "data/imigue_skeleton_test/0054/0054_label.csv").unlink()
    main(["--run", "r", "--track1", "data"])
    clips = load_clips("r", "track1")
    assert "0054" not in set(clips.table.video_id) and "0054" in set(clips.videos.video_id)
    assert "1 videos (0054)" in capsys.readouterr().out


def test_later_folder_names_and_subjects(workdir):
    """Folders at any depth; subjects.csv beside them, with the zeros that a spreadsheet takes away."""
    write_imigue(workdir / "data/imigue_data_phase1/datasets")
    (workdir / "data/subjects.csv").write_text("video_id,subject_id,class\n1,A,3\n1,A,4\n2,B,1\n0003,A,2\n54,C,1\n")
    main(["--run", "r", "--track1", "data"])
    videos = load_clips("r", "track1").videos.set_index("video_id")
    assert dict(videos.subject_id) == {"0001": "A", "0002": "B", "0003": "A", "0054": "C"}
    assert videos.split["0054"] == "test"


def test_rgb_in_every_form(workdir):
    """A video of the clip comes before a folder of its images, both before the whole video."""
    write_imigue(workdir / "data")
    rgb = workdir / "rgb"
    write_video(rgb / "train_data/0001/0001.mp4", 60)
    write_video(rgb / "train_data/0001/0001_1.avi", 21)
    images = rgb / "train_data/0002/0002_0"
    images.mkdir(parents=True)
    for number in range(5, 31):
        write_picture(images / f"{number:06d}.png")
    main(["--run", "r", "--track1", "data", "--rgb1", "rgb"])
    table = load_clips("r", "track1").table.set_index("clip_id")
    assert (table.frames_path["0001_0"], table.frames_start["0001_2"]) == ("rgb/train_data/0001/0001.mp4", 41)
    assert (table.frames_path["0001_1"], table.frames_start["0001_1"]) == ("rgb/train_data/0001/0001_1.avi", 0)
    assert (table.frames_path["0002_0"], table.frames_start["0002_0"]) == ("rgb/train_data/0002/0002_0", 5)
    assert table.frames_path["0003_0"] == ""


def test_real_layout(workdir, shared_data, capsys):
    """Real skeletons in the layout: 360 clips of 24 videos, whose finger groups are the other way round."""
    main(["--run", "r", "--track1", str(shared_data / "body_gesture" / "imigue_layout")])
    clips = load_clips("r", "track1")
    assert (clips.table.split.value_counts().to_dict(), len(clips.videos)) == ({"train": 270, "test": 90}, 24)
    assert clips.meta["finger_votes"] == {"straight": 0, "swapped": 24}
    assert set(zip(clips.table.width, clips.table.height, strict=True)) == {(640, 480)}
    assert int((clips.table.label == 31).sum()) == 26


@settings(max_examples=50)
@given(st.sets(st.integers(1, 60), min_size=1), st.integers(1, 60), st.integers(0, 20))
def test_ranges_of_test_videos(numbers, low, length):
    """A range picks exactly the ids whose number lies in it."""
    ids = [f"Sample{number:04d}" for number in sorted(numbers)]
    inside = {i for i in ids if low <= int(i[6:]) <= low + length}
    if inside:
        assert select_videos((f"{low}-{low + length}",), ids) == inside


def test_split_of_folder_names(tmp_path):
    root = tmp_path / "data"
    for folder, expected in (
        ("imigue_skeleton_train/0001", "train"),
        ("x/imigue_skeleton_validate/0001", "validate"),
        ("imigue_data_phase2/imigue_skeleton_test/0001", "test"),
        ("contest/0001", ""),
    ):
        assert source_split_of(root / folder / "0001_light_hand.csv", root) == expected
