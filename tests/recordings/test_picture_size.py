"""Which picture the joints are given in. Alone: python -m pytest -n 0 tests/recordings/test_picture_size.py"""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from miga.clips import load_clips
from miga.errors import InputError
from miga.person_box import visible_square
from recordings.picture_size import STANDARD_SIZES, PictureSizes, standard_size
from recordings.prepare import main, parse_args
from recordings.rgb_part import cut_window, pixel_window
from tests.recordings.on_disk import fails, kinect, write_imigue_video, write_smg_video, write_video

STRAY = st.floats(0, 0.6)


def people(size, share_below, side=0.5, num_videos=6, seed=0):
    """(T, 1, V, 3) of each video: people about the middle, `share_below` of the joints below the picture of `size`.

    side: where the middle of people is, as a share of the width.
    """
    rng = np.random.default_rng(seed)
    videos = []
    for _ in range(num_videos):
        x = side + rng.normal(0, 0.02) + rng.uniform(-0.2, 0.2, (40, 1, 20))
        y = rng.uniform(0.15, 0.95, (40, 1, 20))
        y[rng.random(y.shape) < share_below] += 0.9
        videos.append(np.stack([x * size[0], y * size[1], np.ones_like(x)], axis=-1))
    return videos


def decide(videos, *rgb_sizes):
    sizes = PictureSizes("data")
    for number, joints in enumerate(videos):
        sizes.add(joints, rgb_sizes[number % len(rgb_sizes)])
    return sizes.decide()[0]


def is_refused(videos, *rgb_sizes):
    with pytest.raises(InputError, match=r"^data: it cannot be told .* --joint-size") as caught:
        decide(videos, *rgb_sizes)
    return "\n" not in str(caught.value)


@given(STRAY, st.sampled_from([(208, 156), (224, 224), (340, 256), (720, 1280), (1280, 720), (1920, 1080)]), STRAY)
@settings(deadline=None, max_examples=40)
def test_joints_of_the_rgb_are_taken_for_it_whatever_share_is_out_of_sight(share, rgb, seed):
    assert decide(people(rgb, share, seed=int(seed * 1e6)), rgb) == {rgb: rgb}


@given(STRAY, st.floats(0.03, 0.48), st.sampled_from(STANDARD_SIZES))
@settings(deadline=None, max_examples=40)
def test_joints_of_a_much_larger_picture_are_taken_for_it(share, factor, size):
    rgb = (round(size[0] * factor), round(size[1] * factor))
    assume(rgb not in STANDARD_SIZES)
    assert decide(people(size, share), rgb) == {rgb: size}


@given(STRAY, st.floats(0.05, 20), st.floats(0.45, 0.55))
@settings(deadline=None, max_examples=80)
def test_no_factor_is_taken_for_one_silently(share, factor, side):
    """Joints of a picture `factor` times the RGB: another size or a refusal. Close to one no one can tell.

    In a smaller picture all joints are in sight: joints below it may be those below the middle of the RGB.
    """
    size = (1280, 720)
    rgb = (max(8, round(size[0] / factor)), max(8, round(size[1] / factor)))
    assume(not 0.5 < factor < 1.45)
    try:
        assert decide(people(size, share if factor > 1 else 0, side), rgb)[rgb] != rgb
    except InputError as error:
        assert "--joint-size" in str(error)


def test_people_aside_and_legs_below_are_not_guessed_about():
    assert is_refused(people((208, 156), 0.3, side=0.75), (208, 156))
    assert is_refused(people((320, 240), 0.3), (208, 156))


def test_people_aside_are_nothing_odd_where_the_rgb_holds_them():
    assert decide(people((1280, 720), 0, side=0.3), (1280, 720)) == {(1280, 720): (1280, 720)}


def test_joints_in_the_corner_of_the_rgb_are_not_taken_for_it():
    assert is_refused(people((320, 240), 0), (1280, 720))
    assert is_refused(people((64, 48), 0), (208, 156))


def test_rgb_of_another_size_and_videos_without_rgb_follow_what_is_clear():
    wide, small, unclear = (1280, 720), (640, 360), (900, 506)
    videos = people((1280, 720), 0.2)
    assert decide(videos, wide, None) == {wide: wide, None: wide}
    assert decide(videos, wide, small) == {wide: wide, small: wide}
    assert decide(videos, small, unclear) == {small: wide, unclear: wide}


