"""The store of pictures: what it shows, that kills leave no trace, that other recordings are refused.

Run alone: python -m pytest -n 0 tests/recordings/test_rgb_store.py
"""

import dataclasses
import json

import cv2
import numpy as np
import pytest

from miga.clips import load_clips
from miga.errors import InputError
from miga.person_box import visible_square
from miga.rgb_store import clips_with_pictures, has_rgb, open_rgb_store, pictures_sha256
from recordings import rgb_build, rgb_part
from recordings.frames import read_frames
from recordings.rgb_part import cut_window, pixel_window
from recordings.rgb_store import build_rgb_store, main
from tests.tiny import tiny_clips, write_clips
from tests.tiny_rgb import DOT_JOINT, dot_centre, filmed


@pytest.fixture
def clips(workdir):
    write_clips(filmed(tiny_clips(12, 2), workdir / "videos"), "t")
    return load_clips("t", "track1")


@pytest.fixture(autouse=True)
def _one_process(monkeypatch):
    monkeypatch.setattr(rgb_build, "NUM_PROCESSES", 1)  # starting processes takes longer than these videos
    monkeypatch.setattr(rgb_build, "PART_CLIPS", 3)


def slow_picture(clips, row: int, frame: int, size: int) -> np.ndarray:
    """The slow obvious way: decode, pad, cut, resize."""
    clip = clips.table.iloc[row]
    picture = read_frames(clip.frames_path, [clip.frames_start + frame])[0]
    left, top, right, _ = visible_square(clips.joints_of(row), (clip.height, clip.width))
    scale = picture.shape[1] / clip.width
    left, top, side = round(left * scale), round(top * scale), round((right - left) * scale)
    padded = np.pad(picture, ((200, 200), (200, 200), (0, 0)))[top + 200 :, left + 200 :][:side, :side]
    method = cv2.INTER_AREA if side > size else cv2.INTER_LINEAR
    return cv2.resize(padded, (size, size), interpolation=method)


