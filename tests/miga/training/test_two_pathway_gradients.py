"""Gradients in the number format and at the frame counts of the profiles, layer by layer.

Run alone: python -m pytest tests/miga/training/test_two_pathway_gradients.py
"""

import copy
import dataclasses

import pytest
import torch
from torch import nn

from benchmarks.paper_step import ENTRIES, module_of
from miga.training.optimizer import build_optimizer
from miga.training.precision import autocast
from models.layers.two_pathway_net import both_cross_entropies

CPU = torch.device("cpu")
NUM_CLIPS = 4


def gradients(model: nn.Module, inputs: dict[str, torch.Tensor], precision: str) -> dict[str, torch.Tensor]:
    litter = [torch.full((1 << 18,), 1e30) for _ in range(4)]
    del litter  # what is freed here is what an unwritten gradient shows
    model.zero_grad(set_to_none=True)
    with autocast(precision, CPU):
        loss = both_cross_entropies(model(**inputs), torch.arange(NUM_CLIPS))
    loss.backward()
    return {name: parameter.grad.double() for name, parameter in model.named_parameters()}


@pytest.mark.parametrize("profile", ["demo", "bench"])
@pytest.mark.parametrize("name", ["rgbpose", "m3cn"])
def test_every_layer_of_two_pathways_has_the_gradient_of_exact_arithmetic(name, profile):
    """Beside float64, before and after some steps: at first every block is its shortcut, and its inner layers rest."""
    pytest.importorskip(f"models.{name}.model", reason="the entry's folder may be deleted")
    torch.manual_seed(0)
    config = dataclasses.replace(
        module_of(name, "config").PROFILES[profile], dropout=0.0, lateral_drop=0.0, batch_size=NUM_CLIPS
    )
    model, inputs = ENTRIES[name](config, NUM_CLIPS)
    model = model.to(memory_format=torch.channels_last_3d) if config.channels_last else model
    optimizer = build_optimizer(model, config)
    for _ in range(3):
        gradients(model, inputs, config.precision)
        optimizer.step()
    found = gradients(model, inputs, config.precision)
    exact = gradients(copy.deepcopy(model).double(), {key: value.double() for key, value in inputs.items()}, "fp32")
    assert all(float(right.norm()) > 0 for right in exact.values()), "every layer is at work"
    errors = {key: float((found[key] - right).norm() / right.norm()) for key, right in exact.items()}
    assert max(errors.values()) < 0.05, max(errors, key=errors.get)
