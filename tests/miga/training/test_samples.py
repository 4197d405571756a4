"""Samples in training and views in testing: python -m pytest tests/miga/training/test_samples.py"""

import os

import numpy as np
import pytest
import torch
from torch import nn

from miga.training.dataset import TrainSamples, ViewSamples, batches_in_epoch, steps_in_epoch, train_batches
from miga.training.predict import predict

ROWS = np.arange(16)
LABELS = ROWS % 3
CPU = torch.device("cpu")


def sample_clip(row: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    return {"input": rng.normal(row, 0.3, 6).astype(np.float32)}


def rows_of_epochs(samples: TrainSamples, epochs: range, num_workers: int = 0) -> list[list[int]]:
    """Rows of each epoch in the order in which they come, 4 a batch."""
    rows = torch.cat([batch["row"] for batch in train_batches(samples, 4, epochs, 0, num_workers)])
    return rows.view(len(epochs), -1).tolist()


def test_every_clip_once_an_epoch_in_an_order_of_its_own():
    samples = TrainSamples(ROWS, LABELS, sample_clip, 0)
    orders = rows_of_epochs(samples, range(3))
    assert all(sorted(order) == ROWS.tolist() for order in orders) and orders[0] != orders[1]
    assert rows_of_epochs(samples, range(1, 2)) == [orders[1]], "a training that resumes goes on with the same"


def test_a_small_last_batch_is_left_out_but_not_the_only_one():
    samples = TrainSamples(np.arange(7), LABELS, sample_clip, 0)
    assert [len(batch["row"]) for batch in train_batches(samples, 3, range(2), 0, 0)] == [3, 3, 3, 3]
    assert [len(batch["row"]) for batch in train_batches(samples, 8, range(2), 0, 0)] == [7, 7]
    assert (batches_in_epoch(7, 3), batches_in_epoch(7, 8), steps_in_epoch(7, 3, 4)) == (2, 1, 1)


@pytest.mark.parametrize("num_workers", [1, 2, 3])
def test_workers_make_the_same_samples_and_live_through_all_epochs(num_workers):
    """Rows are drawn anew for each epoch, as a tail training does: a worker has to learn which epoch it is."""

    def rows_of_epoch(epoch: int) -> np.ndarray:
        return np.random.default_rng([9, epoch]).choice(ROWS, 13)

    def sample_with_pid(row: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        return {**sample_clip(row, rng), "pid": np.array(os.getpid())}

    made = []
    for workers in (0, num_workers):
        samples = TrainSamples(rows_of_epoch, LABELS, sample_with_pid, 0)
        made.append(list(train_batches(samples, 4, range(2, 7), 0, workers)))
    assert len(made[0]) == len(made[1]) == 5 * 3
    for alone, helped in zip(*made, strict=True):
        assert all(torch.equal(alone[key], helped[key]) for key in ("input", "label", "row"))
    pids = {int(pid) for batch in made[1] for pid in batch["pid"]}
    assert len(pids) == num_workers and os.getpid() not in pids


def test_a_row_that_comes_again_is_another_sample():
    samples = TrainSamples(np.array([3, 5, 3, 3, 5]), LABELS, sample_clip, 0)
    once = TrainSamples(ROWS, LABELS, sample_clip, 0)
    drawn = [samples[0, index]["input"] for index in range(5)]
    assert torch.equal(drawn[0], once[0, 3]["input"]) and torch.equal(drawn[1], once[0, 5]["input"])
    assert len({tuple(sample.tolist()) for sample in drawn}) == 5
    assert [samples[0, index]["row"].item() for index in range(5)] == [3, 5, 3, 3, 5]


def test_a_mirrored_sample_has_the_class_of_its_mirror_image():
    def sample_mirrored(row: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        return {**sample_clip(row, rng), "mirrored": np.array(row % 2 == 1)}

    samples = TrainSamples(ROWS, LABELS, sample_mirrored, 0, mirror=np.array([0, 2, 1]))
    for row in ROWS:
        expected = {0: 0, 1: 2, 2: 1}[row % 3] if row % 2 else row % 3
        assert samples[0, row]["label"].item() == expected and set(samples[0, row]) == {"input", "label", "row"}
    own = TrainSamples(ROWS, LABELS, sample_mirrored, 0)
    assert [own[0, row]["label"].item() for row in ROWS] == LABELS.tolist()


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
