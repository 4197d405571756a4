"""Videos become joints, joints a data set that `prepare` reads.

Alone: python -m pytest -n 0 tests/recordings/pose/test_command.py

The networks are replaced, but for the last test, which needs them and is skipped where they are not installed.
"""

import csv
import hashlib
import importlib.util
import zipfile

import numpy as np
import pytest

from miga.clips import load_clips
from miga.errors import InputError
from miga.paths import pose_models_dir
from recordings.pose import __main__ as command
from recordings.pose import clips, install
from recordings.pose.joints_npz import read_pose
from recordings.pose.person import joints_of
from recordings.prepare import main as prepare
from tests.recordings.test_upright import write_turned

NETWORKS_ARE_THERE = (pose_models_dir() / "pose_detection.tflite").is_file() and importlib.util.find_spec(
    "ai_edge_litert"
) is not None


@pytest.fixture
def somebody(monkeypatch):
    """Everybody is seen everywhere, standing still in the upright picture."""
    calls = []

    def joints(video, info, fps, parts):
        calls.append((video.name, info.width, info.height, fps))
        rng = np.random.default_rng(len(calls))
        found = rng.uniform(1, min(info.width, info.height) - 1, (info.num_frames, 137, 3)).astype(np.float32)
        found[..., 2] = 0.9
        return found

    monkeypatch.setattr(command, "joints_of", joints)
    return calls


def test_a_turned_film_becomes_an_imigue_folder_that_prepare_reads(tmp_path, monkeypatch, somebody, capsys):
    monkeypatch.chdir(tmp_path)
    for split, video_id in (("train", "0001"), ("test", "0002")):
        video = write_turned(tmp_path / f"{video_id}.mp4", 90, num_frames=9)
        (tmp_path / f"{video_id}_label.csv").write_text("3,0,4\n5,5,8\n")
        command.main([str(video), "--out", f"mine/mine_{split}"])
    assert somebody[0] == ("0001.mp4", 48, 96, 25.0)  # as a player shows it
    prepare(["--run", "mine", "--track1", "mine", "--rgb1", ".", "--joint-size", "48x96"])
    assert load_clips("mine", "track1").skeleton.num_joints == 22
    pose = read_pose(tmp_path / "mine/mine_train/0001.npz")
    with open(tmp_path / "mine/mine_train/0001/0001_light_hand.csv", newline="") as file:
        rows = list(csv.reader(file))
    assert len(rows) == 9 and len(rows[0]) == 106
    assert np.allclose(np.array(rows[4][1:4], float), pose.joints[4, 0], atol=1e-3)


def test_a_second_run_looks_only_at_what_changed(tmp_path, somebody, capsys):
    video = write_turned(tmp_path / "7.mp4", 0)
    command.main([str(video), "--out", str(tmp_path / "out")])
    first = (tmp_path / "out/7.npz").read_bytes()
    command.main([str(video), "--out", str(tmp_path / "out")])
    assert len(somebody) == 1 and "skipped" in capsys.readouterr().out
    command.main([str(video), "--out", str(tmp_path / "out"), "--parts", "body"])
    assert len(somebody) == 2 and (tmp_path / "out/7.npz").read_bytes() != first


def test_videos_of_any_name_become_clips(tmp_path, monkeypatch, somebody):
    monkeypatch.chdir(tmp_path)
    names = [f"wave {n}" for n in range(4)]
    for number, name in enumerate(names):
        video = write_turned(tmp_path / "videos" / f"{name}.mp4", 0, num_frames=1 + 3 * number)  # one has one frame
        command.main([str(video), "--out", "found"])
    rows = [f"{name},{n % 2},{'test' if n == 3 else 'train'}" for n, name in enumerate(names)]
    (tmp_path / "labels.csv").write_text("\n".join(["name,label,split", *rows]) + "\n")
    for keypoints in (22, 137):
        clips.main(["found", "--labels", "labels.csv", "--keypoints", str(keypoints)])
        run = f"mine{keypoints}"
        prepare(["--run", run, "--track1", "found/pose.pkl", "--rgb1", "videos"])
        assert load_clips(run, "track1").skeleton.num_joints == keypoints


