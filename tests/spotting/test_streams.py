"""Pictures as a stream, and a detector on two streams. Alone: python -m pytest -n 0 tests/spotting/test_streams.py"""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from folds.make import main as make_folds
from miga.clips import load_clips, videos_as_clips
from miga.errors import InputError
from miga.rgb_store import clips_with_pictures, open_rgb_store
from miga.training.config import FitConfig
from preflight.check import check_films
from recordings.frames import read_frames
from recordings.rgb_store import build_rgb_store
from spotting.candidates import read_member
from spotting.config import DetectorConfig, override_parts
from spotting.early_stream import EarlyStream
from spotting.features import clip_starts
from spotting.profiles import PROFILES
from spotting.propose import main as propose
from spotting.rgb_stream import RgbStream
from spotting.stream_detector import StreamDetector
from spotting.streams import stream_key
from spotting.train import main as train
from spotting.trimmed import TrimmedClips
from spotting.views import View
from tests.spotting.test_train import TINY
from tests.spotting.tiny_videos import write_filmed_videos, write_tiny_videos
from tests.tiny_rgb import dot_centre, write_frames

CONFIG = PROFILES["smoke"]


@pytest.fixture
def stream(workdir) -> RgbStream:
    write_filmed_videos()
    build_rgb_store("tiny", CONFIG.rgb.picture_size, "track2")
    return RgbStream(load_clips("tiny", "track2"), CONFIG)


def test_the_store_of_videos_has_every_frame_of_each(stream):
    clips = videos_as_clips(stream.clips)
    assert clips.table.clip_id.tolist() == stream.clips.videos.video_id.tolist()
    assert np.diff(stream.store.first_frame).tolist() == stream.clips.videos.num_frames.tolist()
    shown = stream.store.read(stream.row["0001"], np.arange(150))
    centres = np.array([dot_centre(picture) for picture in shown])
    joints = stream.clips.joints_of_video("0001")[:, 0, 7, :2]
    left, top, right, _ = stream.store.boxes[stream.row["0001"]]
    expected = (joints - (left, top)) / (right - left) * stream.store.size
    assert np.abs(centres - expected).mean() < 1


def test_a_film_that_ends_a_little_before_its_skeleton_keeps_its_last_picture(workdir):
    clips = write_filmed_videos()
    shorten("0001", 145)
    assert check_films(clips) == "7 of 7 recordings have them, all that are trained on"
    build_rgb_store("tiny", 16, "track2")
    store = open_rgb_store("tiny", 16, "track2")
    shown = store.read(0, np.arange(150))
    assert all(np.array_equal(picture, shown[144]) for picture in shown[145:])


def test_a_film_of_another_length_is_told_before_any_training(workdir):
    clips = write_filmed_videos()
    shorten("0101", 100)  # a test recording: it has no pictures, the skeleton speaks alone
    build_rgb_store("tiny", 16, "track2")
    assert clips_with_pictures("tiny", 16, "track2").tolist() == [True] * 4 + [False, True, True]
    shorten("0002", 142)
    with pytest.raises(InputError, match=r"0002\.mp4: 142 frames, but the skeleton of 0002 has 150"):
        check_films(clips)
    with pytest.raises(InputError, match=r"0002\.mp4: no frame 149; the video has 142 frames"):
        build_rgb_store("tiny", 24, "track2")


def shorten(video_id: str, num_frames: int) -> None:
    """Write the first frames of a film in its place."""
    path = Path("films") / f"{video_id}.mp4"
    write_frames(path, list(read_frames(path, range(num_frames))))


def test_a_training_clip_shows_the_frames_of_its_joints(stream):
    trimmed = TrimmedClips(stream.clips, ["0001", "0002"], CONFIG.extractor)
    for row in range(0, len(trimmed.labels), 3):
        shown = stream.draw(trimmed, row, np.random.default_rng(row))["rgb"]
        assert shown.shape == (8, CONFIG.rgb.train_size, CONFIG.rgb.train_size, 3) and shown.dtype == np.uint8
        again = stream.draw(trimmed, row, np.random.default_rng(row))["rgb"]
        assert np.array_equal(shown, again)


def test_tokens_equal_clip_by_clip_extraction(stream):
    torch.manual_seed(0)
    model = stream.network().eval()
    config = override_parts(CONFIG, {"extractor.tokens": "features"})
    stream = RgbStream(stream.clips, config)
    for mirror in (False, True):
        tokens = stream.describe(model, "0001", View(mirror=mirror), torch.device("cpu"))
        starts = clip_starts(150, 8, 0.25)
        total, count = np.zeros_like(tokens, np.float64), np.zeros(150)
        for start in starts:
            pictures = stream.store.read(stream.row["0001"], start + np.arange(8))
            pictures = np.stack([resized(picture, config.rgb.test_size) for picture in pictures])
            pictures = pictures[:, :, ::-1].copy() if mirror else pictures
            with torch.no_grad():
                features = model.forward_frames(stream.to_input({"rgb": torch.from_numpy(pictures)[None]})["x"])
            total[start : start + 8] += features[0].numpy()
            count[start : start + 8] += 1
        np.testing.assert_allclose(tokens, total / count[:, None], atol=1e-4)


def resized(picture: np.ndarray, size: int) -> np.ndarray:
    import cv2

    return cv2.resize(picture, (size, size), interpolation=cv2.INTER_LINEAR)


