"""Multi-view prediction: softmax per view, mean over the views of a clip (as pyskl does)."""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from miga.training.dataset import ViewSamples, view_batches
from miga.training.fit import Batch
from miga.training.precision import autocast


@torch.no_grad()
def predict(
    model: nn.Module,
    samples: ViewSamples,
    *,
    prepare: Callable[[Batch], Batch],
    batch_size: int,
    precision: str,
    device: torch.device,
    num_workers: int = 0,
    mirror: np.ndarray | None = None,
) -> np.ndarray:
    """Logits of every clip, (N, K) float32: the logarithm of the mean probability over its views.

    softmax of these logits gives that mean back, so later steps treat one view and many alike. A view that is
    `mirrored` shows the mirror image of the clip's class: its probabilities change places by `mirror` (K,). The network
    is left in the mode it comes in.
    """
    parts = []
    for batch in view_batches(samples, batch_size, num_workers, pin_memory=device.type == "cuda"):
        batch = {key: value.to(device, non_blocking=True) for key, value in batch.items()}
        mirrored = batch.pop("mirrored", None)  # (B, views)
        num_clips, num_views = next(iter(batch.values())).shape[:2]
        flat = {key: value.flatten(0, 1) for key, value in batch.items()}  # (B * views, ...)
        with autocast(precision, device):
            output = model(**prepare(flat))
        logits = output["logits"] if isinstance(output, dict) else output
        log_probs = logits.float().log_softmax(1).view(num_clips, num_views, -1)  # (B, views, K)
        if mirrored is not None and mirror is not None:
            log_probs = torch.where(mirrored[..., None], log_probs[..., mirror], log_probs)
        parts.append(log_probs.logsumexp(1) - np.log(num_views))  # a GPU is waited for only at the end
    return torch.cat(parts).cpu().numpy() if parts else np.zeros((0, 0), np.float32)
