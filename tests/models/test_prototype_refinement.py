"""Prototypical refinement: its loss against a slow plain version, its derivatives, what moves the prototypes.

Run alone: python -m pytest tests/models/test_prototype_refinement.py
"""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.prototype.refinement import (
    PrototypicalRefinement,
    centres,
    contrast,
    outcomes,
    penalties,
    refinement_loss,
)


def random_batch(batch: int, num_classes: int, dims: int, seed: int):
    generator = torch.Generator().manual_seed(seed)
    embedded = torch.randn(batch, dims, generator=generator)
    logits = torch.randn(batch, num_classes, generator=generator)
    return embedded, logits, torch.randint(num_classes, (batch,), generator=generator)


def new_refinement(num_classes: int, dims: int, seed: int = 0) -> PrototypicalRefinement:
    torch.manual_seed(seed)
    return PrototypicalRefinement(6, num_classes, dims)


# ------------------------------------------------------------------------------------------ loss


def cosine(a: list[float], b: list[float]) -> float:
    norms = math.sqrt(sum(x * x for x in a)) * math.sqrt(sum(y * y for y in b))
    return sum(x * y for x, y in zip(a, b, strict=True)) / norms


def mean(rows: list[list[float]]) -> list[float]:
    return [sum(column) / len(rows) for column in zip(*rows, strict=True)]


def slow_loss(embedded, logits, labels, prototypes, momentum, tau, hits_only) -> tuple[float, list[list[float]]]:
    """One clip and one class at a time; returns the loss and the prototypes after the batch."""
    embedded, logits, labels = embedded.tolist(), logits.tolist(), labels.tolist()
    prototypes = prototypes.tolist()
    predicted = [row.index(max(row)) for row in logits]
    clips = range(len(labels))
    hit, missed, intruder = {}, {}, {}
    for k in range(len(prototypes)):
        hit[k] = [embedded[i] for i in clips if labels[i] == k and predicted[i] == k]
        missed[k] = [embedded[i] for i in clips if labels[i] == k and predicted[i] != k]
        intruder[k] = [embedded[i] for i in clips if labels[i] != k and predicted[i] == k]
        if hit[k]:
            new = mean(hit[k])
            prototypes[k] = [momentum * old + (1 - momentum) * x for old, x in zip(prototypes[k], new, strict=True)]
    total = 0.0
    for i in clips:
        k = labels[i]
        probability = math.exp(logits[i][k]) / sum(math.exp(z) for z in logits[i])
        gets_penalty = predicted[i] == k or not hits_only
        phi = 1 - cosine(embedded[i], mean(missed[k])) if gets_penalty and missed[k] else 0.0
        psi = 1 + cosine(embedded[i], mean(intruder[k])) if gets_penalty and intruder[k] else 0.0
        scores = [math.exp(cosine(embedded[i], prototype) / tau) for prototype in prototypes]
        for penalty in (psi, phi):
            own = math.exp(math.log(scores[k]) - (1 - probability) * penalty)
            total -= math.log(own / (own + sum(scores) - scores[k]))
    return total / len(labels), prototypes


@given(st.integers(1, 12), st.integers(2, 5), st.integers(2, 6), st.booleans(), st.integers(0, 10_000))
def test_the_loss_and_the_prototypes_equal_the_slow_ones(batch, num_classes, dims, hits_only, seed):
    embedded, logits, labels = random_batch(batch, num_classes, dims, seed)
    refinement = new_refinement(num_classes, dims, seed)
    expected, prototypes = slow_loss(embedded, logits, labels, refinement.prototypes, 0.9, 0.125, hits_only)
    loss = refinement_loss(refinement, embedded, logits, labels, hits_only=hits_only)
    assert loss.item() == pytest.approx(expected, rel=1e-3, abs=1e-4)
    torch.testing.assert_close(refinement.prototypes, torch.tensor(prototypes), rtol=1e-4, atol=1e-5)