def test_late_fusion_shares_the_tokens_of_its_streams_and_is_their_average(workdir, capsys):
    write_filmed_videos(without=("0103",))
    make_folds(["--run", "tiny", "--track", "track2", "--num-folds", "2"])
    common = ["--run", "tiny", "--profile", "smoke", "--jobs", "1", "--device", "cpu", *TINY]
    train([*common, "--member", "joint"])
    made = {path: path.stat().st_mtime_ns for path in Path("spotting/tiny/tokens").rglob("*.npy")}
    train([*common, "--member", "late"])
    assert all(path.stat().st_mtime_ns == when for path, when in made.items())
    train([*common, "--member", "late", "--name", "late_128", "--detector.window=128"])  # beside the other
    assert json.loads(Path("spotting/tiny/settings/late.json").read_text())["streams"] == ["joint", "rgb"]
    search = ["--search.min_threshold=0.01", "--device", "cpu", "--run", "tiny"]
    for member, stream in (("joint", ""), ("late", ""), ("late", "joint"), ("late", "rgb"), ("late_128", "")):
        propose([*search, "--member", member, "--streams", stream])
    names = {path.stem for path in Path("spotting/tiny/members").glob("*.npz")}
    assert names == {"joint", "late", "late_joint", "late_rgb", "late_128"}
    late, joint, rgb = (read_member("tiny", name).held_out()["0001"] for name in ("late", "late_joint", "late_rgb"))
    assert len(late) and not np.array_equal(late.score, joint.score) and not np.array_equal(late.score, rgb.score)
    # A test video without pictures: the skeleton speaks alone, the pictures say nothing.
    alone = read_member("tiny", "late_joint").test()["0103"]
    assert read_member("tiny", "late").test()["0103"].score.tolist() == alone.score.tolist()
    assert len(read_member("tiny", "late_rgb").test()["0103"]) == 0


def test_early_fusion_begins_with_both_pathways_and_proposes(workdir):
    write_filmed_videos()
    make_folds(["--run", "tiny", "--track", "track2", "--num-folds", "2"])
    train(["--run", "tiny", "--profile", "smoke", "--jobs", "1", "--device", "cpu", *TINY, "--member", "early"])
    propose(["--run", "tiny", "--member", "early", "--device", "cpu"])
    assert read_member("tiny", "early").facts["streams"] == ["early"]
    folders = sorted(path.name for path in Path("spotting/tiny/tokens").iterdir())
    assert [name.split("_")[0] for name in folders] == ["early", "joint", "rgb"]


def test_early_fusion_sees_joints_where_the_pictures_show_them(workdir):
    write_filmed_videos()
    build_rgb_store("tiny", CONFIG.rgb.picture_size, "track2")
    stream = EarlyStream(load_clips("tiny", "track2"), override_parts(CONFIG, {"rgb.train_size": "24"}))
    trimmed = TrimmedClips(stream.clips, ["0001", "0002"], CONFIG.extractor, CONFIG.early.clip_len)
    off = []
    for row in range(0, 16, 2):
        sample = stream.draw(trimmed, row, np.random.default_rng(row))
        for picture, frame in zip(sample["rgb"], range(1, 8, 2), strict=True):
            if (picture.min(-1) > 150).any():
                dot = dot_centre(picture) / 2  # heatmaps are half as large
                joints = sample["keypoints"][frame, 0]
                off.append(np.abs(joints[[4, 7], :2] - dot).max(1).min())
    assert len(off) > 10 and np.median(off) < 1.5


def test_the_same_tokens_in_both_streams_are_the_detector_of_one():
    """Where both projections are the same, so are the outputs, and their average is each of them."""
    torch.manual_seed(0)
    config = DetectorConfig(**vars(FitConfig()) | {"window": 64, "stem_channels": 16, "width": 16})
    detector = StreamDetector({"joint": 6, "rgb": 6}, 3, config).eval()
    detector.projections["rgb"].load_state_dict(detector.projections["joint"].state_dict())
    tokens, is_frame = torch.randn(2, 64, 6), torch.ones(2, 64, dtype=torch.bool)
    outputs = detector(is_frame, joint=tokens, rgb=tokens)
    for key, values in outputs["streams"]["joint"].items():
        torch.testing.assert_close(values, outputs["streams"]["rgb"][key])
    torch.testing.assert_close(outputs["logits"], outputs["streams"]["rgb"]["logits"])
    assert len(list(StreamDetector({"joint": 6}, 3, config).projections)) == 0


def test_other_settings_are_other_files():
    changed = override_parts(CONFIG, {"rgb.dropout": "0.4"})
    assert stream_key(CONFIG, "joint") == stream_key(changed, "joint")
    assert stream_key(CONFIG, "rgb") != stream_key(changed, "rgb")
    longer = override_parts(CONFIG, {"extractor.clip_len": "16"})
    assert stream_key(CONFIG, "rgb") != stream_key(longer, "rgb")
    assert stream_key(CONFIG, "rgb") == stream_key(override_parts(CONFIG, {"detector.window": "64"}), "rgb")


def test_without_pictures_one_sentence_before_any_training(workdir):
    write_tiny_videos()
    make_folds(["--run", "tiny", "--track", "track2", "--num-folds", "2"])
    with pytest.raises(InputError, match="the recordings have no RGB"):
        train(["--run", "tiny", "--profile", "smoke", "--member", "late"])
    write_filmed_videos("gaps", without=("0002",))
    make_folds(["--run", "gaps", "--track", "track2", "--num-folds", "2"])
    with pytest.raises(InputError, match=r"1 of 4 training clips have no RGB .* 0002"):
        train(["--run", "gaps", "--profile", "smoke", "--member", "rgb"])
