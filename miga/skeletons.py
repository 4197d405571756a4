"""Joint names, limbs, flip pairs and hyperedges of every skeleton layout: the one place where they are written down.

Limbs have no direction here (`parents` gives one); their order is the channel order of limb heatmaps.
Flip pairs are joints that swap when the picture is mirrored; joints in no pair stay. A hyperedge is a group of joints
that act together; each joint is in one (`miga.hyperedges` finds those of a layout that is not written down here).
"""

from collections import deque
from dataclasses import dataclass
from itertools import pairwise

import numpy as np


@dataclass(frozen=True)
class Skeleton:
    """A layout of V joints. `limbs` is a connected tree; `center` is its root (the neck or the spine)."""

    name: str
    joints: tuple[str, ...]
    limbs: tuple[tuple[int, int], ...]
    flip_pairs: tuple[tuple[int, int], ...]
    center: int

    @property
    def num_joints(self) -> int:
        return len(self.joints)

    @property
    def flip_index(self) -> np.ndarray:
        """(V,) int: joint i of the mirrored person is joint flip_index[i] of the original."""
        index = np.arange(self.num_joints)
        for a, b in self.flip_pairs:
            index[a], index[b] = b, a
        return index

    @property
    def shoulders(self) -> tuple[int, ...]:
        """The two joints that are called shoulders and swap in a mirror; empty where a layout names none."""
        named = (p for p in self.flip_pairs if all("shoulder" in self.joints[joint].lower() for joint in p))
        return next(named, ())

    @property
    def parents(self) -> np.ndarray:
        """(V,) int: the next joint on the way to `center`; the center is its own parent."""
        neighbours: list[list[int]] = [[] for _ in self.joints]
        for a, b in self.limbs:
            neighbours[a].append(b)
            neighbours[b].append(a)
        parent = np.full(self.num_joints, -1)
        parent[self.center] = self.center
        queue = deque([self.center])
        while queue:
            joint = queue.popleft()
            for other in neighbours[joint]:
                if parent[other] < 0:
                    parent[other] = joint
                    queue.append(other)
        return parent

    def to_dict(self) -> dict:
        return {
            "name": self.name,
            "joints": list(self.joints),
            "skeleton_edges": [list(limb) for limb in self.limbs],
            "flip_pairs": [list(pair) for pair in self.flip_pairs],
            "center_joint": self.center,
        }


# 22 of OpenPose's points as the organisers of iMiGUE arrange them (mikecheninoulu/SMG starter kit). Limbs and pairs are
# the kit's with its mixture of counting from 0 and from 1 undone. Fingers 12-16 belong to wrist 7, 17-21 to wrist 4.
IMIGUE_22 = Skeleton(
    name="imigue22",
    joints=(
        *("nose", "neck", "shoulder_a", "elbow_a", "wrist_a", "shoulder_b", "elbow_b", "wrist_b"),
        *("eye_a", "eye_b", "ear_a", "ear_b"),
        *(f"finger_b{i}" for i in range(1, 6)),
        *(f"finger_a{i}" for i in range(1, 6)),
    ),
    limbs=(
        *((0, 1), (1, 2), (2, 3), (3, 4), (1, 5), (5, 6), (6, 7), (0, 8), (8, 10), (0, 9), (9, 11)),
        *((7, finger) for finger in range(12, 17)),
        *((4, finger) for finger in range(17, 22)),
    ),
    flip_pairs=((2, 5), (3, 6), (4, 7), (8, 9), (10, 11), (12, 17), (13, 18), (14, 19), (15, 20), (16, 21)),
    center=1,
)

# Kinect v2 in the order of the SMG csv files.
SMG_25 = Skeleton(
    name="smg25",
    joints=(
        *("SpineBase", "SpineMid", "ShoulderCenter", "Head"),
        *("ShoulderLeft", "ElbowLeft", "WristLeft", "HandLeft"),
        *("ShoulderRight", "ElbowRight", "WristRight", "HandRight"),
        *("HipLeft", "KneeLeft", "AnkleLeft", "FootLeft", "HipRight", "KneeRight", "AnkleRight", "FootRight"),
        *("SpineShoulder", "HandTipLeft", "ThumbLeft", "HandTipRight", "ThumbRight"),
    ),
    limbs=(
        *((0, 1), (1, 20), (20, 2), (2, 3), (20, 4), (4, 5), (5, 6), (6, 7), (7, 21), (7, 22)),
        *((20, 8), (8, 9), (9, 10), (10, 11), (11, 23), (11, 24)),
        *((0, 12), (12, 13), (13, 14), (14, 15), (0, 16), (16, 17), (17, 18), (18, 19)),
    ),
    flip_pairs=((4, 8), (5, 9), (6, 10), (7, 11), (12, 16), (13, 17), (14, 18), (15, 19), (21, 23), (22, 24)),
    center=20,
)

# COCO keypoints, the order of pyskl's public pose files; COCO has no neck, so the shoulders hang on the nose.
COCO_17 = Skeleton(
    name="coco17",
    joints=(
        *("nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder"),
        *("left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip"),
        *("left_knee", "right_knee", "left_ankle", "right_ankle"),
    ),
    limbs=(
        *((0, 1), (0, 2), (1, 3), (2, 4), (0, 5), (0, 6), (5, 7), (7, 9), (6, 8), (8, 10)),
        *((5, 11), (6, 12), (11, 13), (13, 15), (12, 14), (14, 16)),
    ),
    flip_pairs=((1, 2), (3, 4), (5, 6), (7, 8), (9, 10), (11, 12), (13, 14), (15, 16)),
    center=0,
)

