"""Processed arrays of the organisers' kit into clips. Alone: python -m pytest tests/recordings/test_processed.py"""

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from miga.clips import load_clips
from recordings.prepare import main
from recordings.readers.processed import trim
from tests.recordings.on_disk import write_pickle


def write_arrays(root: Path, part: str, names: list[str], labels: list[int], lengths: list[int], num_joints=22):
    """Clip i is filled with values of its own up to its length, zeros after."""
    data = np.zeros((len(names), 3, 90, num_joints, 1), np.float32)
    for row, (name, length) in enumerate(zip(names, lengths, strict=True)):
        rng = np.random.default_rng(list(name.encode()))
        data[row, :, :length] = rng.uniform(0.5, 1, (3, length, num_joints, 1))
        data[row, :2] *= 600
    root.mkdir(parents=True, exist_ok=True)
    np.save(root / f"{part}_data.npy", data)
    write_pickle(root / f"{part}_label.pkl", (names, labels))
    return data


def test_true_lengths_are_recovered(workdir):
    names = ["0002_10", "0002_2", "0001_0"]
    data = write_arrays(workdir / "data", "train", names, [0, 31, 5], [90, 12, 1])
    main(["--run", "r", "--track1", "data"])
    clips = load_clips("r", "track1")
    assert list(clips.table.clip_id) == ["0001_0", "0002_2", "0002_10"]
    assert list(clips.table.num_frames) == [1, 12, 90] and list(clips.table.label) == [5, 31, 0]
    assert list(clips.table.video_id) == ["0001", "0002", "0002"]
    assert list(clips.videos.num_frames) == [1, 102] and len(clips.joints) == 103
    joints = clips.joints_of(1)[:, 0]
    swap = [*range(12), *range(17, 22), *range(12, 17)] if clips.meta["fingers_swapped"] else list(range(22))
    np.testing.assert_array_equal(joints, data[1, :, :12, swap, 0].transpose(2, 0, 1))


@given(st.integers(1, 30), st.integers(0, 30))
def test_trim(length, padding):
    """Missing frames inside a clip stay, only the end goes; a clip with nobody keeps one frame."""
    joints = np.zeros((length + padding, 1, 22, 3), np.float32)
    joints[length - 1, 0, 3] = 1
    assert len(trim(joints)) == length
    assert len(trim(np.zeros_like(joints))) == 1


def test_the_kits_validation_clips_are_taken_once(workdir, capsys):
    write_arrays(workdir / "data", "train", ["0001_0", "0002_0"], [1, 2], [9, 9])
    write_arrays(workdir / "data", "valid", ["0001_0"], [1], [9])
    main(["--run", "r", "--track1", "data"])
    assert list(load_clips("r", "track1").table.clip_id) == ["0001_0", "0002_0"]
    assert "taken once" in capsys.readouterr().out


def test_test_array_and_rgb_is_not_matched(workdir):
    """Where a processed clip lay in its video is lost, so no picture can be attached."""
    write_arrays(workdir / "data", "train", ["0001_0"], [1], [9])
    write_arrays(workdir / "data", "test", ["0054_0"], [-1], [20])
    main(["--run", "r", "--track1", "data"])
    clips = load_clips("r", "track1")
    assert list(clips.table.split) == ["train", "test"] and list(clips.table.label) == [1, -1]
    assert (clips.table.frames_path == "").all()


def test_smg_names_and_metres(workdir):
    """Sample003610 is gesture 10 of sequence 36; metres become pixels of the Kinect's colour camera."""
    write_arrays(workdir / "data", "train", ["Sample000110", "Sample00012"], [16, 0], [8, 4], num_joints=25)
    data = np.load(workdir / "data/train_data.npy")
    data[:, :2] /= 600
    np.save(workdir / "data/train_data.npy", data)
    main(["--run", "r", "--track1", "data"])
    clips = load_clips("r", "track1")
    assert list(clips.table.clip_id) == ["Sample00012", "Sample000110"]
    assert set(clips.table.video_id) == {"Sample0001"} and set(clips.table.subject_id) == {"Sample0001"}
    x, y, z = data[1, :, 2, 7, 0]
    np.testing.assert_allclose(
        clips.joints_of(0)[2, 0, 7], (959.5 + 1081.4 * x / z, 539.5 - 1081.4 * y / z, 1), rtol=1e-5
    )
