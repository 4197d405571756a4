"""From MediaPipe's landmarks to OpenPose's 137 points, and from those to the 22 joints of iMiGUE.

Left and right are the person's own in both. The 21 points of a hand are the same in both. Points of the face: those of
the 468 that lie where the 68 of iBUG 300-W are (a public correspondence; the contour is the mesh's outline).
"""

import numpy as np

from miga.skeletons import IMIGUE_22, OPENPOSE_137

MIN_SCORE = 0.2  # below it a point is missing, as OpenPose leaves out what it cannot see

# BODY_25 in BlazePose's numbers; a pair is the middle of two.
BODY = (
    *(0, (11, 12), 12, 14, 16, 11, 13, 15, (23, 24), 24, 26, 28, 23, 25, 27, 5, 2, 8, 7),
    *(31, 31, 29, 32, 32, 30),
)
FACE = (
    *(162, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 389),  # contour
    *(71, 63, 105, 66, 107, 336, 296, 334, 293, 301),  # brows
    *(168, 197, 5, 4, 98, 97, 2, 326, 327),  # nose
    *(33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380),  # eyes
    *(61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181),  # lips, outside
    *(78, 82, 13, 312, 308, 317, 14, 87),  # lips, inside
)
LEFT_HAND, RIGHT_HAND, FACE_FROM = 25, 46, 67  # where they begin among the 137
EYES = (slice(36, 42), slice(42, 48))  # the right one, the left one, among the points of the face
TIPS = (4, 8, 12, 16, 20)  # of thumb, index, middle, ring, little finger among the points of a hand
# iMiGUE's joints among the 137; the kit's fingers 12-16 belong to the left wrist, 17-21 to the right one.
IMIGUE = (*range(8), *range(15, 19), *(LEFT_HAND + t for t in TIPS), *(RIGHT_HAND + t for t in TIPS))

assert len(IMIGUE) == IMIGUE_22.num_joints


def to_openpose(
    body: np.ndarray | None, left: np.ndarray | None, right: np.ndarray | None, face: np.ndarray | None
) -> np.ndarray:
    """The 137 points of a frame; zeros where a part is None.

    Args:
        body: (33, 3) x, y, score.
        left, right: (21, 3).
        face: (468, 3).
    Returns:
        (137, 3) float32.
    """
    joints = np.zeros((OPENPOSE_137.num_joints, 3), np.float32)
    if body is not None:
        joints[:25] = [_middle(body, of) if isinstance(of, tuple) else body[of] for of in BODY]
    for begin, hand in ((LEFT_HAND, left), (RIGHT_HAND, right)):
        if hand is not None:
            joints[begin : begin + 21] = hand
    if face is not None:
        points = face[list(FACE)]
        pupils = [points[eye].mean(axis=0) for eye in EYES]
        joints[FACE_FROM:] = np.concatenate([points, pupils])
    return joints


def tips_from_body(body: np.ndarray, joints: tuple[int, int, int]) -> np.ndarray:
    """A hand (21, 3) of which only the wrist and the fingers' tips are known, from the body alone.

    A body has thumb, index and little finger; the two fingers between lie evenly between index and little finger.

    Args:
        body: (33, 3).
        joints: numbers of its wrist, little finger and index finger; the thumb is four further than the little finger.
    """
    wrist, little, index = body[list(joints)]
    hand = np.zeros((21, 3))
    hand[0] = wrist
    hand[list(TIPS)] = [
        body[joints[1] + 4],
        index,
        index + (little - index) / 3,
        index + 2 * (little - index) / 3,
        little,
    ]
    return hand


def visible(joints: np.ndarray, width: int, height: int) -> np.ndarray:
    """(T, 137, 3) with zeros for points that are unsure or out of the picture, as OpenPose writes them."""
    x, y, score = np.moveaxis(joints, -1, 0)
    is_seen = (score >= MIN_SCORE) & (x >= 0) & (x < width) & (y >= 0) & (y < height)
    return np.where(is_seen[..., None], joints, 0).astype(np.float32)


def _middle(body: np.ndarray, pair: tuple[int, int]) -> np.ndarray:
    a, b = body[pair[0]], body[pair[1]]
    return np.array([*(a[:2] + b[:2]) / 2, min(a[2], b[2])])
