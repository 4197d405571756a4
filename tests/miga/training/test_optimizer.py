"""Rates, schedules, weight decay: python -m pytest tests/miga/training/test_optimizer.py"""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from miga.training.config import FitConfig
from miga.training.optimizer import build_optimizer, lr_factor, scaled_lr
from tests.miga.training.test_fit import network


def test_schedule_against_a_slow_version():
    config = FitConfig(epochs=10, warmup_epochs=2, lr=0.4, lr_batch_size=256, batch_size=32)
    assert scaled_lr(config) == pytest.approx(0.05)
    factor = lr_factor(config, steps_per_epoch=5)
    values = [factor(step) for step in range(50)]
    assert values[:3] == pytest.approx([1 / 11, 2 / 11, 3 / 11])
    slow = [0.5 * (1 + np.cos(np.pi * (step - 10) / 40)) for step in range(10, 50)]
    assert values[10:] == pytest.approx(slow)
    steps = lr_factor(replace(config, milestones=(4, 8), warmup_epochs=0), 5)
    assert [steps(step) for step in (0, 19, 20, 39, 40)] == pytest.approx([1, 1, 0.1, 0.1, 0.01])


def test_norms_and_biases_have_no_weight_decay():
    optimizer = build_optimizer(network(), FitConfig(weight_decay=0.1))
    decays = {
        parameter.ndim: group["weight_decay"] for group in optimizer.param_groups for parameter in group["params"]
    }
    assert decays == {2: 0.1, 1: 0.0}


class WithBackbone(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = nn.ModuleDict({"layer": nn.Linear(3, 4), "frozen": nn.Linear(4, 4)})
        self.backbone.bias_table = nn.Parameter(torch.zeros(5, 2))
        self.head = nn.Linear(4, 2)
        self.backbone["frozen"].requires_grad_(False)


def test_a_backbone_learns_slower_and_tables_do_not_decay():
    model = WithBackbone()
    config = FitConfig(
        optimizer="adamw", lr=0.1, lr_batch_size=32, weight_decay=0.05, backbone_lr_factor=0.1, no_decay=("bias_table",)
    )
    optimizer = build_optimizer(model, config)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.1)  # the log shows the first
    found = {
        id(parameter): (group["lr"], group["weight_decay"])
        for group in optimizer.param_groups
        for parameter in group["params"]
    }
    expected = {
        "head.weight": (0.1, 0.05),
        "head.bias": (0.1, 0.0),
        "backbone.layer.weight": (0.01, 0.05),
        "backbone.layer.bias": (0.01, 0.0),
        "backbone.bias_table": (0.01, 0.0),
    }
    named = {name: found[id(p)] for name, p in model.named_parameters() if id(p) in found}
    assert {name: pytest.approx(values) for name, values in expected.items()} == named


def test_amsgrad_remembers_its_largest_steps():
    states = {}
    for name in ("adam", "amsgrad"):
        model = network()
        optimizer = build_optimizer(model, FitConfig(optimizer=name))
        model(torch.ones(4, 6)).sum().backward()
        optimizer.step()
        states[name] = set(next(iter(optimizer.state.values())))
    assert states["amsgrad"] - states["adam"] == {"max_exp_avg_sq"}
