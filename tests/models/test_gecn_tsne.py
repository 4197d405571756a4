"""The t-SNE figure of GE-CN. Alone: `python -m pytest tests/models/test_gecn_tsne.py`."""

import dataclasses

import numpy as np
import pytest
import torch

from folds.make import main as make_folds
from miga.errors import InputError
from miga.paths import fold_checkpoint_dir, report_dir
from miga.training.checkpoint import save_checkpoint
from models.gecn.config import PROFILES
from models.gecn.entry import build_network
from models.gecn.tsne import bottlenecks, draw_tsne, embed, main
from tests.tiny import tiny_clips, write_clips


def blobs(sizes: tuple[int, ...], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(sizes)), sizes)
    return rng.normal(size=(len(labels), 6)) + 20 * rng.normal(size=(len(sizes), 6))[labels], labels


def shown(axes) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_the_left_panel_shows_the_four_largest_classes_and_the_right_one_all():
    z, labels = blobs((9, 2, 8, 7, 3, 8))
    left, right = draw_tsne(z, labels, tuple("abcdef")).axes
    assert shown(left) == ["0 a (9)", "2 c (8)", "3 d (7)", "5 f (8)"]
    assert shown(right) == ["0 a (9)", "1 b (2)", "2 c (8)", "3 d (7)", "4 e (3)", "5 f (8)"]
    assert sum(len(points.get_offsets()) for points in right.collections) == 37


def test_far_classes_are_apart_in_the_plane_and_the_picture_repeats():
    z, labels = blobs((12, 12))
    points = embed(z)
    np.testing.assert_array_equal(points, embed(z))
    distances = np.linalg.norm(points[:, None] - points[None], axis=-1) + 1e9 * np.eye(len(z))
    assert (labels[distances.argmin(1)] == labels).all()


def test_too_few_clips_are_refused():
    with pytest.raises(InputError, match="at least 4 labelled clips, got 3"):
        draw_tsne(np.zeros((3, 2)), np.zeros(3, int), ("a",))


def test_the_command_draws_once_and_says_when_it_cannot(workdir, capsys):
    clips = tiny_clips()
    write_clips(clips, "tiny")
    make_folds(["--run", "tiny", "--num-folds", "2"])
    with pytest.raises(InputError, match=r"not trained yet; run `python -m models.gecn.train --run tiny`"):
        main(["--run", "tiny"])
    weights = fold_checkpoint_dir("tiny", "gecn", 0) / "weights.pt"
    config = PROFILES["smoke"]
    torch.manual_seed(0)
    model = build_network(clips, config)
    plain = {key: list(v) if isinstance(v, tuple) else v for key, v in dataclasses.asdict(config).items()}
    save_checkpoint(weights, {"model": model.state_dict(), "fingerprint": {"config": plain}})
    main(["--run", "tiny"])
    main(["--run", "tiny"])
    assert "already there" in capsys.readouterr().out
    assert (report_dir("tiny") / "gecn_tsne.png").read_bytes().startswith(b"\x89PNG")
    assert bottlenecks(clips, np.arange(5), weights).shape == (5, model.z_dim)
