"""What `recordings.prepare` writes, skips and says. Alone: python -m pytest tests/recordings/test_prepare.py"""

import json
import os
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from miga.clips import CLIP_COLUMNS, VIDEO_COLUMNS, load_clips
from miga.errors import InputError
from miga.ids import natural_key
from miga.skeletons import IMIGUE_22
from recordings import write_clips
from recordings.joints_file import JointsFile
from recordings.prepare import main
from tests.recordings.on_disk import person, write_imigue, write_imigue_video, write_smg, write_video

FILES = ("clips.csv", "videos.csv", "joints.npy", "meta.json")


def stamps(folder):
    return {name: (folder / name).stat().st_mtime_ns for name in FILES}


def test_tables_and_array_agree(workdir):
    """Ids in natural order, rows of a clip inside its video's, every row of the array belongs to one video."""
    write_imigue(workdir / "data")
    labels = [(1, 2 * i, 2 * i + 1) for i in range(12)]
    write_imigue_video(workdir / "data", "train", "0004", person(30, seed=9), labels)
    main(["--run", "r", "--track1", "data"])
    clips = load_clips("r", "track1")
    assert tuple(clips.table.columns) == CLIP_COLUMNS and tuple(clips.videos.columns) == VIDEO_COLUMNS
    assert list(clips.table.clip_id) == sorted(clips.table.clip_id, key=natural_key)
    assert clips.videos.num_frames.sum() == len(clips.joints)
    table = clips.table.merge(clips.videos, on="video_id", suffixes=("", "_video"))
    assert (table.row_offset == table.row_offset_video + table.start_frame).all()
    assert (table.start_frame + table.num_frames <= table.num_frames_video).all()
    assert clips.joints.dtype == np.float32 and isinstance(clips.joints, np.memmap)


def test_a_second_time_is_skipped(workdir, capsys):
    write_imigue(workdir / "data")
    write_smg(workdir / "smg")
    command = ["--run", "r", "--track1", "data", "--track2", "smg"]
    main(command)
    before = stamps(workdir / "clips/r/track1")
    capsys.readouterr()
    started = time.monotonic()
    main(command)
    assert time.monotonic() - started < 0.5
    out = capsys.readouterr().out
    assert "clips/r/track1 is up to date" in out and "clips/r/track2 is up to date" in out
    assert stamps(workdir / "clips/r/track1") == before


@pytest.mark.parametrize("change", ["file", "new video", "option", "overwrite", "subjects"])
def test_a_change_prepares_anew(workdir, change):
    write_imigue(workdir / "data")
    command = ["--run", "r", "--track1", "data"]
    main(command)
    before = stamps(workdir / "clips/r/track1")
    if change == "file":
        os.utime(workdir / "data/imigue_skeleton_train/0001/0001_label.csv", (1, 1))
    elif change == "new video":
        write_imigue_video(workdir / "data", "train", "0009", person(9), [(3, 0, 8)])
    elif change == "subjects":
        (workdir / "data/subjects.csv").write_text("video_id,subject_id\n1,A\n2,A\n3,B\n54,C\n")
    else:
        command += ["--test-videos", "2"] if change == "option" else ["--overwrite"]
    main(command)
    assert stamps(workdir / "clips/r/track1")["joints.npy"] != before["joints.npy"]
    assert sorted(path.name for path in (workdir / "clips/r").iterdir()) == ["track1"]


@pytest.mark.parametrize(
    ("option", "swapped"),
    [((), {}), (("--sided-classes",), None), (("--sided-classes", "2:3,31:99"), {1: 2, 2: 1, 30: 31, 31: 30})],
)
def test_sided_classes_say_what_a_mirrored_clip_is(workdir, option, swapped):
    write_imigue(workdir / "data")
    main(["--run", "r", "--track1", "data"])
    main(["--run", "r", "--track1", "data", *option])
    clips = load_clips("r", "track1")
    assert clips.may_mirror == (swapped is not None)
    if swapped is not None:
        assert clips.mirror.tolist() == [swapped.get(number, number) for number in range(32)]


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ("2:77", "no class has code 77; expected some of 1, 2"),
        ("2:3,3:4", "code 3 comes twice"),
        ("5:5", "comes twice"),
    ],
)
def test_pairs_of_classes_that_cannot_be(workdir, pairs, message):
    write_imigue(workdir / "data")
    with pytest.raises(InputError, match=message):
        main(["--run", "r", "--track1", "data", "--sided-classes", pairs])