@pytest.mark.parametrize(("size", "error"), [(24, 0), (100, 6)])
def test_stored_pictures_are_the_cut_frames(clips, size, error):
    build_rgb_store("t", size)
    store = open_rgb_store("t", size)
    assert store.size == size and store.boxes.shape == (14, 4) and store.boxes.dtype == np.float32
    assert store.is_raw == (error == 0)
    for row in range(len(clips)):
        num_frames = int(clips.table.num_frames[row])
        indexes = np.array([num_frames - 1, 0, num_frames // 2, 0])
        got = store.read(row, indexes)
        assert got.shape == (4, size, size, 3) and got.dtype == np.uint8
        expected = np.stack([slow_picture(clips, row, frame, size) for frame in indexes])
        assert np.abs(got.astype(int) - expected).mean() <= error


def test_boxes_say_where_a_joint_is_in_the_stored_picture(clips):
    build_rgb_store("t", 48)
    store, num_seen = open_rgb_store("t", 48), 0
    for row in range(len(clips)):
        x, y, score = clips.joints_of(row)[0, 0, DOT_JOINT]
        if score == 0 or y > 690:  # missing, or partly below the picture
            continue
        left, top, right, bottom = store.boxes[row]
        expected = (x - left) * 48 / (right - left), (y - top) * 48 / (bottom - top)
        np.testing.assert_allclose(dot_centre(store.read(row, [0])[0]), expected, atol=2.4)  # half a video pixel
        num_seen += 1
    assert num_seen >= 10


def test_a_clip_without_joints_shows_the_whole_picture_in_the_middle_of_a_square():
    assert visible_square(np.zeros((3, 1, 5, 3)), (720, 1280)) == (0, -280, 1280, 1000)
    joints = np.zeros((1, 1, 3, 3), np.float32)
    joints[0, 0] = [(100, 100, 0.9), (200, 300, 0.9), (150, 5000, 0.9)]  # the last is guessed below the picture
    assert visible_square(joints, (720, 1280)) == visible_square(joints[:, :, :2], (720, 1280)) == (25, 75, 275, 325)
    joints[0, 0, 2] = np.nan
    assert visible_square(joints, (720, 1280)) == (25, 75, 275, 325)


def test_windows_may_lie_outside_the_picture_altogether():
    white = np.full((10, 20, 3), 255, np.uint8)
    assert not cut_window(white, (30, 4, 6, 6), 3).any()
    assert not cut_window(white, (-9, -9, 6, 6), 3).any()
    half = cut_window(white, (16, 0, 8, 8), 8)
    assert (half[:, :4] == 255).all() and not half[:, 4:].any()
    window, box = pixel_window((0, 0, 100, 100), (720, 1280), (126, 224))
    assert window == (0, 0, 18, 18)
    assert box == pytest.approx((0, 0, 18 / 224 * 1280, 18 / 126 * 720))


def test_frames_of_the_next_clip_cannot_be_read(clips):
    build_rgb_store("t", 8)
    num_frames = int(clips.table.num_frames[3])
    for bad in (num_frames, -1):
        with pytest.raises(IndexError, match=f"frames 0 to {num_frames - 1}"):
            open_rgb_store("t", 8).read(3, [0, bad])


def files_of(folder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("size", [8, 100])
def test_a_killed_build_ends_with_the_same_bytes(clips, workdir, monkeypatch, size):
    folder = workdir / f"clips/t/track1/rgb_{size}"
    build_rgb_store("t", size)
    expected = files_of(folder)
    assert len([name for name in expected if name.endswith(".bin")]) > 2
    folder.rename(workdir / "first")
    made = []

    def killed(part, making, number, *rest, make=rgb_build.make_part):
        if len(made) == 2:
            (making / ".pictures_0009.1.tmp.bin").write_bytes(b"half a file")
            raise KeyboardInterrupt
        made.append(number)
        return make(part, making, number, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(rgb_build, "make_part", killed)
        with pytest.raises(KeyboardInterrupt):
            build_rgb_store("t", size)
    with pytest.raises(
        InputError, match=r"no pictures of .* pixels; run `python -m recordings.rgb_store --run t --track track1 --size"
    ):
        open_rgb_store("t", size)
    again = []
    make_part = rgb_build.make_part
    monkeypatch.setattr(rgb_build, "make_part", lambda *args: (again.append(args[2]), make_part(*args))[1])
    build_rgb_store("t", size)
    assert files_of(folder) == expected
    assert sorted(made + again) == sorted(set(made + again))  # no part was decoded twice
    assert not list(folder.parent.glob(".rgb*"))


def test_a_store_of_other_recordings_is_refused_and_made_again(clips, workdir, capsys):
    build_rgb_store("t", 8)
    first = files_of(workdir / "clips/t/track1/rgb_8")
    meta = workdir / "clips/t/track1/meta.json"
    meta.write_text(json.dumps(json.loads(meta.read_text()) | {"content_sha256": "other"}))
    with pytest.raises(InputError, match="made from other recordings"):
        open_rgb_store("t", 8)
    build_rgb_store("t", 8)
    assert "made again" in capsys.readouterr().out
    assert open_rgb_store("t", 8).size == 8
    again = files_of(workdir / "clips/t/track1/rgb_8")
    assert {name for name in again if again[name] != first[name]} == {"meta.json"}


def test_parts_of_other_recordings_are_not_taken_over(clips, workdir):
    making = workdir / "clips/t/track1/.rgb_8.making"
    making.mkdir()
    (making / "making.json").write_text(json.dumps({"size": 8, "content_sha256": "other"}))
    (making / "places_0000.npz").write_bytes(b"not ours")
    build_rgb_store("t", 8)
    assert open_rgb_store("t", 8).read(0, [0]).shape == (1, 8, 8, 3)


def test_a_finished_store_is_not_touched(clips, workdir, monkeypatch, capsys):
    main(["--run", "t", "--size", "8"])
    monkeypatch.setattr(rgb_build, "make_part", None)
    build_rgb_store("t", 8)
    main(["--run", "t", "--size", "8"])
    assert "up to date" in capsys.readouterr().out


@pytest.mark.parametrize("_again", [1, 2])  # the second time with processes that stand in the first one's folder
def test_two_processes_write_the_same_bytes(clips, workdir, monkeypatch, _again):
    build_rgb_store("t", 8)
    folder = workdir / "clips/t/track1/rgb_8"
    expected = files_of(folder)
    folder.rename(workdir / "first")
    monkeypatch.setattr(rgb_build, "NUM_PROCESSES", 2)
    build_rgb_store("t", 8)
    assert files_of(folder) == expected


def test_clips_without_pictures_are_named(workdir):
    write_clips(tiny_clips(12, 2), "none")
    assert not has_rgb(load_clips("none", "track1"))
    with pytest.raises(InputError, match="the recordings have no RGB"):
        build_rgb_store("none", 8)
    clips = filmed(tiny_clips(12, 2), workdir / "videos")
    table = clips.table.copy()
    table.loc[[2, 4], "frames_path"] = ""
    write_clips(dataclasses.replace(clips, table=table), "some")
    assert has_rgb(load_clips("some", "track1"))
    with pytest.raises(
        InputError, match=f"2 of 12 training clips have no RGB .*{table.clip_id[2]}, {table.clip_id[4]};"
    ):
        build_rgb_store("some", 8)


def test_a_broken_video_is_named(clips, workdir):
    (workdir / "videos/0002.mp4").write_bytes(b"")
    with pytest.raises(InputError, match=r"0002.mp4: the video file is empty"):
        build_rgb_store("t", 8)


def without_pictures(clips, rows):
    table = clips.table.copy()
    table.loc[rows, "frames_path"] = ""
    return dataclasses.replace(clips, table=table)


def test_a_test_clip_without_pictures_changes_nothing_for_the_others(clips, workdir):
    test = np.flatnonzero(clips.table.split == "test")
    write_clips(without_pictures(clips, test[:1]), "some")
    for run in ("t", "some"):
        build_rgb_store(run, 8)
    whole, some = open_rgb_store("t", 8), open_rgb_store("some", 8)
    assert clips_with_pictures("t", 8).all()
    assert np.flatnonzero(~clips_with_pictures("some", 8)).tolist() == test[:1].tolist()
    for row in np.delete(np.arange(len(clips)), test[0]):
        np.testing.assert_array_equal(whole.read(row, [0]), some.read(row, [0]))
        np.testing.assert_array_equal(whole.boxes[row], some.boxes[row])
    with pytest.raises(IndexError):
        some.read(test[0], [0])
    assert pictures_sha256("t", 8) != pictures_sha256("some", 8)


@pytest.mark.parametrize("num_bad", [1, 2])
def test_a_test_video_that_breaks_off_costs_the_clips_behind_the_break(clips, workdir, monkeypatch, capsys, num_bad):
    test = clips.table[clips.table.split == "test"].sort_values("frames_start")
    path, first_bad = test.frames_path.iloc[0], int(test.frames_start.iloc[-num_bad])
    build_rgb_store("t", 8)
    whole = open_rgb_store("t", 8)

    def broken(video, wanted, read=rgb_part.stream_frames):
        for frame, picture in zip(wanted.tolist(), read(video, wanted), strict=True):
            if str(video) == path and frame >= first_bad:
                raise InputError(f"{video}: breaks off")
            yield picture

    monkeypatch.setattr(rgb_part, "stream_frames", broken)
    write_clips(clips, "again")
    build_rgb_store("again", 8)
    bad = test.index[-num_bad:].tolist()
    assert np.flatnonzero(~clips_with_pictures("again", 8)).tolist() == sorted(bad)
    assert f"test clip {clips.table.clip_id[bad[0]]} has no pictures: {path}: breaks off" in capsys.readouterr().out
    again = open_rgb_store("again", 8)
    for row in np.delete(np.arange(len(clips)), bad):
        np.testing.assert_array_equal(whole.read(row, [0]), again.read(row, [0]))


def test_folders_of_images_are_read_too(workdir):
    clips = tiny_clips(4, 1)
    table = clips.table.copy()
    for row in range(len(clips)):
        folder = workdir / "images" / table.clip_id[row]
        folder.mkdir(parents=True)
        for frame in range(table.num_frames[row]):
            cv2.imwrite(str(folder / f"{frame + 7:05d}.png"), np.full((90, 160, 3), frame, np.uint8))
        table.loc[row, ["frames_path", "frames_start"]] = [str(folder), 7]
    write_clips(dataclasses.replace(clips, table=table), "t")
    build_rgb_store("t", 8)
    last = int(table.num_frames[3]) - 1
    assert open_rgb_store("t", 8).read(3, [last])[0].max() == last
