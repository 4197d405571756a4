"""GE-CN's loss against slow plain versions. Alone: `python -m pytest tests/models/test_gecn_loss.py`."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from miga.errors import InputError
from models.gecn.loss import GECNLoss, class_mean_discrepancy, orthogonal_prior


def random_batch(batch: int, num_classes: int, z_dim: int, seed: int):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(batch, num_classes, generator=generator, dtype=torch.float64)
    z = torch.randn(batch, z_dim, generator=generator, dtype=torch.float64)
    labels = torch.randint(num_classes, (batch,), generator=generator)
    return {"logits": logits, "z": z}, labels


def slow_loss(outputs, labels, loss: GECNLoss) -> float:
    """The three terms, one clip, class and dimension at a time."""
    logits, z, prior = outputs["logits"].tolist(), outputs["z"].tolist(), loss.prior.tolist()
    num_classes, dims = len(prior), len(prior[0])
    cross_entropy = 0.0
    for row, label in zip(logits, labels.tolist(), strict=True):
        log_total = math.log(sum(math.exp(value) for value in row))
        target = [loss.smoothing / num_classes + (1 - loss.smoothing) * (k == label) for k in range(num_classes)]
        cross_entropy -= sum(q * (value - log_total) for q, value in zip(target, row, strict=True)) / len(logits)
    mean = [sum(clip[d] for clip in z) / len(z) for d in range(dims)]
    distances = []
    for k in range(num_classes):
        own = [clip for clip, label in zip(z, labels.tolist(), strict=True) if label == k]
        if own:
            distances += [(sum(clip[d] for clip in own) / len(own) - prior[k][d]) ** 2 for d in range(dims)]
    discrepancy = sum(distances) / len(distances)
    return cross_entropy + loss.lambda_1 * math.hypot(*mean) + loss.lambda_2 * discrepancy


@given(st.integers(1, 9), st.integers(2, 6), st.integers(6, 8), st.integers(0, 1000))
def test_the_loss_equals_the_slow_one(batch, num_classes, z_dim, seed):
    outputs, labels = random_batch(batch, num_classes, z_dim, seed)
    loss = GECNLoss(num_classes, z_dim, lambda_1=0.3).double()
    assert float(loss(outputs, {"label": labels}, 0)) == pytest.approx(slow_loss(outputs, labels, loss), rel=1e-9)


@given(st.permutations(range(6)))
def test_the_order_of_clips_does_not_matter(order):
    outputs, labels = random_batch(6, 4, 8, seed=0)
    loss = GECNLoss(4, 8).double()
    shuffled = {name: value[list(order)] for name, value in outputs.items()}
    assert float(loss(shuffled, {"label": labels[list(order)]}, 0)) == pytest.approx(
        float(loss(outputs, {"label": labels}, 0)), rel=1e-12
    )


def test_prior_directions_are_at_right_angles_and_repeat():
    prior = orthogonal_prior(32, 256, gain=3)
    torch.testing.assert_close(prior @ prior.T, 9 * torch.eye(32), atol=1e-4, rtol=0)
    assert torch.equal(prior, orthogonal_prior(32, 256, gain=3))


def test_more_classes_than_dimensions_are_refused():
    with pytest.raises(InputError, match="33 classes need as many dimensions of z, got 32"):
        GECNLoss(33, 32)


def test_gradients_pull_the_class_mean_to_its_prior_and_leave_absent_classes_alone():
    prior = orthogonal_prior(3, 4, gain=3)
    z = torch.zeros(2, 4, requires_grad=True)
    class_mean_discrepancy(z, torch.tensor([0, 0]), prior).backward()
    torch.testing.assert_close(z.grad, -prior[0].expand(2, 4) / 4)  # mean over D of 2 (mean z - prior) / 2 clips
    moved = torch.zeros(2, 4) - z.grad
    assert class_mean_discrepancy(moved, torch.tensor([0, 0]), prior) < class_mean_discrepancy(
        torch.zeros(2, 4), torch.tensor([0, 0]), prior
    )


def test_the_offset_shrinks_the_mean_of_z_only():
    loss = GECNLoss(2, 4, lambda_1=1.0, lambda_2=0.0)
    z = torch.tensor([[1.0, 2.0, 0.0, 0.0], [1.0, -2.0, 0.0, 0.0]], requires_grad=True)
    loss({"logits": torch.zeros(2, 2), "z": z}, {"label": torch.tensor([0, 1])}, 0).backward()
    torch.testing.assert_close(z.grad, torch.tensor([[0.5, 0, 0, 0], [0.5, 0, 0, 0]]))


def test_gradients_are_finite_when_every_z_is_zero():
    z = torch.zeros(3, 8, requires_grad=True)
    GECNLoss(4, 8)({"logits": torch.zeros(3, 4), "z": z}, {"label": torch.tensor([0, 1, 1])}, 0).backward()
    assert torch.isfinite(z.grad).all()


def test_cross_entropy_raises_the_right_logit():
    logits = torch.zeros(1, 3, requires_grad=True)
    GECNLoss(3, 8)({"logits": logits, "z": torch.zeros(1, 8)}, {"label": torch.tensor([1])}, 0).backward()
    assert logits.grad[0, 1] < 0 < logits.grad[0, 0] == logits.grad[0, 2]
