"""Gradients that are wrong stop a training, right ones never: python -m pytest tests/miga/training/test_watch.py"""

import csv
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from miga.training import fit as fit_module
from miga.training.checkpoint import load_checkpoint
from miga.training.watch import (
    LOOK_EVERY,
    OVERFLOWS,
    WARM_UP,
    EpochFigures,
    GradientError,
    NonFiniteLossError,
    Shown,
    TrainingWatch,
)
from tests.miga.training.test_fit import CONFIG, network, run

CURE = "lower --lr"


def shown(*clip_ids: str, loss: float = 1.0, num_right: int = 0) -> Shown:
    return Shown(list(clip_ids), torch.tensor(loss), torch.tensor(num_right))


def watched(norms, may_overflow: bool = False) -> TrainingWatch:
    """A watch that has seen steps of these norms, all of it in the second of two layers."""
    model = nn.Sequential(nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False))
    watch = TrainingWatch(model, may_overflow, CURE)
    for number, norm in enumerate(norms, start=1):
        model[0].weight.grad = torch.zeros(1, 1)
        model[1].weight.grad = torch.full((1, 1), float(norm))
        watch.measure(0, number, [shown(f"clip{number}")])
    return watch


@given(st.integers(0, 2**32 - 1), st.sampled_from([1e-6, 1.0, 1e4]), st.integers(1, 400))
@settings(max_examples=30, deadline=None)
def test_heavy_tails_are_right(seed, scale, num_steps):
    """Norms whose logarithm is normal with a deviation of 1.5: one in a thousand is a hundred times the median."""
    norms = (scale * np.exp(np.random.default_rng(seed).normal(0, 1.5, num_steps))).astype(np.float32)
    figures = watched(norms).end_epoch()
    assert figures.grad_norm == pytest.approx(np.median(norms), rel=1e-5)
    assert figures.grad_norm_max == pytest.approx(norms.max())


@given(st.integers(0, 99), st.sampled_from([1e9, 1e31, np.inf, np.nan]))
@settings(max_examples=30, deadline=None)
def test_one_wrong_step_is_named_wherever_it_comes(place, wrong):
    norms = np.full(100, 3.0)
    norms[place] = wrong
    with pytest.raises(
        GradientError, match=rf"^the gradient of 1\.weight .* in step {place + 1} of epoch 1 .*clip{place + 1};"
    ):
        watched(norms).end_epoch()


def test_a_set_learned_by_heart_may_meet_a_hard_clip():
    """Norms fall to nothing when every clip is known; then a mirrored or noisy one comes."""
    watched([*np.geomspace(30, 1e-7, 1200), 500.0]).end_epoch()


def test_steps_are_looked_at_now_and_then_and_at_the_end_of_the_epoch():
    watch = watched([3.0] * WARM_UP + [np.nan])
    with pytest.raises(GradientError, match=f"in step {WARM_UP + 1} of epoch 1 on the clips clip{WARM_UP + 1}; {CURE}"):
        watch.end_epoch()
    with pytest.raises(GradientError):
        watched([np.nan] * LOOK_EVERY)


def test_fp16_may_overflow_now_and_then_but_not_for_ever():
    watch = watched([*[np.inf] * 16, *[3.0] * 40, np.inf, 3.0], may_overflow=True)
    figures = watch.end_epoch()
    assert figures.grad_norm == figures.grad_norm_max == 3.0
    with pytest.raises(GradientError, match=f"in step {OVERFLOWS + 1} "):
        watched([np.inf] * (OVERFLOWS + LOOK_EVERY), may_overflow=True)


def test_a_wrong_loss_is_told_as_such_but_not_where_a_wrong_gradient_came_before():
    model = nn.Linear(1, 1, bias=False)
    for norms, expected in (((1.0, np.nan), NonFiniteLossError), ((np.nan, np.nan), GradientError)):
        watch = TrainingWatch(model, False, CURE)
        for number, (norm, loss) in enumerate(zip(norms, (1.0, np.nan), strict=True), start=1):
            model.weight.grad = torch.full((1, 1), norm)
            watch.measure(4, number, [shown("a", "b"), shown(f"clip{number}", loss=loss)])
        with pytest.raises(expected, match=r"(?s)epoch 5 on the clips .*clip\d; lower") as caught:
            watch.look()
        wanted = "loss is nan in epoch 5 on the clips clip2;" if expected is NonFiniteLossError else "in step 1 of"
        assert wanted in str(caught.value)


def test_an_epoch_is_summed_up_over_its_clips_and_begins_anew():
    model = nn.Linear(1, 1, bias=False)
    watch = TrainingWatch(model, False, CURE)
    for _ in range(2):
        for number in range(1, LOOK_EVERY + 4):
            model.weight.grad = torch.full((1, 1), 2.0)
            watch.measure(0, number, [shown("a", "b", "c", loss=1.0, num_right=2), shown("d", loss=3.0)])
        assert watch.end_epoch() == EpochFigures(1.5, 0.5, 2.0, 2.0)


def test_nan_is_told_of_the_layer_where_it_begins():
    model = network()
    watch = TrainingWatch(model, False, CURE)
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    model[0].weight.grad[0] = model[1].bias.grad[0] = np.nan  # spread backwards from the norm to the first layer
    watch.measure(0, 1, [shown("a")])
    with pytest.raises(GradientError, match=r"gradient of 1\.bias has the norm nan in step 1"):
        watch.look()


def spoiling(model: nn.Module, call: int, value: float) -> nn.Module:
    """The same network; the `call`-th gradient of its first layer is unwritten memory, as a wrong kernel leaves it."""
    calls = {"n": 0}

    def spoil(gradient: torch.Tensor) -> torch.Tensor:
        calls["n"] += 1
        return torch.full_like(gradient, value) if calls["n"] == call else gradient

    model[0].weight.register_hook(spoil)
    return model


@pytest.mark.parametrize("value", [1e31, 1e8, np.nan])
def test_a_training_stops_before_a_checkpoint_holds_what_a_wrong_gradient_made(tmp_path, monkeypatch, value):
    monkeypatch.setattr(fit_module, "CHECKPOINT_EVERY_SEC", 0.0)
    spoiled = spoiling(network(), 30, value)  # of 4 steps an epoch: the second of the eighth
    monkeypatch.setattr("tests.miga.training.test_fit.network", lambda: spoiled)
    with pytest.raises(GradientError, match=r"gradient of 0\.weight .* in step 2 of epoch 8 on the clips 0001_\d+,"):
        run(tmp_path, replace(CONFIG, epochs=12))
    assert load_checkpoint(tmp_path / "checkpoint.pt")["epoch"] == 7
    assert not (tmp_path / "weights.pt").exists()


def test_the_log_has_the_usual_and_the_largest_norm_of_an_epoch_before_clipping(tmp_path):
    run(tmp_path, replace(CONFIG, epochs=2, clip_norm=1e-3))
    with open(tmp_path / "log.csv") as file:
        rows = list(csv.DictReader(file))
    assert all(1e-3 < float(row["grad_norm"]) <= float(row["grad_norm_max"]) < 10 for row in rows)


def test_clipping_is_that_of_the_library():
    model = network()
    model(torch.randn(8, 6)).square().sum().backward()
    norm = TrainingWatch(model, False, CURE).measure(0, 1, [shown()])
    assert float(norm) == float(torch.nn.utils.get_total_norm([p.grad for p in model.parameters()]))