# What mirrors the points of one half of OpenPose's face: the 68 points of iBUG 300-W and the pupils, 68 and 69.
FACE_MIRROR = {
    **{a: 16 - a for a in range(8)},  # contour, chin in the middle
    **{a: 43 - a for a in range(17, 22)},  # brows
    **{31: 35, 32: 34, 36: 45, 37: 44, 38: 43, 39: 42, 40: 47, 41: 46, 68: 69},  # nose, eyes
    **{48: 54, 49: 53, 50: 52, 58: 56, 59: 55, 60: 64, 61: 63, 67: 65},  # mouth
}


def _openpose_137() -> Skeleton:
    """All points of OpenPose: BODY_25, two hands of 21, a face of 70 (CMU-Perceptual-Computing-Lab/openpose, doc).

    In H2OFormer's order (xiazhaoqiang/H2OFormer-MicroGestureRec, graph/imigue.py): body, hand, hand, face; the first
    hand is taken for the left one, as in OpenPose's output. That graph leaves hands and face loose; here they hang on
    the wrists and the nose, so that every joint can be reached.
    """
    left, right, face = 25, 46, 67
    body = (
        *("Nose", "Neck", "RShoulder", "RElbow", "RWrist", "LShoulder", "LElbow", "LWrist"),
        *("MidHip", "RHip", "RKnee", "RAnkle", "LHip", "LKnee", "LAnkle", "REye", "LEye", "REar", "LEar"),
        *("LBigToe", "LSmallToe", "LHeel", "RBigToe", "RSmallToe", "RHeel"),
    )
    paths = [(1, 0, 15, 17), (0, 16, 18), (1, 2, 3, 4, right), (1, 5, 6, 7, left), (1, 8, 9, 10, 11, 22, 23), (11, 24)]
    paths += [(8, 12, 13, 14, 19, 20), (14, 21), (0, face + 30)]
    paths += [(hand, *range(hand + f, hand + f + 4)) for hand in (left, right) for f in range(1, 21, 4)]
    pairs = [(2, 5), (3, 6), (4, 7), (9, 12), (10, 13), (11, 14), (15, 16), (17, 18), (19, 22), (20, 23), (21, 24)]
    pairs += [(left + point, right + point) for point in range(21)]
    pairs += [(face + a, face + b) for a, b in FACE_MIRROR.items()]
    half = [(30, 29, 28, 27), (30, 33, 51, 62, 66, 57, 8)]  # the middle of the face, then one side of it
    half += [(33, 32, 31), (27, 21, 20, 19, 18, 17), (8, 7, 6, 5, 4, 3, 2, 1, 0), (27, 39, 38, 37, 36), (39, 40, 41)]
    half += [(39, 68), (51, 50, 49, 48), (57, 58, 59), (62, 61, 60), (66, 67)]
    both = half + [tuple(FACE_MIRROR.get(point, point) for point in path) for path in half[2:]]
    paths += [tuple(face + point for point in path) for path in both]
    return Skeleton(
        name="openpose137",
        joints=(
            *body,
            *(f"{part}{n}" for part, count in (("LHand", 21), ("RHand", 21), ("Face", 70)) for n in range(count)),
        ),
        limbs=tuple(limb for path in paths for limb in pairwise(path)),
        flip_pairs=tuple(pairs),
        center=1,
    )


OPENPOSE_137 = _openpose_137()

# Hyperedges by layout and grouping. iMiGUE and SMG "limbs": H2OFormer (config/imigue.yaml, config/smg_ssi.yaml), which
# leaves left and right together. iMiGUE "hands": body, face, one hand, other hand, as M2HEN (MiGA 2024) words it.
# OpenPose: one a group of points. COCO: face, arms, legs.
HYPEREDGES: dict[str, dict[str, tuple[tuple[int, ...], ...]]] = {
    IMIGUE_22.name: {
        "limbs": ((0, 1, 8, 9, 10, 11), tuple(range(2, 8)), tuple(range(12, 22))),
        "hands": (tuple(range(1, 8)), (0, 8, 9, 10, 11), tuple(range(12, 17)), tuple(range(17, 22))),
    },
    SMG_25.name: {"limbs": ((0, 1, 2, 3, 20), tuple(range(4, 12)), tuple(range(12, 20)), tuple(range(21, 25)))},
    OPENPOSE_137.name: {"limbs": (tuple(range(25)), tuple(range(25, 46)), tuple(range(46, 67)), tuple(range(67, 137)))},
    COCO_17.name: {"limbs": (tuple(range(5)), tuple(range(5, 11)), tuple(range(11, 17)))},
}

# For a network pretrained on COCO-17: the COCO joint that each of our 22 stands for; the neck and fingers have none.
IMIGUE_TO_COCO = {0: 0, 9: 1, 8: 2, 11: 3, 10: 4, 5: 5, 2: 6, 6: 7, 3: 8, 7: 9, 4: 10}


def skeleton_of_size(num_joints: int) -> Skeleton | None:
    """The layout written down here with that many joints, or None."""
    return {s.num_joints: s for s in (IMIGUE_22, SMG_25, COCO_17, OPENPOSE_137)}.get(num_joints)