def test_the_two_versions_differ_where_a_clip_is_missed():
    embedded, logits, labels = random_batch(12, 2, 4, seed=0)
    one, other = (
        refinement_loss(new_refinement(2, 4), embedded, logits, labels, hits_only=flag) for flag in (True, False)
    )
    assert other > one  # more clips with penalties


def test_derivatives_by_the_four_similarities():
    """A unit vector F and others placed so that the similarities are given; the loss is a function of those alone."""
    own, others, to_missed, to_intruder = 0.4, (0.1, 0.2), 0.1, 0.3
    similarity = torch.tensor([[own, *others]], requires_grad=True)
    centre = torch.tensor([to_missed, to_intruder], requires_grad=True)
    probability, labels = torch.tensor([0.6]), torch.tensor([0])
    phi, psi = 1 - centre[:1], 1 + centre[1:]
    loss = contrast(similarity, probability, labels, psi, 0.125) + contrast(similarity, probability, labels, phi, 0.125)
    loss.sum().backward()
    torch.testing.assert_close(similarity.grad, torch.tensor([[-5.00, 1.55, 3.45]]), rtol=0, atol=0.005)
    torch.testing.assert_close(centre.grad, torch.tensor([-0.118, 0.132]), rtol=0, atol=0.0005)


def towards(target: torch.Tensor, embedded: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
    """How fast the similarity with `target` grows when `embedded` follows the negative gradient."""
    embedded = embedded.detach().requires_grad_()
    torch.cosine_similarity(embedded, target, dim=0).backward()
    return -(embedded.grad @ gradient)


def test_signs_through_the_whole_loss():
    """Clip 0 is recognised, 1 is a missed clip of its class, 2 an intruder: a small step pulls and pushes as meant."""
    refinement = new_refinement(3, 4)
    refinement.eval()  # the prototypes stay, so each pull is seen alone
    refinement.prototypes = torch.eye(4)[:3].clone()
    embedded = torch.tensor([[0.6, 0.3, 0.2, 0.7], [0.1, 0.8, 0.1, -0.4], [0.2, 0.1, 0.7, 0.5]], requires_grad=True)
    logits = torch.tensor([[1.0, 0.0, 0.5], [0.0, 1.0, 0.5], [1.0, 0.0, 0.5]])
    labels = torch.tensor([0, 0, 2])
    phi, psi = penalties(embedded, labels, logits.argmax(1), 3)
    assert phi[0] > 0 and psi[0] > 0 and phi[1:].eq(0).all() and psi[1:].eq(0).all()
    clip = embedded[0].detach()
    for penalty, other, sign in ((phi, embedded[1], 1), (psi, embedded[2], -1)):
        gradient = torch.autograd.grad(penalty[0], embedded, retain_graph=True)[0]
        assert sign * towards(other.detach(), clip, gradient[0]) > 0
        assert sign * towards(clip, other, gradient[1 if sign > 0 else 2]) > 0  # and the other moves as well
    refinement_loss(refinement, embedded, logits, labels).backward()
    for i, label in enumerate(labels.tolist()):
        assert towards(refinement.prototypes[label], embedded[i], embedded.grad[i]) > 0


def test_an_unsure_clip_is_held_back_more():
    similarity, labels = torch.zeros(1, 3), torch.tensor([0])
    sure, unsure = (contrast(similarity, torch.tensor([p]), labels, torch.ones(1), 0.125) for p in (0.9, 0.4))
    none = contrast(similarity, torch.tensor([0.4]), labels, torch.zeros(1), 0.125)
    assert unsure > sure > none


def test_probability_carries_gradient():
    embedded, logits, labels = random_batch(8, 2, 4, seed=1)
    logits.requires_grad_()
    refinement_loss(new_refinement(2, 4), embedded, logits, labels).backward()
    assert logits.grad.abs().sum() > 0


# ------------------------------------------------------------------------------------------ sets and prototypes


@given(st.integers(1, 10), st.integers(1, 5), st.integers(0, 1000))
def test_every_clip_has_one_outcome_for_its_class(batch, num_classes, seed):
    _, logits, labels = random_batch(batch, num_classes, 2, seed)
    predicted = logits.argmax(1)
    hits, missed, intruders = outcomes(labels, predicted, num_classes)
    clips = torch.arange(batch)
    assert ((hits | missed).sum(0) == 1).all() and (hits | missed)[labels, clips].all()
    assert torch.equal(intruders.any(0), labels != predicted)


def test_empty_sets_give_no_penalty_and_finite_gradients():
    embedded = torch.zeros(2, 4, requires_grad=True)  # even where a similarity has no direction
    logits = torch.eye(2) * 9
    loss = refinement_loss(new_refinement(2, 4), embedded, logits, torch.tensor([0, 1]))
    loss.backward()
    assert torch.isfinite(embedded.grad).all()
    phi, psi = penalties(torch.randn(2, 4), torch.tensor([0, 1]), torch.tensor([0, 1]), 2)
    assert phi.eq(0).all() and psi.eq(0).all()
    assert centres(torch.randn(2, 4), torch.zeros(3, 2, dtype=torch.bool)).eq(0).all()


def test_only_recognised_clips_move_a_prototype():
    refinement = new_refinement(3, 4)
    before = refinement.prototypes.clone()
    embedded, labels = torch.randn(4, 4), torch.tensor([0, 0, 0, 1])
    refinement.move_prototypes(embedded, labels, predicted=torch.tensor([0, 0, 1, 2]))
    torch.testing.assert_close(refinement.prototypes[0], 0.9 * before[0] + 0.1 * embedded[:2].mean(0))
    assert torch.equal(refinement.prototypes[1:], before[1:])


def test_the_batch_part_of_a_prototype_carries_gradient_and_the_stored_one_does_not():
    refinement = new_refinement(2, 4)
    embedded = torch.randn(2, 4, requires_grad=True)
    moved = refinement.move_prototypes(embedded, torch.tensor([0, 1]), torch.tensor([0, 0]))
    moved.sum().backward()
    torch.testing.assert_close(embedded.grad, torch.tensor([[0.1] * 4, [0.0] * 4]))
    assert not refinement.prototypes.requires_grad


def test_eval_moves_nothing():
    refinement = new_refinement(3, 4).eval()
    before = refinement.prototypes.clone()
    embedded, logits, labels = random_batch(9, 3, 4, seed=0)
    refinement_loss(refinement, embedded, logits, labels)
    refinement(torch.randn(2, 6, 2, 3, 3))
    refinement.similarity(embedded)
    assert torch.equal(refinement.prototypes, before)


def test_prototypes_travel_with_the_state_dict():
    refinement = new_refinement(3, 4)
    embedded, logits, labels = random_batch(9, 3, 4, seed=0)
    refinement_loss(refinement, embedded, logits, labels)
    resumed = new_refinement(3, 4, seed=1)
    resumed.load_state_dict(refinement.state_dict())
    after = [refinement_loss(part, embedded, logits, labels) for part in (refinement, resumed)]
    assert torch.equal(*after) and torch.equal(refinement.prototypes, resumed.prototypes)


def test_the_embedding_is_the_mean_over_time_then_the_maximum_over_the_picture():
    refinement = new_refinement(3, 4)
    features = torch.randn(2, 6, 5, 3, 3)
    pooled = torch.stack([torch.stack([clip[c].mean(0).max() for c in range(6)]) for clip in features])
    torch.testing.assert_close(refinement(features), pooled @ refinement.fc.weight.T + refinement.fc.bias)


def test_similarities_are_exact_under_half_precision():
    refinement = new_refinement(3, 16)
    embedded, logits, labels = random_batch(6, 3, 16, seed=0)
    plain = refinement_loss(new_refinement(3, 16), embedded, logits, labels)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(refinement_loss(refinement, embedded, logits, labels), plain)
