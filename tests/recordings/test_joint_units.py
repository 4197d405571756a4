"""Pixels and scores against metres and depths. Alone: python -m pytest -n 0 tests/recordings/test_joint_units.py"""

import numpy as np
import pytest

from miga.clips import load_clips
from recordings.joint_units import JointUnits, are_scores
from recordings.prepare import main
from tests.recordings.on_disk import fails, person, pyskl_content, write_imigue, write_imigue_video, write_pickle
from tests.recordings.test_processed import write_arrays

RNG = np.random.default_rng(0)
XY = RNG.uniform(50, 400, (2, 20, 17))


@pytest.mark.parametrize(
    ("third", "expected"),
    [
        (RNG.uniform(0, 1, (20, 17)), True),
        (RNG.uniform(-0.02, 1.05, (20, 17)), True),
        (RNG.integers(0, 3, (20, 17)), True),  # visibility as COCO has it
        (np.where(RNG.uniform(size=(20, 17)) < 0.02, 3.0, 0.5), True),
        (np.full((20, 17), np.nan), True),
        (RNG.normal(0, 1, (20, 17)), False),
        (RNG.normal(3, 0.5, (20, 17)), False),
        (RNG.uniform(500, 900, (20, 17)), False),
        (RNG.uniform(-0.5, 0.3, (20, 17)), False),
    ],
)
def test_scores_are_told_from_depths(third, expected):
    assert are_scores(*XY, third) == expected


def test_missing_points_say_nothing_about_scores():
    third = np.full((20, 17), 0.5)
    third[:15] = -9
    xy = XY.copy()
    xy[:, :15] = 0
    assert are_scores(*xy, third)


def faults_of(*recordings: np.ndarray) -> str:
    units = JointUnits()
    for number, joints in enumerate(recordings):
        units.add(f"v{number}", joints)
    return "".join(units.faults("data"))


def test_what_is_no_pixels_is_told_by_the_whole_data_set():
    pixels = np.stack([*XY, np.ones((20, 17))], -1)[:, None]
    metres = pixels * (0.005, 0.005, 1)
    centred = pixels - (225, 225, 0)
    assert faults_of(pixels, pixels, metres) == faults_of() == faults_of(np.zeros_like(pixels)) == ""
    assert "lie within 10 in 2 of 3 (v0: " in faults_of(metres, metres, pixels)
    assert "have a negative x or y" in faults_of(centred)
    assert faults_of(pixels - (100, 0, 0)) == ""  # a person who leaves the picture


def test_metres_in_a_pickle(workdir):
    content = pyskl_content(num_joints=17)
    for annotation in content["annotations"]:
        annotation["keypoint"] = annotation["keypoint"] / 400
    write_pickle(workdir / "a.pkl", content)
    assert "a.pkl: all joints of a recording lie within 10 in 6 of 6" in fails(path="a.pkl")


def test_a_depth_is_no_score(workdir):
    """Beside a keypoint_score the third value is nothing; without one it has to be a score."""
    content = pyskl_content(num_joints=17)
    for annotation in content["annotations"]:
        depth = np.full((*annotation["keypoint"].shape[:3], 1), 2.5, np.float16)
        annotation["keypoint"] = np.concatenate([annotation["keypoint"], depth], -1)
    write_pickle(workdir / "a.pkl", content)
    main(["--run", "r", "--track1", "a.pkl"])
    assert set(np.unique(load_clips("r", "track1").joints[..., 2])) == {0.5}
    del content["annotations"][1]["keypoint_score"]
    write_pickle(workdir / "b.pkl", content)
    main(["--run", "s", "--track1", "b.pkl", "--skip-bad-clips"])
    left_out = load_clips("s", "track1").meta["left_out"]
    assert [item["what"] for item in left_out] == ["a_1"]
    assert "third value of keypoint goes from 2.5 to 2.5, which is no score" in left_out[0]["why"]


def test_shares_of_the_picture_and_depths_in_folders(workdir):
    write_imigue(workdir / "data")
    points = person(60)
    points[..., 2] = 3.1
    write_imigue_video(workdir / "data", "train", "0001", points, [(1, 0, 19)])
    assert "0001_light_hand.csv: the third value of the points goes from 3.1 to 3.1" in fails()
    for part, video in (("train", "0001"), ("train", "0002"), ("validate", "0003"), ("test", "0054")):
        write_imigue_video(workdir / "data", part, video, person(60) / (1280, 720, 1), [(1, 0, 19)])
    assert "data: all joints of a recording lie within 10 in 4 of 4" in fails()


def test_arrays_in_the_units_of_the_other_data_set(workdir):
    data = write_arrays(workdir / "data", "train", ["0001_0"], [1], [9])
    np.save(workdir / "data/train_data.npy", data + np.array([0, 0, 3], np.float32)[:, None, None, None])
    assert "train_data.npy: the third channel goes from 3 to 3.9" in fails()
    write_arrays(workdir / "data", "train", ["Sample00010"], [1], [9], num_joints=25)
    assert "train_data.npy: most joints lie behind the camera or farther than 20" in fails()


def test_a_joint_at_no_finite_depth_is_missing(workdir):
    data = write_arrays(workdir / "data", "train", ["Sample00010"], [1], [9], num_joints=25)
    data[:, :2] /= 600
    data[0, 2, 3, 7] = np.inf
    np.save(workdir / "data/train_data.npy", data)
    main(["--run", "r", "--track1", "data"])
    joints = load_clips("r", "track1").joints_of(0)[:, 0]
    assert not joints[3, 7].any() and joints[3, 6, 2] == 1
