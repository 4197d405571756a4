"""Pictures and sizes are those that a player shows. Alone: python -m pytest -n 0 tests/recordings/test_upright.py"""

import struct

import av
import cv2
import numpy as np
import pytest

from miga.clips import load_clips
from miga.errors import InputError
from miga.rgb_store import open_rgb_store
from recordings.frames import probe, read_frames
from recordings.prepare import main
from recordings.rgb_store import build_rgb_store
from tests.recordings.on_disk import person, write_imigue_video

AS_STORED = np.zeros((48, 96), np.uint8)
AS_STORED[:24, :48] = 255  # bright upper left quarter
ANGLES = [
    (degrees, hflip, vflip) for degrees in (0, 90, 180, 270) for hflip in (False, True) for vflip in (False, True)
]


def write_turned(path, degrees, hflip=False, vflip=False, num_frames=5, stored=AS_STORED):
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.height, stream.width = stored.shape
        stream.pix_fmt = "yuv420p"
        stream.set_display_rotation(degrees, hflip, vflip)
        for _ in range(num_frames):
            container.mux(
                stream.encode(av.VideoFrame.from_ndarray(np.repeat(stored[..., None], 3, -1), format="rgb24"))
            )
        container.mux(stream.encode())
    return path


def shown(degrees, hflip, vflip):
    """What a player makes of the stored picture: turned counterclockwise, then mirrored."""
    picture = np.rot90(AS_STORED, degrees // 90)
    picture = picture[:, ::-1] if hflip else picture
    return picture[::-1] if vflip else picture


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv"])
@pytest.mark.parametrize(("degrees", "hflip", "vflip"), ANGLES)
def test_films_are_turned_and_mirrored_as_their_metadata_say(tmp_path, suffix, degrees, hflip, vflip):
    path = write_turned(tmp_path / f"a.{suffix}", degrees, hflip, vflip)
    expected = shown(degrees, hflip, vflip)
    info = probe(path)
    assert (info.num_frames, info.height, info.width) == (5, *expected.shape)
    for picture in read_frames(path, [0, 3, 4])[..., 0]:
        assert ((picture > 128) == (expected > 128)).mean() > 0.97


def test_a_film_turned_askew_is_one_sentence(tmp_path):
    path = write_turned(tmp_path / "a.mp4", 30)
    with pytest.raises(InputError, match=r"a\.mp4: its metadata turn it by .* degrees, expected right angles"):
        probe(path)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_images_are_turned_and_mirrored_as_their_exif_says(tmp_path, orientation):
    jpeg = cv2.imencode(".jpg", AS_STORED)[1].tobytes()
    exif = b"Exif\0\0II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x112, 3, 1, orientation, 0, 0)
    marked = jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:]
    (tmp_path / "000000.jpg").write_bytes(marked)
    turned = AS_STORED.T if orientation > 4 else AS_STORED
    rows, columns = {1: (1, 1), 2: (1, -1), 3: (-1, -1), 4: (-1, 1), 5: (1, 1), 6: (1, -1), 7: (-1, -1), 8: (-1, 1)}[
        orientation
    ]
    expected = turned[::rows, ::columns]
    info = probe(tmp_path)
    assert (info.height, info.width) == expected.shape
    assert ((read_frames(tmp_path, [0])[0, ..., 0] > 128) == (expected > 128)).mean() > 0.97


def test_a_phone_video_goes_upright_into_the_table_and_the_store(workdir):
    """Joints of the upright 720x1280 picture fit pictures that lie on their side in the file."""
    points = person(30)
    points[..., 0], points[..., 1] = points[..., 0] * 0.6, points[..., 1] * 1.7
    write_imigue_video(workdir / "data", "train", "0001", points, [(1, 0, 29)])
    lying = np.zeros((720, 1280), np.uint8)
    lying[:, 640:] = 255  # the right half is the upper one when turned counterclockwise
    write_turned(workdir / "data/rgb/0001.mp4", 90, num_frames=30, stored=lying)
    main(["--run", "r", "--track1", "data"])
    clips = load_clips("r", "track1")
    assert (clips.table.width[0], clips.table.height[0]) == (720, 1280) and clips.meta["frame_size_from"] == "rgb"
    build_rgb_store("r", 32)
    store = open_rgb_store("r", 32)
    left, top, right, bottom = store.boxes[0]
    inside = [
        round(32 * (y - top) / (bottom - top)) + shift
        for y, shift in ((max(top, 0), 2), (640, -2), (640, 2), (1278, -2))
    ]
    column = store.read(0, np.array([3]))[0, :, round(32 * (360 - left) / (right - left)), 0]
    assert [value > 128 for value in column[inside].tolist()] == [True, True, False, False]


def test_the_film_is_read_and_not_its_cover_picture(tmp_path):
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        cover, film = container.add_stream("png", rate=1), container.add_stream("libx264", rate=25)
        cover.width, cover.height, cover.pix_fmt = 32, 32, "rgb24"
        cover.disposition = av.stream.Disposition.attached_pic
        film.width, film.height, film.pix_fmt = 64, 48, "yuv420p"
        container.mux(cover.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")))
        for _ in range(7):
            container.mux(film.encode(av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")))
        container.mux(film.encode())
    info = probe(tmp_path / "a.mp4")
    assert (info.num_frames, info.width, info.height) == (7, 64, 48)
    assert read_frames(tmp_path / "a.mp4", [6]).shape == (1, 48, 64, 3)
