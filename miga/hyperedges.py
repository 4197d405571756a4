"""Which joints act together: the hyperedges of a skeleton, looked up or derived from its tree."""

import numpy as np

from miga.errors import InputError
from miga.skeletons import HYPEREDGES, Skeleton, skeleton_of_size


def hyperedges_of(skeleton: Skeleton, grouping: str = "limbs") -> tuple[tuple[int, ...], ...]:
    """The hyperedges of a layout: those of `HYPEREDGES`, else `derived_hyperedges`.

    Raises:
        InputError: the layout has no such grouping.
    """
    written = skeleton_of_size(skeleton.num_joints)
    groupings = {"limbs": derived_hyperedges(skeleton)}
    if written is not None and written.joints == skeleton.joints:
        groupings = HYPEREDGES[written.name]
    if grouping not in groupings:
        raise InputError(f"hyperedges {grouping}: the skeleton {skeleton.name} has {', '.join(groupings)}; choose one")
    return groupings[grouping]


def derived_hyperedges(skeleton: Skeleton) -> tuple[tuple[int, ...], ...]:
    """Trunk and limbs, read off the tree.

    The trunk is the center and, where mirror partners are known, every joint without one. A limb starts where it leaves
    the trunk and goes outwards; where it branches, its branches are new hyperedges, those that reach equally far
    together (fingers, for example). A limb and its mirror image are one hyperedge.
    """
    parents, partner = skeleton.parents, skeleton.flip_index
    joints = range(skeleton.num_joints)
    children = [[child for child in joints if parents[child] == joint and child != joint] for joint in joints]
    trunk = {joint for joint in joints if skeleton.flip_pairs and partner[joint] == joint} | {skeleton.center}
    outwards = [skeleton.center]
    for joint in outwards:  # grows while it is read
        outwards += children[joint]
    reach = np.zeros(len(parents), int)
    for joint in reversed(outwards):
        reach[joint] = max((reach[child] + 1 for child in children[joint]), default=0)
    start: dict[int, tuple] = {}  # what a joint's limb is called
    for joint in outwards:
        parent = int(parents[joint])
        if joint in trunk:
            start[joint] = ()
        elif parent in trunk:
            start[joint] = (joint,)
        else:
            start[joint] = start[parent] if len(children[parent]) == 1 else (parent, int(reach[joint]))
    members: dict[tuple, list[int]] = {}
    for joint in joints:
        members.setdefault(min(start[joint], start[int(partner[joint])]), []).append(joint)
    return tuple(tuple(group) for group in members.values())
