"""Mirror images the obvious way, to compare with."""

from collections.abc import Sequence

import torch
from torch import Tensor

from miga.skeletons import Skeleton


def flip_heatmaps(volume: Tensor, flip_index: Sequence[int]) -> Tensor:
    """Mirror heatmaps (B, V, T, H, W) left to right; `flip_index[i]` is the channel that becomes channel i."""
    return volume[:, torch.as_tensor(flip_index)].flip(-1)


def limb_flip_index(skeleton: Skeleton) -> list[int]:
    """Limb e of the mirrored person is limb number [e] of the original; KeyError where a limb has no mirror image."""
    limb2index = {frozenset(limb): e for e, limb in enumerate(skeleton.limbs)}
    flip = skeleton.flip_index.tolist()
    return [limb2index[frozenset((flip[a], flip[b]))] for a, b in skeleton.limbs]
