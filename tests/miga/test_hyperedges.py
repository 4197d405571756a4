"""Hyperedges: those written down, those derived from a tree.

Run alone: python -m pytest tests/miga/test_hyperedges.py
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from miga.errors import InputError
from miga.hyperedges import derived_hyperedges, hyperedges_of
from miga.skeleton_file import skeleton_from_dict
from miga.skeletons import COCO_17, HYPEREDGES, IMIGUE_22, OPENPOSE_137, SMG_25, Skeleton
from tests.miga.transforms.mirrored import limb_flip_index

KNOWN = (IMIGUE_22, SMG_25, COCO_17, OPENPOSE_137)


def names(skeleton: Skeleton, group: tuple[int, ...]) -> set[str]:
    return {skeleton.joints[joint] for joint in group}


@pytest.mark.parametrize("skeleton", KNOWN)
def test_each_joint_is_in_one_hyperedge_that_mirrors_onto_one(skeleton):
    assert HYPEREDGES.keys() == {known.name for known in KNOWN}
    for grouping in HYPEREDGES[skeleton.name]:
        groups = hyperedges_of(skeleton, grouping)
        assert sorted(joint for group in groups for joint in group) == list(range(skeleton.num_joints))
        mirrored = {frozenset(skeleton.flip_index[list(group)].tolist()) for group in groups}
        assert mirrored == set(map(frozenset, groups))


def test_the_public_groups_of_imigue_and_smg():
    head, arms, fingers = hyperedges_of(IMIGUE_22)
    assert names(IMIGUE_22, head) == {"nose", "neck", "eye_a", "eye_b", "ear_a", "ear_b"}
    assert all(name.startswith(("shoulder", "elbow", "wrist")) for name in names(IMIGUE_22, arms))
    assert all(name.startswith("finger") for name in names(IMIGUE_22, fingers))
    assert names(SMG_25, hyperedges_of(SMG_25)[3]) == {"HandTipLeft", "ThumbLeft", "HandTipRight", "ThumbRight"}
    _body, face, hand_b, hand_a = hyperedges_of(IMIGUE_22, "hands")
    assert "nose" in names(IMIGUE_22, face)
    assert names(IMIGUE_22, hand_b) == {f"finger_b{i}" for i in range(1, 6)}
    assert names(IMIGUE_22, hand_a) == {f"finger_a{i}" for i in range(1, 6)}


def test_openpose_is_a_tree_that_is_its_own_mirror_image():
    assert OPENPOSE_137.num_joints == 137 and len(OPENPOSE_137.limbs) == 136
    assert (OPENPOSE_137.parents >= 0).all()
    flip = OPENPOSE_137.flip_index
    np.testing.assert_array_equal(flip[flip], np.arange(137))
    assert sorted(limb_flip_index(OPENPOSE_137)) == list(range(136))  # raises where a limb has no mirror image
    assert [len(group) for group in hyperedges_of(OPENPOSE_137)] == [25, 21, 21, 70]


def test_a_skeleton_read_back_from_a_file_keeps_its_hyperedges():
    again = skeleton_from_dict(IMIGUE_22.to_dict(), "file")
    assert hyperedges_of(again, "hands") == hyperedges_of(IMIGUE_22, "hands")


def test_a_grouping_that_is_not_there_is_refused():
    with pytest.raises(InputError, match="hyperedges hands: the skeleton smg25 has limbs"):
        hyperedges_of(SMG_25, "hands")


def test_derived_groups_are_trunk_limbs_and_fingers():
    found = [names(IMIGUE_22, group) for group in derived_hyperedges(IMIGUE_22)]
    assert found == [
        {"nose", "neck"},
        {f"{part}_{side}" for part in ("shoulder", "elbow", "wrist") for side in "ab"},
        {"eye_a", "eye_b", "ear_a", "ear_b"},
        {f"finger_{side}{i}" for side in "ab" for i in range(1, 6)},
    ]
    assert derived_hyperedges(SMG_25) == hyperedges_of(SMG_25)


@given(st.data())
def test_derived_groups_of_any_tree_hold_each_joint_once(data):
    count = data.draw(st.integers(1, 20))
    limbs = tuple((data.draw(st.integers(0, joint - 1)), joint) for joint in range(1, count))
    pairs = ((1, 2),) if count > 2 and data.draw(st.booleans()) else ()
    center = data.draw(st.integers(0, count - 1))
    tree = Skeleton("any", tuple(map(str, range(count))), limbs, pairs, center)
    groups = hyperedges_of(tree)
    assert sorted(joint for group in groups for joint in group) == list(range(count))