def test_nobody_in_view_is_said(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(command, "joints_of", lambda video, info, *_: np.zeros((info.num_frames, 137, 3), np.float32))
    command.main([str(write_turned(tmp_path / "1.mp4", 0)), "--out", str(tmp_path / "out_test")])
    assert "NOBODY" in capsys.readouterr().out
    assert not read_pose(tmp_path / "out_test/1.npz").joints.any()


def test_what_is_wrong_is_said_before_hours_are_spent(tmp_path, somebody):
    good = write_turned(tmp_path / "a" / "1.mp4", 0)
    out = ["--out", str(tmp_path / "out")]
    with pytest.raises(InputError, match="no such video"):
        command.main([str(good), str(tmp_path / "2.mp4"), *out])
    with pytest.raises(InputError, match="two videos are named 1"):
        command.main([str(good), str(tmp_path / "b" / "1.avi"), *out])
    with pytest.raises(SystemExit):
        command.main([str(good), "--parts", "feet", *out])
    assert not somebody


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,label\na,1\n", "no column split"),
        ("name,label,split\na,one,train\n", "line 2"),
        ("name,label,split\na,1,train\na,2,test\n", "there twice"),
        ("name,label,split\na,1,trian\n", "one of train, valid, test"),
    ],
)
def test_wrong_tables_of_labels(tmp_path, text, message):
    (tmp_path / "labels.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        clips.main([str(tmp_path), "--labels", str(tmp_path / "labels.csv")])


def test_a_clip_without_joints_and_a_file_that_is_cut_off(tmp_path):
    (tmp_path / "labels.csv").write_text("name,label,split\na,1,train\n")
    with pytest.raises(InputError, match=r"a\.npz"):
        clips.main([str(tmp_path), "--labels", str(tmp_path / "labels.csv")])
    (tmp_path / "a.npz").write_bytes(b"PK\x03\x04")
    with pytest.raises(InputError, match=r"a\.npz"):
        clips.main([str(tmp_path), "--labels", str(tmp_path / "labels.csv")])


def test_networks_are_taken_out_of_the_wheel_alone_that_is_pinned(tmp_path):
    wheel = tmp_path / "wheel.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name in install.NETWORKS:
            archive.writestr(f"mediapipe/modules/{name}.tflite", name)
        archive.writestr(f"mediapipe-{install.VERSION}.dist-info/LICENSE", "Apache")
    with pytest.raises(InputError, match="its sha256 is"):
        install.extract(wheel, tmp_path / "out", install.SHA256)
    with pytest.raises(InputError, match="no such wheel"):
        install.extract(tmp_path / "other.whl", tmp_path / "out", install.SHA256)
    install.extract(wheel, tmp_path / "out", hashlib.sha256(wheel.read_bytes()).hexdigest())
    assert (tmp_path / "out/face_landmark.tflite").read_text() == "face_landmark/face_landmark"
    assert len(list((tmp_path / "out").iterdir())) == len(install.NETWORKS) + 1


def test_without_networks_one_sentence(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    video = write_turned(tmp_path / "1.mp4", 0)
    with pytest.raises(InputError, match=r"recordings\.pose\.install"):
        command.main([str(video), "--out", "out"])
    assert not list(tmp_path.glob("out/*.npz"))


@pytest.mark.skipif(not NETWORKS_ARE_THERE, reason="needs requirements-pose.txt and recordings.pose.install")
def test_the_networks_see_nobody_in_an_empty_room_and_repeat_to_the_byte(tmp_path):
    video = write_turned(tmp_path / "1.mp4", 0, num_frames=2)
    info = command.probe(video)
    first, second = (joints_of(video, info, 25.0) for _ in range(2))
    assert first.shape == (2, 137, 3)
    assert not first.any() and np.array_equal(first, second)