def test_without_rgb_the_smallest_usual_size_that_holds_the_joints():
    points = np.concatenate(people((640, 480), 0))[..., :2].reshape(-1, 2)
    assert standard_size(points) == (640, 480) and standard_size(points[:0]) == (320, 240)
    assert standard_size(points * 100) == (3840, 2160)


def test_nobody_in_view_says_nothing_against_the_rgb():
    assert decide([np.zeros((5, 1, 22, 3))], (64, 48)) == {(64, 48): (64, 48)}


@given(st.sampled_from([(208, 156), (340, 256), (96, 170), (512, 384)]), st.integers(0, 10**6))
@settings(deadline=None, max_examples=20)
def test_crop_shows_the_joint_whatever_the_two_sizes_are(rgb, seed):
    """A bright spot in the video where the joint is, in pixels of another picture, is where the crop's box puts it."""
    size, rng = (1280, 720), np.random.default_rng(seed)
    joints = np.ones((1, 1, 3, 3))
    joints[..., :2] = [[[(0.3, 0.2), (0.7, 0.9), rng.uniform(0.35, 0.65, 2)]]]
    x, y = joints[0, 0, 2, :2]
    picture = np.zeros((rgb[1], rgb[0], 3), np.uint8)
    picture[int(y * rgb[1]) - 1 : int(y * rgb[1]) + 2, int(x * rgb[0]) - 1 : int(x * rgb[0]) + 2] = 255
    joints[..., :2] *= size
    window, box = pixel_window(visible_square(joints, size[::-1]), size[::-1], picture.shape[:2])
    spot = cut_window(picture, window, 64)[..., 0].astype(float)
    spot = (np.indices(spot.shape)[::-1] * spot).sum((1, 2)) / spot.sum() + 0.5
    left, top, right, bottom = box
    expected = np.array([(x * size[0] - left) / (right - left), (y * size[1] - top) / (bottom - top)]) * 64
    assert np.abs(spot - expected).max() < 64 * 1.6 / min(window[2:]) + 1


def legs_below(root):
    """SMG sequences of which the lower half of the joints lies below their RGB of 208x156."""
    for number, joints in enumerate(people((208, 156), 0, num_videos=3), start=1):
        values = kinect(40)
        values[:, :20, 7:9] = joints[:, 0, :, :2] * (1, 1.9)
        values[:, 20:, 7:9] = values[:, :5, 7:9]
        write_smg_video(root, f"Sample{number:04d}", values, [(1, 1, 40)])
        write_video(root / f"Sample{number:04d}/Sample{number:04d}_color.mp4", 40, (208, 156))


def test_the_decision_is_printed_and_written_with_its_evidence(workdir, capsys):
    legs_below(workdir / "data")
    main(["--run", "r", "--track1", "data"])
    clips = load_clips("r", "track1")
    assert set(zip(clips.videos.width, clips.videos.height, strict=True)) == {(208, 156)}
    assert clips.meta["frame_size_from"] == "rgb"
    (reason,) = clips.meta["frame_size_evidence"]
    assert reason.startswith("208x156, as the RGB: ") and reason in capsys.readouterr().out


def test_a_person_settles_it(workdir):
    joints = np.zeros((40, 35, 3))
    joints[:] = people((320, 240), 0.3)[0][:, 0, :1]
    joints[..., :2] += np.random.default_rng(0).uniform(-50, 50, (40, 35, 2))
    write_imigue_video(workdir / "data", "train", "0001", joints, [(1, 0, 39)])
    write_video(workdir / "data/rgb/0001.mp4", 40, (208, 156))
    assert "--joint-size" in fails()
    main(["--run", "r", "--track1", "data", "--joint-size", "320x240"])
    clips = load_clips("r", "track1")
    assert list(clips.table.width) == [320] and clips.meta["frame_size_from"] == "--joint-size"


def test_the_option_is_one_size_or_one_a_track():
    def read(text):
        return parse_args(["--run", "r", "--joint-size", text]).joint_size

    assert read("208x156") == ((208, 156), (208, 156))
    assert read("208X156, 1280x720") == ((208, 156), (1280, 720))
    assert read(",1280x720") == (None, (1280, 720)) and read("208x156,") == ((208, 156), None)
    for text in ("208", "0x10", "208x156,1x1,2x2", ",", "x", "-1x5"):
        with pytest.raises(SystemExit):
            read(text)
