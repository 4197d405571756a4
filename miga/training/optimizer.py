"""Optimizer and learning-rate schedule from a FitConfig."""

import math
from collections.abc import Callable

import torch
from torch import nn

from miga.errors import InputError
from miga.training.config import FitConfig


def scaled_lr(config: FitConfig) -> float:
    """The learning rate for the clips of one step: linear scaling (Goyal et al., arXiv 1706.02677)."""
    return config.lr * config.batch_size * config.accumulation / config.lr_batch_size


def parameter_groups(model: nn.Module, config: FitConfig) -> list[dict]:
    """The trained parameters by learning rate and weight decay; no group is empty.

    The parameters below `model.backbone` get `backbone_lr_factor` times the learning rate. Weight decay is on tensors
    with two or more dimensions, with `decay_norms_and_biases` on all, but not where the name ends with one of
    `no_decay`.
    """
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        lr = scaled_lr(config) * (config.backbone_lr_factor if name.startswith("backbone.") else 1.0)
        is_decayed = (parameter.ndim > 1 or config.decay_norms_and_biases) and not name.endswith(config.no_decay)
        groups.setdefault((lr, config.weight_decay if is_decayed else 0.0), []).append(parameter)
    # The largest learning rate first: it is the one that the log shows.
    ordered = sorted(groups.items(), key=lambda group: group[0], reverse=True)
    return [{"params": parameters, "lr": lr, "weight_decay": decay} for (lr, decay), parameters in ordered]


def build_optimizer(model: nn.Module, config: FitConfig) -> torch.optim.Optimizer:
    """SGD, AdamW, Adam or Adam with AMSGrad, on `parameter_groups`."""
    groups = parameter_groups(model, config)
    lr = scaled_lr(config)
    if config.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=lr, momentum=config.momentum, nesterov=config.nesterov)
    if config.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=lr)
    if config.optimizer in ("adam", "amsgrad"):
        return torch.optim.Adam(groups, lr=lr, amsgrad=config.optimizer == "amsgrad")
    raise InputError(f"--optimizer {config.optimizer}: expected sgd, adamw, adam or amsgrad")


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
