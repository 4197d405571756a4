"""A test clip that cannot be used keeps its row; a training clip does not.

Alone: python -m pytest -n 0 tests/recordings/test_bad_test_clips.py
"""

from pathlib import Path

import numpy as np
import pytest

from miga.clips import load_clips
from recordings.prepare import main
from submissions.check import check_sample
from tests.recordings.on_disk import (
    fails,
    kinect,
    person,
    pyskl_content,
    write_imigue_video,
    write_pickle,
    write_rows,
    write_smg,
    write_smg_video,
    write_video,
)

BAD = Path("data/imigue_skeleton_test/0055")
ROWS = [(2, 0, 9), (99, 10, 39)]


@pytest.fixture
def bad(data):
    """A second test video whose id comes last, with pictures for it and the other test video."""
    write_imigue_video(data, "test", "0055", person(40, seed=5), ROWS)
    for video_id, num_frames in (("0001", 60), ("0002", 40), ("0003", 40), ("0054", 50), ("0055", 40)):
        write_video(data / f"rgb/{video_id}.mp4", num_frames, size=(320, 180))
    return data


def prepared(*options: str, track: str = "track1", path: str = "data"):
    main(["--run", "r", f"--{track}", path, *options, "--overwrite"])
    return load_clips("r", track)


def inputs(clips) -> dict[str, tuple[bool, bool]]:
    """Test clip -> (has joints, has pictures)."""
    rows = zip(clips.table.clip_id, clips.has_joints.tolist(), clips.has_frames.tolist(), strict=True)
    return {id_: (joints, frames) for id_, joints, frames in rows if id_.startswith("005")}


def no_skeleton(data):
    (BAD / "0055_light_hand.csv").unlink()


def empty_skeleton(data):
    (BAD / "0055_light_hand.csv").write_text("")


def broken_skeleton(data):
    (BAD / "0055_light_hand.csv").write_text("1,2,3\n")


def nobody(data):
    write_imigue_video(data, "test", "0055", np.zeros((40, 35, 3)), ROWS)


def no_video(data):
    (data / "rgb/0055.mp4").unlink()


def broken_video(data):
    (data / "rgb/0055.mp4").write_bytes(b"not a video")


def nothing_at_all(data):
    no_skeleton(data)
    no_video(data)


@pytest.mark.parametrize(
    ("harm", "expected"),
    [
        (no_skeleton, (False, True)),
        (empty_skeleton, (False, True)),
        (broken_skeleton, (False, True)),
        (nobody, (False, True)),
        (no_video, (True, False)),
        (broken_video, (True, False)),
        (nothing_at_all, (False, False)),
    ],
)
def test_a_bad_test_video_keeps_its_clips(bad, harm, expected, capsys):
    harm(bad)
    clips = prepared()
    assert inputs(clips) == {
        "0054_0": (True, True),
        "0054_1": (True, True),
        "0055_0": expected,
        "0055_1": expected,
    }
    for row in np.flatnonzero(clips.table.video_id == "0055"):
        joints = clips.joints_of(row)
        assert len(joints) == clips.table.num_frames[row] == (10, 30)[clips.table.clip_id[row] == "0055_1"]
        assert joints.any() == expected[0]
    assert clips.meta["test_clips_without_joints"] == ([] if expected[0] else ["0055_0", "0055_1"])
    assert clips.meta["test_clips_without_frames"] == ([] if expected[1] else ["0055_0", "0055_1"])
    out = capsys.readouterr().out
    assert ("2 test clips, answered without them: 0055_0, 0055_1" in out) == (expected != (True, True))
    Path("sample.csv").write_text("Id,Target\n" + "".join(f"{id_},0\n" for id_ in inputs(clips)))
    assert "its 4 ids are the test clips" in check_sample("r", Path("sample.csv"))


@pytest.mark.parametrize("harm", [no_skeleton, broken_skeleton, no_video, broken_video])
def test_the_other_clips_are_as_without_it(bad, harm):
    """Same rows, same joints, same picture sizes."""
    harm(bad)
    clips = prepared()
    for path in (*BAD.glob("*"), *bad.glob("rgb/0055.mp4")):
        path.unlink()
    without = prepared()
    others = clips.table[clips.table.video_id != "0055"].reset_index(drop=True)
    assert others.equals(without.table)
    np.testing.assert_array_equal(clips.joints[: len(without.joints)], without.joints)


