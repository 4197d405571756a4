"""Odd places: links, hidden files, strange names. Alone: python -m pytest -n 0 tests/recordings/test_listing.py"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from miga.clips import load_clips
from miga.errors import InputError
from recordings.folders import select_videos
from recordings.frames import read_frames
from recordings.listing import list_files
from recordings.prepare import main
from tests.recordings.on_disk import fails, write_picture, write_video

APPLE_DOUBLE = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        \x00\x02\xb0\xff\x00"
TRAIN = "imigue_skeleton_train"
ROOT = Path(__file__).resolve().parents[2]


def names(folder):
    return [entry.path.relative_to(folder).as_posix() for entry in list_files(folder)]


@pytest.mark.parametrize(
    "links", [{"up": ".."}, {"self": "."}, {"p/q": "../r", "r/s": "../p"}, {"p/q": "../..", "r": "p"}]
)
def test_links_that_lead_back_bring_nothing_new(data, links):
    before = [name for name in names(data) if name.endswith(".csv")]
    for name, target in links.items():
        (data / TRAIN / name).parent.mkdir(exist_ok=True)
        os.symlink(target, data / TRAIN / name)
    assert [name for name in names(data) if name.endswith(".csv")] == before
    main(["--run", "r", "--track1", "data"])
    assert len(load_clips("r", "track1")) == 7


@pytest.mark.parametrize(("name", "target"), [("gone.csv", "nowhere"), ("self", "self"), ("a", "a/b")])
def test_links_to_nothing_are_one_sentence(data, name, target):
    os.symlink(target, data / name)
    assert f"{name}: a link to nothing; remove it or restore what it points to" in fails()


def test_data_and_videos_behind_links(data):
    (data / TRAIN / "0002").rename(data.parent / "elsewhere")
    os.symlink(data.parent / "elsewhere", data / TRAIN / "0002")
    os.symlink(data, data.parent / "linked")
    main(["--run", "r", "--track1", "linked"])
    assert len(load_clips("r", "track1")) == 7


def test_what_macos_hides_is_no_data(data):
    for number in range(40):
        write_picture(data / f"rgb/0002/{number:06d}.png")
        (data / f"rgb/0002/._{number:06d}.png").write_bytes(APPLE_DOUBLE)
    for path in list(data.rglob("*.csv")):
        path.with_name(f"._{path.name}").write_bytes(APPLE_DOUBLE)
    (data / ".DS_Store").write_bytes(APPLE_DOUBLE)
    (data / "__MACOSX").mkdir()
    (data / "__MACOSX/._0001_label.csv").write_bytes(APPLE_DOUBLE)
    main(["--run", "r", "--track1", "data"])
    table = load_clips("r", "track1").table
    assert len(table) == 7 and (table.frames_path != "").sum() == 1


def test_pipes_and_sockets_are_no_data(data):
    os.mkfifo(data / "0099_label.csv")
    assert "0099_label.csv" not in names(data)


def test_a_folder_that_cannot_be_opened_is_one_sentence(data, monkeypatch):
    """Permissions do not stop the system's own user, so the refusal is made here."""
    scandir = os.scandir

    def refusing(path):
        if str(path).endswith("0002"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    assert "0002: cannot be listed (Permission denied)" in fails()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no names that are not text")
def test_names_that_are_no_text(data):
    write_video(data / "rgb/0001.mp4", 60)
    os.rename(os.fsencode(data), os.fsencode(data.parent) + b"/donn\xe9es")
    main(["--run", "r", "--track1", os.fsdecode(b"donn\xe9es")])
    paths = set(load_clips("r", "track1").table.frames_path)
    assert paths == {"", os.fsdecode(b"donn\xe9es/rgb/0001.mp4")}
    assert len(read_frames(max(paths), [0, 59])) == 2


@pytest.mark.parametrize(
    "locale", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}]
)
def test_names_that_the_terminal_cannot_show(data, locale):
    """The command goes on, and what it writes names the same file."""
    write_video(data / "rgb/0001.mp4", 60)
    data.rename(data.with_name("données 手"))
    command = [sys.executable, "-m", "recordings.prepare", "--run", "r", "--track1", "données 手"]
    done = subprocess.run(command, capture_output=True, env={**os.environ, "PYTHONPATH": str(ROOT), **locale})
    assert done.returncode == 0, done.stderr
    assert "données 手/rgb/0001.mp4" in set(load_clips("r", "track1").table.frames_path)


def test_a_relative_path_that_is_not_there_says_relative_to_what(workdir):
    with pytest.raises(InputError, match=r"gone: no such file or folder, relative to /.*; check the path"):
        list_files((workdir / "gone").relative_to(workdir))


IDS = st.lists(st.integers(0, 10**14), min_size=1, max_size=6, unique=True)


@settings(deadline=200)
@given(IDS, st.integers(0, 10**14), st.integers(0, 10**30))
def test_ranges_of_any_length_choose_what_lies_in_them_at_once(numbers, low, length):
    ids = [f"{number:04d}" for number in numbers]
    expected = {video_id for video_id in ids if low <= int(video_id) <= low + length}
    if f"{low}-{low + length}" in ids or not expected:
        return
    assert select_videos((f"{low}-{low + length}",), ids) == expected


@pytest.mark.parametrize("folder", ["data_test", "micro-gesture test 2", "data/my_test"])
def test_a_folder_whose_name_leaves_nothing_to_train_on_is_named(data, folder):
    for path in list(data.glob("imigue_skeleton_*/*")):
        (data.parent / "flat" / path.name).mkdir(parents=True)
        path.rename(data.parent / "flat" / path.name)
    root = data.parent / folder
    root.parent.mkdir(exist_ok=True)
    (data.parent / "flat").rename(root)
    message = fails(path=folder.partition("/")[0])
    assert f"{folder}: the word test in the name of this folder makes all recordings in it the test" in message
    main(["--run", "r", "--track1", folder, "--test-videos", "54"])
    assert set(load_clips("r", "track1").table.split) == {"train", "test"}


def test_folders_that_make_recordings_the_test_are_told(data, capsys):
    (data / TRAIN / "0002").rename(data / TRAIN / "rig under test")
    main(["--run", "r", "--track1", "data"])
    assert f"data/imigue_skeleton_test (1 recordings), data/{TRAIN}/rig under test (1" in capsys.readouterr().out
