"""A clip of random joints with holes, for the tests of this folder."""

import numpy as np

from miga.skeletons import IMIGUE_22

WIDTH, HEIGHT = 640, 480


def random_clip(frames: int, skeleton=IMIGUE_22, persons: int = 1, missing: float = 0.3, seed: int = 0) -> np.ndarray:
    """(T, M, V, 3) pixels and scores, with a share of the points missing."""
    rng = np.random.default_rng(seed)
    shape = (frames, persons, skeleton.num_joints)
    joints = np.stack(
        [rng.uniform(1, WIDTH, shape), rng.uniform(1, HEIGHT, shape), rng.uniform(0.2, 1, shape)], axis=-1
    )
    return (joints * (rng.random(shape) >= missing)[..., None]).astype(np.float32)