@pytest.mark.parametrize("harm", [no_video, broken_video])
def test_what_joints_are_trained_on_does_not_depend_on_pictures(bad, harm):
    whole = prepared().meta["content_sha256"]
    harm(bad)
    assert prepared().meta["content_sha256"] == whole


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ((2, 30, 20), "start 30 is after end 20"),
        ((2, 30, 90), "the recording has frames 0 to 39"),
        ((2, -3, 9), "the recording has frames 0 to 39"),
        ((2, 7), "expected three integers"),
        (("two", 0, 9), "expected three integers"),
    ],
)
def test_an_impossible_label_row_of_a_test_keeps_its_row(bad, row, why):
    write_rows(BAD / "0055_label.csv", [(3, 1, 5), row, (99, 10, 39)])
    clips = prepared()
    assert inputs(clips) == {
        **{f"0054_{i}": (True, True) for i in range(2)},
        **{f"0055_{i}": (i != 1, i != 1) for i in range(3)},
    }
    index = list(clips.table.clip_id).index("0055_1")
    assert clips.table.start_frame[index] == -1 and not clips.joints_of(index).any()
    assert list(clips.table.label[clips.table.video_id == "0055"])[::2] == [2, 31]  # the others' labels are believed
    assert why in clips.meta["kept"][0]["why"]


def test_a_label_row_without_end_does_not_fill_the_disk(bad):
    """Nothing says how long a recording without a skeleton is."""
    nothing_at_all(bad)
    write_rows(BAD / "0055_label.csv", [(2, 0, 10**12)])
    assert len(prepared().joints) < 300


def test_training_clips_are_treated_as_ever(bad):
    (bad / "imigue_skeleton_train/0002/0002_light_hand.csv").unlink()
    write_rows(bad / "imigue_skeleton_train/0001/0001_label.csv", [(1, 0, 19), (2, 30, 20)])
    message = fails()
    assert "label file without 0002_light_hand.csv" in message and "start 30 is after end 20" in message
    assert list(prepared("--skip-bad-clips").table.clip_id) == ["0001_0", "0003_0", *inputs(load_clips("r", "track1"))]


@pytest.mark.parametrize("is_there", [False, True])
def test_a_test_sequence_without_a_usable_skeleton_stays(workdir, is_there):
    write_smg(workdir / "data")
    folder = write_smg_video(workdir / "data", "Sample0037", kinect(20), [(1, 2, 9)])
    (folder / "Sample0037_skeleton.csv").unlink()
    if is_there:
        write_rows(folder / "Sample0037_skeleton.csv", [range(274)] * 3)
    clips = prepared(track="track2")
    videos = clips.videos.set_index("video_id")
    assert videos.split["Sample0037"] == "test" and videos.num_frames["Sample0037"] == 0
    assert not clips.is_seen("Sample0037") and clips.is_seen("Sample0036")
    table = clips.table.set_index("clip_id")
    assert (table.start_frame["Sample0037_0"], table.num_frames["Sample0037_0"]) == (1, 8)
    assert clips.meta["kept"][0]["what"] == "Sample0037"


def test_a_sequence_of_nothing_but_its_frame_rate_is_no_test(workdir):
    write_smg(workdir / "data")
    write_rows(workdir / "data/Sample0003/Sample0003_data.csv", [(60, 28, 4000)])
    assert "no Sample0003_skeleton.csv beside it" in fails(track="track2")


@pytest.mark.parametrize(
    "change",
    [
        {"keypoint": None},
        {"keypoint": np.zeros((1, 10, 21, 2), np.float32), "keypoint_score": np.zeros((1, 10, 21), np.float32)},
        {"keypoint_score": None},
        {"total_frames": 99},
        None,
    ],
)
def test_an_annotation_of_the_test_that_cannot_be_used(workdir, change):
    """None: the split names a clip that has no annotation."""
    content = pyskl_content()
    if change is None:
        content["annotations"].pop()
    else:
        content["annotations"][-1] |= change
    write_pickle(workdir / "a.pkl", content)
    clips = prepared(path="a.pkl")
    assert list(clips.table.clip_id) == [f"a_{i}" for i in range(6)]
    assert clips.has_joints.tolist() == [True] * 5 + [False]
    assert clips.meta["kept"][0]["what"] == "a_5"


def test_an_unlabelled_test_annotation_keeps_its_joints(workdir):
    content = pyskl_content()
    for annotation in content["annotations"][-2:]:
        annotation["label"] = None
    write_pickle(workdir / "a.pkl", content)
    clips = prepared(path="a.pkl")
    assert clips.has_joints.all() and clips.table.label.tolist()[-2:] == [-1, -1]
