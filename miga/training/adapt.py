"""A network that meets a new person: its batch norms take that person's statistics in, from clips without labels.

How somebody sits, moves and is filmed shifts every feature of the network, whatever the gesture; the statistics of the
people it was trained on do not fit. The test clips of a person come together, so theirs can be measured.
Source: AdaBN (Li et al., arXiv 1603.04779); the mixture with the training statistics is that of Schneider et al. (arXiv
2006.16971, section 3), where those count for a number of clips of their own.
"""

import copy
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

PRIOR = 16  # clips that the training statistics count for; held-out people are named alike with 1 to 32
MIN_CLIPS = 8  # of fewer, a person's statistics say more about the gestures than about the person


def clips_by_person(table: pd.DataFrame, rows: np.ndarray) -> Iterator[np.ndarray]:
    """Places in `rows` that belong together: clips of one person, or of one video where nobody says who is in it."""
    wanted = table.iloc[rows]
    person = wanted.subject_id.where(wanted.subject_id != "", "video " + wanted.video_id).to_numpy()
    return (np.flatnonzero(person == one) for one in pd.unique(person))


@torch.no_grad()
def adapted(model: nn.Module, show: Callable[[nn.Module], object], num_clips: int) -> nn.Module:
    """A copy of `model` with the batch statistics of one person mixed in; weights are as before.

    Args:
        show: runs all clips of the person through the network that it is given.
        num_clips: how many those are.
    Returns:
        the copy, in eval mode; `model` itself where there are too few clips, or no batch norm.
    """
    if num_clips < MIN_CLIPS or not batch_norms(model):
        return model
    own = copy.deepcopy(model).eval()
    for norm in batch_norms(own):
        norm.reset_running_stats()
        norm.momentum = None  # the mean over all batches
        norm.train()
    show(own)
    share = num_clips / (num_clips + PRIOR)
    for norm, before in zip(batch_norms(own), batch_norms(model), strict=True):
        for name in ("running_mean", "running_var"):
            norm.get_buffer(name).lerp_(before.get_buffer(name), 1 - share)
    return own.eval()


def batch_norms(model: nn.Module) -> list[_BatchNorm]:
    return [module for module in model.modules() if isinstance(module, _BatchNorm) and module.track_running_stats]
