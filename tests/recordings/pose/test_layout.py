"""Landmarks become the joints of our layouts. Alone: python -m pytest -n 0 tests/recordings/pose/test_layout.py"""

import numpy as np

from miga.skeletons import FACE_MIRROR, IMIGUE_22, OPENPOSE_137
from recordings.pose import hands, layout

# Left and right of BlazePose's body.
BLAZE_MIRROR = {0: 0, **{a: a + 3 for a in (1, 2, 3)}, **{a: a + 1 for a in range(7, 32, 2)}}
BLAZE_MIRROR |= {b: a for a, b in BLAZE_MIRROR.items()}


def random_body():
    body = np.random.default_rng(0).uniform(10, 90, (33, 3))
    body[:, 2] = 0.9
    return body


def test_mirrored_landmarks_become_mirrored_joints():
    rng = np.random.default_rng(1)
    body, left, right = random_body(), rng.uniform(size=(21, 3)), rng.uniform(size=(21, 3))
    joints = layout.to_openpose(body, left, right, None)
    swapped = layout.to_openpose(body[[BLAZE_MIRROR[n] for n in range(33)]], right, left, None)
    assert np.allclose(swapped, joints[OPENPOSE_137.flip_index])


def test_the_points_of_the_face_are_symmetric_in_the_mesh():
    """Partners of the mesh lie in the same order on both sides; those of the lips are public."""
    pairs = {61: 291, 37: 267, 39: 269, 84: 314, 181: 405, 78: 308, 82: 312, 87: 317, 97: 326, 98: 327, 33: 263}
    for ours, other in FACE_MIRROR.items():
        if ours < 68 and layout.FACE[ours] in pairs:
            assert pairs[layout.FACE[ours]] == layout.FACE[other]
    assert len(set(layout.FACE)) == 68 and layout.FACE[8] == 152  # the chin


def test_the_22_joints_are_those_of_their_names():
    joints = layout.to_openpose(random_body(), np.full((21, 3), 1.0), np.full((21, 3), 2.0), None)[list(layout.IMIGUE)]
    body = random_body().astype(np.float32)
    names = dict(zip(IMIGUE_22.joints, joints, strict=True))
    assert np.array_equal(names["shoulder_a"], body[12]) and np.array_equal(names["wrist_b"], body[15])
    assert np.allclose(names["neck"][:2], (body[11, :2] + body[12, :2]) / 2)
    # Fingers hang on the wrist of their own side: b is the left one.
    assert (names["finger_b1"] == 1).all() and (names["finger_a5"] == 2).all()


def test_fingers_from_the_body_alone():
    body = random_body()
    hand = layout.tips_from_body(body, hands.LEFT)
    assert np.array_equal(hand[[0, 4, 8, 20]], body[[15, 21, 19, 17]])
    assert np.allclose(hand[12] + hand[16], body[19] + body[17])
    assert not hand[[1, 2, 3, 5]].any()


def test_missing_parts_and_points_that_cannot_be_seen_are_zeros():
    assert not layout.to_openpose(None, None, None, None).any()
    joints = np.full((1, 137, 3), 0.5, np.float32)
    joints[0, 0] = 5, 5, 0.1  # unsure
    joints[0, 1] = 64, 5, 0.9  # right of the picture
    joints[0, 2] = 63.9, 5, 0.9
    seen = layout.visible(joints, 64, 48)
    assert not seen[0, :2].any() and np.array_equal(seen[0, 2:], joints[0, 2:])


def test_pupils_lie_in_the_eyes():
    face = np.random.default_rng(2).uniform(size=(468, 3))
    joints = layout.to_openpose(None, None, None, face)[layout.FACE_FROM :]
    assert np.allclose(joints[68], joints[36:42].mean(axis=0))
    assert np.allclose(joints[69], joints[42:48].mean(axis=0))
