"""Every kind of wrong video or image gives its sentence and writes nothing.

Alone: python -m pytest tests/recordings/test_wrong_rgb.py
"""

from pathlib import Path

import pytest

from tests.recordings.on_disk import (
    fails,
    write_picture,
    write_video,
)


@pytest.mark.parametrize(("name", "content"), [("empty", b""), ("truncated", None)])
def test_broken_video(data, name, content):
    path = write_video(data / "rgb/0002/0002.mp4", 40)
    path.write_bytes(path.read_bytes()[:400] if content is None else content)
    message = fails()
    assert f"{path.relative_to(Path.cwd())}: " in message and "copy it again" in message


def test_video_shorter_than_the_clip(data):
    write_video(data / "rgb/0002/0002.mp4", 20)
    assert "0002.mp4: 20 frames, but clip 0002_0 needs frames 5 to 30 and 20 is not there" in fails()


def test_two_videos_of_one_name(data):
    write_video(data / "rgb/0002/0002.mp4", 40)
    write_video(data / "old/0002/0002.mp4", 40)
    assert "two RGB sources named 0002; remove one of them" in fails()


def test_a_missing_image(data):
    """A folder of images with a hole in the clip."""
    folder = data / "rgb/0002"
    folder.mkdir(parents=True)
    for number in (*range(0, 12), *range(13, 40)):
        write_picture(folder / f"{number:06d}.png")
    assert "rgb/0002: 39 frames, but clip 0002_0 needs frames 5 to 30 and 12 is not there" in fails()


def test_a_broken_image(data):
    folder = data / "rgb/0002"
    folder.mkdir(parents=True)
    for number in range(40):
        (folder / f"{number:06d}.jpg").write_bytes(b"not an image")
    assert "rgb/0002/000000.jpg" in fails()


def test_shared_truncated_video(data, shared_data):
    """Its header claims 32 frames; 15 can be decoded."""
    source = shared_data / "videos/derived/truncated.avi"
    (data / "rgb").mkdir()
    (data / "rgb/0002.avi").write_bytes(source.read_bytes())
    assert "0002.avi: 15 frames, but clip 0002_0 needs frames 5 to 30 and 15 is not there" in fails()