@pytest.mark.parametrize("pairs", ["2-3", "right:left", "2:3:4", ","])
def test_pairs_that_are_none(workdir, pairs, capsys):
    with pytest.raises(SystemExit):
        main(["--run", "r", "--track1", "data", "--sided-classes", pairs])
    assert "expected pairs of class codes such as 2:3,7:9" in capsys.readouterr().err


def test_same_bytes(workdir):
    write_imigue(workdir / "data")
    contents = []
    for run in ("a", "b"):
        main(["--run", run, "--track1", "data"])
        contents.append([(workdir / "clips" / run / "track1" / name).read_bytes() for name in FILES])
    assert contents[0] == contents[1]


def test_the_content_hash_does_not_see_where_things_lie(workdir):
    """The same recordings elsewhere: trainings made with the first are still valid."""
    hashes = []
    for folder in ("here", "there"):
        write_imigue(workdir / folder)
        write_video(workdir / folder / "rgb/0001.mp4", 60)
        main(["--run", folder, "--track1", folder])
        hashes.append(load_clips(folder, "track1").meta["content_sha256"])
    assert hashes[0] == hashes[1]


def test_a_kill_leaves_nothing_half_written(workdir, monkeypatch):
    """The old preparation stays until the new one is whole; what a kill left behind goes with the next run."""
    write_imigue(workdir / "data")
    main(["--run", "r", "--track1", "data"])
    before = stamps(workdir / "clips/r/track1")
    leftover = workdir / "clips/r/.track1.1.tmp"
    leftover.mkdir()
    (leftover / "joints.npy").write_bytes(b"half")

    def killed(*args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(write_clips, "_table", killed)
        with pytest.raises(KeyboardInterrupt):
            main(["--run", "r", "--track1", "data", "--overwrite"])
    assert stamps(workdir / "clips/r/track1") == before
    assert sorted(path.name for path in (workdir / "clips/r").iterdir()) == ["track1"]


def test_one_bad_track_writes_neither(workdir):
    write_imigue(workdir / "data")
    write_smg(workdir / "smg")
    (workdir / "smg/Sample0002/Sample0002_finelabels.csv").write_text("55,1,2\n")
    with pytest.raises(InputError, match="class 55 is not a class"):
        main(["--run", "r", "--track1", "data", "--track2", "smg"])
    assert not list(workdir.glob("clips/r/*"))


def test_meta_says_how_it_was_made(workdir):
    write_imigue(workdir / "data")
    main(["--run", "r", "--track1", "data"])
    meta = json.loads((workdir / "clips/r/track1/meta.json").read_text())
    assert meta["kind"] == "imigue" and meta["source"] == "data" and meta["left_out"] == []
    assert meta["skeleton"]["joints"] == list(IMIGUE_22.joints) and len(meta["classes"]) == 32
    assert len(meta["fingerprint"]) == 64


def test_picture_size_is_the_rgb_size_only_if_the_joints_lie_in_it(workdir):
    """A preview of 64x48 is not the picture that the joints are given in; a big one is, for videos without RGB too."""
    write_imigue(workdir / "data")
    write_video(workdir / "small/0001.mp4", 60)
    write_video(workdir / "big/0001.mp4", 60, size=(1440, 810))
    for rgb, expected in (("small", (1280, 720)), ("big", (1440, 810))):
        main(["--run", rgb, "--track1", "data", "--rgb1", rgb])
        videos = load_clips(rgb, "track1").videos.set_index("video_id")
        assert (videos.width["0001"], videos.height["0001"]) == expected
        assert (videos.width["0002"], videos.height["0002"]) == expected


@settings(max_examples=20)
@given(st.lists(st.integers(0, 20), min_size=1, max_size=6), st.integers(1, 3))
def test_growing_array_file(tmp_path_factory, lengths, num_persons):
    """Appended pieces read back as one array, whatever their number of persons up to the maximum."""
    path = tmp_path_factory.mktemp("joints") / "joints.npy"
    rng = np.random.default_rng(lengths)
    file = JointsFile(path, num_persons, 22)
    pieces = []
    for length in lengths:
        joints = rng.random((length, int(rng.integers(1, num_persons + 1)), 22, 3)).astype(np.float32)
        assert file.append(joints) == sum(len(piece) for piece in pieces)
        pieces.append(np.pad(joints, ((0, 0), (0, num_persons - joints.shape[1]), (0, 0), (0, 0))))
    file.close()
    np.testing.assert_array_equal(np.load(path, allow_pickle=False), np.concatenate(pieces))
