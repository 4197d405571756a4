"""What a network looks at: joints, pictures or both; which clips have it, and what it was made from.

The store of pictures is imported where it is needed: loading its video library takes a while, and most entries have no
use for it.
"""

from typing import Any

import numpy as np

from miga.clips import Clips

JOINTS, RGB = "joints", "rgb"


def inputs_of(clips: Clips, needs: tuple[str, ...], run: str, config: Any) -> dict[str, np.ndarray]:
    """Name of each input that an entry needs -> (clips,) bool, which clips have it.

    Args:
        config: of an entry on pictures, it has `picture_size`, and the store of that size has been made.
    """
    has = {}
    if JOINTS in needs:
        has[JOINTS] = clips.has_joints
    if RGB in needs:
        from miga.rgb_store import clips_with_pictures

        has[RGB] = clips_with_pictures(run, config.picture_size)
    return has


def made_of(clips: Clips, needs: tuple[str, ...], run: str, config: Any) -> dict[str, str]:
    """Hashes for an entry's fingerprint: of the joints and the table, and of the pictures where it needs them."""
    hashes = {"clips": clips.meta["content_sha256"]}
    if RGB in needs:
        from miga.rgb_store import pictures_sha256

        hashes["pictures"] = pictures_sha256(run, config.picture_size)
    return hashes
