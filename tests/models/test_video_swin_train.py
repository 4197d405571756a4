"""Training Video Swin on filmed clips: finite logits for every clip, and starting from what was trained before.

Run alone: python -m pytest tests/models/test_video_swin_train.py
"""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from miga.clips import Clips, load_clips
from miga.errors import InputError
from miga.rgb_store import RgbStore
from miga.training.dataset import ViewSamples
from miga.training.predict import predict
from miga.transforms.rgb_clip import RgbClipTransform, normalise
from models.video_swin.config import PROFILES
from models.video_swin.entry import ENTRY, build_network
from models.video_swin.train import main
from recordings import rgb_build
from recordings.rgb_store import build_rgb_store
from tests.assembled import fold_of
from tests.tiny import tiny_clips, write_clips
from tests.tiny_rgb import filmed

CONFIG = PROFILES["smoke"]
CPU = torch.device("cpu")


@pytest.fixture
def clips(workdir, monkeypatch) -> Clips:
    monkeypatch.setattr(rgb_build, "NUM_PROCESSES", 1)  # starting processes takes longer than these videos
    write_clips(filmed(tiny_clips(), workdir / "films"), "tiny")
    build_rgb_store("tiny", CONFIG.picture_size)
    return load_clips("tiny", "track1")


def fold(clips: Clips, rows, wanted, folder: Path, config=CONFIG):
    return fold_of(ENTRY, config, clips, rows, wanted, folder)


def test_every_clip_gets_logits_that_do_not_depend_on_the_others(clips, tmp_path):
    train_rows, every = np.flatnonzero(clips.table.label >= 0), np.arange(len(clips))
    assert 1 in clips.table.num_frames.to_numpy() and any(not clips.joints_of(row).any() for row in every)
    logits = fold(clips, train_rows, every, tmp_path / "fold")
    assert logits.shape == (len(clips), clips.num_classes) and np.isfinite(logits).all()
    # weights.pt is there now: nothing is trained again.
    alone = fold(clips, train_rows, every[3:4], tmp_path / "fold")
    np.testing.assert_allclose(alone, logits[3:4], atol=1e-5)


def test_a_part_of_the_classes_starts_from_the_folds_own_weights(clips, tmp_path, capsys):
    rows = np.flatnonzero(clips.table.label >= 0)
    fold(clips, rows, rows[:1], tmp_path / "fold")
    table = clips.table.assign(label=clips.table.label.clip(upper=1))
    part = dataclasses.replace(clips, table=table, classes=("slow", "others"), mirror=np.arange(2))
    config = dataclasses.replace(CONFIG, epochs=1, weights=str(tmp_path / "fold" / "weights.pt"))
    logits = fold(part, lambda epoch: rows[epoch::2], rows[:5], tmp_path / "part", config)
    assert logits.shape == (5, 2) and np.isfinite(logits).all()
    assert "cls_head.fc_cls.weight: left as initialised: (4," in capsys.readouterr().out


def test_a_mirrored_recording_gets_the_same_logits_where_views_are_mirrored():
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (6, 32, 32, 3)).astype(np.uint8)
    transform = RgbClipTransform(clip_len=4, full_size=32, num_clips=1, flip_views=True)
    model = build_network(4, CONFIG).eval()

    def logits_of(shown: np.ndarray) -> np.ndarray:
        store = store_of(shown)
        samples = ViewSamples(np.array([0]), lambda row: transform.test_views(store, row, len(shown)))
        return predict(
            model,
            samples,
            prepare=lambda batch: {"rgb": normalise(batch["rgb"])},
            batch_size=1,
            precision="fp32",
            device=CPU,
        )

    np.testing.assert_allclose(logits_of(pictures), logits_of(pictures[:, :, ::-1]), atol=1e-5)


def store_of(pictures: np.ndarray) -> RgbStore:
    """One clip of (T, S, S, 3) uint8."""
    size, count = pictures.shape[1], pictures[0].size
    index = np.array([(0, i * count, (i + 1) * count) for i in range(len(pictures))])
    boxes = np.array([[0, 0, size, size]], np.float32)
    return RgbStore(size, boxes, np.array([0, len(pictures)]), index, (np.ascontiguousarray(pictures).ravel(),), True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--size", "XL"], "--size XL: expected one of T, S, B"),
        (["--pretrained", "kinetics"], "--pretrained kinetics: expected none or imagenet"),
        (["--window", "8,7"], "--window .* expected three lengths"),
    ],
)
def test_wrong_settings_are_named(arguments, message, workdir):
    with pytest.raises(InputError, match=message):
        main(["--run", "tiny", "--profile", "smoke", *arguments])
