"""Batch statistics of new people: python -m pytest tests/miga/training/test_adapt.py"""

import copy

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from miga.training import adapt
from miga.training.adapt import MIN_CLIPS, PRIOR, adapted, clips_by_person
from miga.training.seeding import seed_torch
from miga.training.verbs import even_batch


def network() -> nn.Module:
    """Statistics like those after training on inputs of mean 1 and spread 2."""
    seed_torch(0)
    model = nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, 3))
    model[0].running_mean.fill_(1.0)
    model[0].running_var.fill_(4.0)
    return model.eval()


def show(batches: list[torch.Tensor]):
    def run(model: nn.Module) -> None:
        for batch in batches:
            model(batch)

    return run


def test_the_statistics_are_mixed_by_the_number_of_clips():
    model, clips = network(), torch.randn(24, 4) * 3 + 5
    own = adapted(model, show([clips]), num_clips=24)
    share = 24 / (24 + PRIOR)
    torch.testing.assert_close(own[0].running_mean, share * clips.mean(0) + (1 - share) * 1.0)
    torch.testing.assert_close(own[0].running_var, share * clips.var(0) + (1 - share) * 4.0)
    assert not own.training and not own[0].training


def test_several_batches_count_alike():
    batches = list(torch.randn(3, 8, 4))
    own = adapted(network(), show(batches), num_clips=24)
    means = torch.stack([batch.mean(0) for batch in batches]).mean(0)
    share = 24 / (24 + PRIOR)
    torch.testing.assert_close(own[0].running_mean, share * means + (1 - share))


def test_the_network_itself_stays_as_it_was():
    model = network()
    before = copy.deepcopy(model.state_dict())
    own = adapted(model, show([torch.randn(20, 4)]), num_clips=20)
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    assert own is not model and torch.equal(own[1].weight, model[1].weight) and not model[0].training


def test_what_shifts_every_feature_of_a_person_goes_away(monkeypatch):
    monkeypatch.setattr(adapt, "PRIOR", 0)
    clips = torch.randn(30, 4)
    shifted = clips * torch.tensor([3.0, 0.5, 1.0, 2.0]) + torch.tensor([-7.0, 0.0, 4.0, 1.0])
    answers = [adapted(network(), show([seen]), num_clips=30)(seen) for seen in (clips, shifted)]
    torch.testing.assert_close(*answers, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(("model", "num_clips"), [(network(), MIN_CLIPS - 1), (nn.Linear(4, 3), 100)])
def test_few_clips_or_no_batch_norm_change_nothing(model, num_clips):
    def never(network: nn.Module) -> None:
        raise AssertionError("nothing to show")

    assert adapted(model, never, num_clips) is model


@given(st.integers(1, 300), st.integers(1, 64))
def test_batches_of_like_size(num_clips, largest):
    size = even_batch(num_clips, largest)
    batches = -(-num_clips // size)
    assert 1 <= size <= largest and batches == -(-num_clips // largest)
    assert num_clips - (batches - 1) * size > size - batches, "the last batch lacks less than one clip a batch"


def test_clips_belong_to_a_person_else_to_a_video():
    table = pd.DataFrame({"video_id": ["1", "2", "3", "3", "1"], "subject_id": ["9", "9", "", "", "9"]})
    groups = [places.tolist() for places in clips_by_person(table, np.array([4, 3, 0, 2, 1]))]
    assert groups == [[0, 2, 4], [1, 3]]
    named_alike = pd.DataFrame({"video_id": ["9", "1"], "subject_id": ["", "9"]})
    assert len(list(clips_by_person(named_alike, np.arange(2)))) == 2
