"""Frame-exact reading. Alone: python -m pytest tests/recordings/test_frames.py"""

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from miga.errors import InputError
from recordings import video
from recordings.frames import count_frames, list_images, probe, read_frames
from tests.recordings.on_disk import write_picture, write_video

# Number of frames that really decode.
SHARED_VIDEOS = {
    "imigue_covering_face.gif": 23,
    "mma_demo.mp4": 280,
    "mma_demo_spatiotemporal_det.mp4": 57,
    "mma_part_0.mp4": 32,
    "mma_test_audio.avi": 164,
    "pyskl_ntu_sample.avi": 72,
    "rtar_exercise.avi": 393,
    "smg_ta_chi.mp4": 300,
    "derived/part_0_hevc.mp4": 32,
    "derived/part_0_h264_444.mp4": 32,
    "derived/part_0_vp9.webm": 32,
    "derived/part_0_odd_size.webm": 32,
    "derived/part_0_mpeg4.mkv": 32,
    "derived/part_0_mjpeg.avi": 32,
    "derived/part_0_single_frame.mp4": 1,
    "derived/truncated.avi": 15,
}


def decode_all(path) -> np.ndarray:
    """The slow obvious way."""
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


@pytest.mark.parametrize("name", SHARED_VIDEOS)
def test_real_videos(shared_data, name):
    """Any container: the count is the decoded count, and picked frames equal those of a full decode."""
    path = shared_data / "videos" / name
    num_frames = count_frames(path)
    assert num_frames == SHARED_VIDEOS[name]
    wanted = np.random.default_rng(0).integers(0, num_frames, 3).tolist()
    got = read_frames(path, wanted)
    info = probe(path)
    assert got.shape == (3, info.height, info.width, 3) and got.dtype == np.uint8
    with av.open(str(path)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            for position in np.flatnonzero(np.array(wanted) == number):
                np.testing.assert_array_equal(got[position], frame.to_ndarray(format="rgb24"))
    with pytest.raises(InputError, match=rf"no frame {num_frames}; the video has {num_frames} frames"):
        read_frames(path, [0, num_frames])


@pytest.fixture(scope="module")
def encoded(tmp_path_factory):
    """90 frames with a keyframe every 10, in the kinds of files that seek differently."""
    folder = tmp_path_factory.mktemp("videos")
    closed = {"preset": "ultrafast", "x264-params": "keyint=10:bframes=2:scenecut=0"}
    open_groups = {"preset": "veryfast", "x264-params": "keyint=10:min-keyint=10:open-gop=1:bframes=3:scenecut=0"}
    paths = [
        write_video(folder / "closed.mp4", 90, options=closed),
        write_video(folder / "open.mp4", 90, options=open_groups),
        write_video(folder / "closed.mkv", 90, options=closed),
        write_video(folder / "open.mkv", 90, options=open_groups),
        write_video(folder / "vp9.webm", 90, options={"g": "10", "deadline": "realtime", "cpu-used": "8"}),
        write_video(folder / "mpeg4.avi", 90, options={"g": "10", "bf": "2"}),
    ]
    return {path.name: (path, decode_all(path)) for path in paths}


@pytest.mark.parametrize("name", ["closed.mp4", "open.mp4", "closed.mkv", "open.mkv", "vp9.webm", "mpeg4.avi"])
def test_every_single_frame(encoded, name):
    """Entering at any frame of a video with open or closed groups gives that frame."""
    path, expected = encoded[name]
    assert count_frames(path) == 90 == len(expected)
    for index in range(90):
        np.testing.assert_array_equal(read_frames(path, [index])[0], expected[index])


@settings(max_examples=20)
@given(indexes=st.lists(st.integers(0, 89), min_size=1, max_size=8))
@pytest.mark.parametrize("name", ["open.mp4", "mpeg4.avi"])
def test_any_order_and_repeats(encoded, name, indexes):
    path, expected = encoded[name]
    np.testing.assert_array_equal(read_frames(path, indexes), expected[indexes])


@pytest.mark.parametrize("name", ["closed.mp4", "open.mp4", "closed.mkv", "vp9.webm"])
def test_a_late_frame_does_not_decode_the_video(encoded, name, monkeypatch):
    path, _ = encoded[name]
    num_decoded = 0
    decode = video.decode_from

    def counting(*args):
        nonlocal num_decoded
        for item in decode(*args):
            num_decoded += 1
            yield item

    monkeypatch.setattr(video, "decode_from", counting)
    read_frames(path, [85])
    assert num_decoded <= 20


def test_sorted_indexes_are_one_pass(encoded, monkeypatch):
    path, _ = encoded["closed.mp4"]
    num_decoded = 0
    decode = video.decode_from

    def counting(*args):
        nonlocal num_decoded
        for item in decode(*args):
            num_decoded += 1
            yield item

    monkeypatch.setattr(video, "decode_from", counting)
    read_frames(path, range(90))
    assert num_decoded == 90


def test_truncated_mp4_counts_what_is_there(tmp_path):
    """The list in the header still names every frame; those past the end of the file do not count."""
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        rng = np.random.default_rng(0)
        for _ in range(40):
            picture = rng.integers(0, 255, (48, 64, 3), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    data = path.read_bytes()
    (tmp_path / "cut.mp4").write_bytes(data[: len(data) // 2])
    assert count_frames(path) == 40
    assert 5 < count_frames(tmp_path / "cut.mp4") < 35
    with pytest.raises(InputError, match="no frame 39"):
        read_frames(tmp_path / "cut.mp4", [39])


@pytest.mark.parametrize("name", ["truncated.mp4", "empty.mp4"])
def test_unreadable_videos(shared_data, name):
    path = shared_data / "videos" / "derived" / name
    for read in (count_frames, lambda p: read_frames(p, [0])):
        with pytest.raises(InputError, match=rf"{name}: .*copy it again"):
            read(path)


def test_a_rewritten_file_is_looked_at_anew(tmp_path):
    path = write_video(tmp_path / "a.mp4", 5)
    assert count_frames(path) == 5
    write_video(path, 9)
    assert count_frames(path) == 9


def write_images(folder, numbers):
    for number in numbers:
        write_picture(folder / f"{number:06d}.png", number)
    return folder


def test_image_folders(tmp_path):
    """Names carry the label's frame number; 1, 2, 3, ... without a gap counts from one, as ffmpeg does."""
    gaps = write_images(tmp_path / "0001", [3, 4, 7])
    assert read_frames(gaps, [7, 3])[:, 0, 0, 0].tolist() == [7, 3] and count_frames(gaps) == 8
    assert sorted(list_images(write_images(tmp_path / "0002", [1, 2, 3]))) == [0, 1, 2]
    assert sorted(list_images(write_images(tmp_path / "0003", [0, 1, 2]))) == [0, 1, 2]
    with pytest.raises(InputError, match="no image for frame 5"):
        read_frames(gaps, [3, 5])


def test_no_such_video(tmp_path):
    with pytest.raises(InputError, match="no such video"):
        read_frames(tmp_path / "a.mp4", [0])
