"""Samples in training and views in testing: python -m pytest tests/miga/training/test_samples.py"""

import numpy as np
import torch
from torch import nn

from miga.training.dataset import TrainSamples, ViewSamples, epoch_batches
from miga.training.predict import predict

ROWS = np.arange(16)
LABELS = ROWS % 3
CPU = torch.device("cpu")


def sample_clip(row: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    return {"input": rng.normal(row, 0.3, 6).astype(np.float32)}


def test_every_clip_once_an_epoch_in_an_order_of_its_own():
    samples = TrainSamples(ROWS, LABELS, sample_clip, 0)
    orders = [torch.cat([b["row"] for b in epoch_batches(samples, 4, epoch, 0, 0)]).tolist() for epoch in (0, 1, 0)]
    assert sorted(orders[0]) == ROWS.tolist() and orders[0] != orders[1] and orders[0] == orders[2]


def test_a_row_that_comes_again_is_another_sample():
    samples = TrainSamples(np.array([3, 5, 3, 3, 5]), LABELS, sample_clip, 0)
    once = TrainSamples(ROWS, LABELS, sample_clip, 0)
    drawn = [samples[index]["input"] for index in range(5)]
    assert torch.equal(drawn[0], once[3]["input"]) and torch.equal(drawn[1], once[5]["input"])
    assert len({tuple(sample.tolist()) for sample in drawn}) == 5
    assert [samples[index]["row"].item() for index in range(5)] == [3, 5, 3, 3, 5]


def test_a_mirrored_sample_has_the_class_of_its_mirror_image():
    def sample_mirrored(row: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        return {**sample_clip(row, rng), "mirrored": np.array(row % 2 == 1)}

    samples = TrainSamples(ROWS, LABELS, sample_mirrored, 0, mirror=np.array([0, 2, 1]))
    for row in ROWS:
        expected = {0: 0, 1: 2, 2: 1}[row % 3] if row % 2 else row % 3
        assert samples[row]["label"].item() == expected and set(samples[row]) == {"input", "label", "row"}
    own = TrainSamples(ROWS, LABELS, sample_mirrored, 0)
    assert [own[row]["label"].item() for row in ROWS] == LABELS.tolist()


def test_a_mirrored_view_votes_for_the_mirror_images():
    views = np.random.default_rng(1).normal(size=(5, 2, 3)).astype(np.float32)
    logits = predict(
        nn.Identity(),
        ViewSamples(np.arange(5), lambda row: {"input": views[row], "mirrored": np.array([False, True])}),
        prepare=lambda batch: batch,
        batch_size=2,
        precision="fp32",
        device=CPU,
        mirror=np.array([0, 2, 1]),
    )
    plain, mirrored = torch.from_numpy(views).softmax(-1).unbind(1)
    expected = (plain + mirrored[:, [0, 2, 1]]) / 2
    torch.testing.assert_close(torch.from_numpy(logits).softmax(-1), expected)


def test_views_are_averaged_as_probabilities():
    model = nn.Identity()
    views = np.random.default_rng(0).normal(size=(5, 3, 4)).astype(np.float32)
    logits = predict(
        model,
        ViewSamples(np.arange(5), lambda row: {"input": views[row]}),
        prepare=lambda batch: batch,
        batch_size=2,
        precision="fp32",
        device=CPU,
    )
    expected = torch.from_numpy(views).softmax(-1).mean(1)
    torch.testing.assert_close(torch.from_numpy(logits).softmax(-1), expected)
