"""What the network knows of the skeleton: how many limbs apart two joints are, and the mean over a hyperedge."""

from collections import deque

import numpy as np

from miga.errors import InputError
from miga.skeletons import Skeleton


def hop_distances(skeleton: Skeleton) -> np.ndarray:
    """Number of limbs on the shortest way from joint to joint.

    Hyperformer's code gives two joints without a way between them the distance 0, that of a joint to itself; here they
    are refused.

    Returns:
        (V, V) int64.
    Raises:
        InputError: the limbs do not connect every joint.
    """
    count = skeleton.num_joints
    neighbours: list[list[int]] = [[] for _ in range(count)]
    for a, b in skeleton.limbs:
        neighbours[a].append(b)
        neighbours[b].append(a)
    hops = np.full((count, count), -1)
    for start in range(count):
        hops[start, start] = 0
        queue = deque([start])
        while queue:
            joint = queue.popleft()
            for other in neighbours[joint]:
                if hops[start, other] < 0:
                    hops[start, other] = hops[start, joint] + 1
                    queue.append(other)
    if (hops < 0).any():
        a, b = (skeleton.joints[i] for i in np.argwhere(hops < 0)[0])
        raise InputError(f"skeleton {skeleton.name}: no way along the limbs from {a} to {b}; add the missing edge")
    return hops


def hyperedge_means(hyperedges: tuple[tuple[int, ...], ...], num_joints: int) -> np.ndarray:
    """H D_e^-1 H^T: every joint gets the mean of the joints of its own hyperedge.

    Returns:
        (V, V) float32, symmetric, rows sum to one.
    Raises:
        InputError: a joint is in no hyperedge, or in two.
    """
    members = sorted(joint for group in hyperedges for joint in group)
    if members != list(range(num_joints)):
        raise InputError(f"hyperedges {hyperedges}: expected each of the {num_joints} joints in exactly one of them")
    means = np.zeros((num_joints, num_joints), np.float32)
    for group in hyperedges:
        means[np.ix_(group, group)] = 1 / len(group)
    return means
