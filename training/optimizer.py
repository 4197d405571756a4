"""Optimizer and learning-rate schedule from a FitConfig."""

import math
from collections.abc import Callable

import torch
from torch import nn

from datasets.errors import InputError
from training.config import FitConfig


def scaled_lr(config: FitConfig) -> float:
    """The learning rate for the clips of one step: linear scaling (Goyal et al., arXiv 1706.02677)."""
    return config.lr * config.batch_size * config.accumulation / config.lr_batch_size


def build_optimizer(model: nn.Module, config: FitConfig) -> torch.optim.Optimizer:
    """SGD, AdamW or Adam; weight decay only on tensors with two or more dimensions."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    lr = scaled_lr(config)
    if config.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=lr, momentum=config.momentum, nesterov=config.nesterov)
    if config.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=lr)
    if config.optimizer == "adam":
        return torch.optim.Adam(groups, lr=lr)
    raise InputError(f"--optimizer {config.optimizer}: expected sgd, adamw or adam")


def num_epochs(config: FitConfig, steps_per_epoch: int) -> int:
    """`epochs`, or as many as `min_steps` takes."""
    return max(config.epochs, -(-config.min_steps // steps_per_epoch))


def lr_factor(config: FitConfig, steps_per_epoch: int) -> Callable[[int], float]:
    """Factor on the learning rate at a step: linear warm-up, then milestones (x0.1) or cosine to 0 at the last step."""
    total_steps = num_epochs(config, steps_per_epoch) * steps_per_epoch
    warmup_steps = config.warmup_epochs * steps_per_epoch

    def factor(step: int) -> float:
        if step < warmup_steps:
            return (step + 1) / (warmup_steps + 1)
        if config.milestones:
            passed = sum(step >= epoch * steps_per_epoch for epoch in config.milestones)
            return 0.1**passed
        progress = (step - warmup_steps) / max(1.0, total_steps - warmup_steps)
        return 0.5 * (1.0 + math.cos(math.pi * min(1.0, progress)))

    return factor
