"""What a pose detector makes of the truth: jitter, confidence, dropouts. One model of OpenPose, one of the Kinect."""

import numpy as np

from recordings.simulation.body import unit
from recordings.simulation.motion import smooth_noise
from recordings.simulation.people import Camera
from recordings.simulation.pose import NUM_OPENPOSE, Pose, kinect_points, openpose_points

# Usual confidence and jitter (pixels at 1280x720) of a point that is in full view and still.
_CONFIDENCE = np.zeros(NUM_OPENPOSE)
_JITTER = np.full(NUM_OPENPOSE, 5.0)
for _points, _score, _pixels in (
    ((0, 15, 16), 0.92, 1.8),
    ((17, 18), 0.85, 2.7),
    ((1,), 0.85, 3.2),
    ((2, 5), 0.82, 3.6),
    ((3, 6), 0.80, 5.0),
    ((4, 7), 0.78, 5.0),
    ((8, 9, 12), 0.45, 9.0),
    (tuple(range(25, 35)), 0.42, 6.5),
):
    _CONFIDENCE[list(_points)] = _score
    _JITTER[list(_points)] = _pixels
_SCORELESS = 0.12  # below this confidence the detector reports nothing


def openpose(pose: Pose, camera: Camera, fps: float, rng: np.random.Generator) -> np.ndarray:
    """Detect the person in every frame.

    Returns:
        (T, 35, 3) float64: x, y in pixels of the camera's picture, score in [0, 1]; a missed point is 0, 0, 0.
        Legs hide behind the table and are never found.
    """
    truth = camera.project(openpose_points(pose))
    score = _confidence(pose, truth, camera, fps, rng)
    noisy = truth + _jitter(score, fps, rng)
    noisy = _confuse_hands(noisy, score, rng)
    outside = (noisy < 0).any(-1) | (noisy[..., 0] > camera.width - 1) | (noisy[..., 1] > camera.height - 1)
    missed = outside | (score < _SCORELESS) | _blackouts(len(truth), fps, rng)[:, None]
    return np.where(missed[..., None], 0.0, np.concatenate([noisy, np.clip(score, 0, 1)[..., None]], axis=-1))


def _confidence(pose: Pose, truth: np.ndarray, camera: Camera, fps: float, rng: np.random.Generator) -> np.ndarray:
    """(T, 35) score: lower for fast and hidden points and turned-away ears, now and then for no reason."""
    num_frames = len(truth)
    score = _CONFIDENCE * (1 + 0.06 * smooth_noise(rng, num_frames, fps, 0.5, NUM_OPENPOSE))
    speed = np.linalg.norm(np.gradient(truth, axis=0), axis=-1)
    score -= 0.008 * np.maximum(speed - 6, 0)
    pixel = camera.focal / camera.distance  # per metre
    hands = truth[:, (7, 4)]
    face = truth[:, 0]
    apart = np.linalg.norm(hands[:, 0] - hands[:, 1], axis=-1) / pixel
    for hand, fingers in enumerate((slice(25, 30), slice(30, 35))):
        on_face = np.exp(-((np.linalg.norm(hands[:, hand] - face, axis=-1) / pixel / 0.14) ** 2))
        clasped = np.exp(-((apart / 0.14) ** 2))
        mood = 0.32 * smooth_noise(rng, num_frames, fps, 0.9, 1)
        score[:, fingers] += mood - 0.15 * on_face[:, None] - 0.22 * clasped[:, None]
        score[:, 7 - 3 * hand] += 0.9 * mood[:, 0] - 0.2 * clasped - 0.03 * on_face
        # The face points that a hand covers are guessed.
        for point in (0, 15, 16, 17, 18):
            tips = truth[:, fingers].mean(axis=1)
            near = np.exp(-((np.linalg.norm(tips - truth[:, point], axis=-1) / pixel / 0.05) ** 2))
            score[:, point] -= 0.3 * near
    view = camera.to_view(np.stack([pose.face["nose"], pose.face["ear_right"], pose.face["ear_left"]], axis=1))
    for ear, point in ((1, 17), (2, 18)):
        # Seen from the front an ear is about 0.11 m behind the nose; turned away it is farther and the head hides it.
        score[:, point] -= 4.0 * np.maximum(view[:, ear, 2] - view[:, 0, 2] - 0.135, 0)
    hips_shown = rng.random() < 0.6
    score[:, (8, 9, 12)] *= 1.0 if hips_shown else 0.0
    return score


def _jitter(score: np.ndarray, fps: float, rng: np.random.Generator) -> np.ndarray:
    """(T, 35, 2) pixels: a white part and a part that drifts, both growing as confidence falls."""
    size = _JITTER * np.clip(1.9 - 1.1 * score / np.maximum(_CONFIDENCE, 0.05), 0.6, 3.0)
    white = rng.standard_normal((*score.shape, 2))
    drift = smooth_noise(rng, len(score), fps, 0.35, score.shape[1] * 2).reshape(*score.shape, 2)
    return size[..., None] * (0.55 * white + 0.8 * drift)


def _confuse_hands(points: np.ndarray, score: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Where the hands meet, the detector sometimes puts one hand's fingers on the other for a few frames."""
    points = points.copy()
    close = np.linalg.norm(points[:, 7] - points[:, 4], axis=-1) < 110
    for start in np.flatnonzero(close & (rng.random(len(points)) < 0.02)):
        span = slice(start, start + int(rng.integers(2, 8)))
        one, other = (slice(25, 30), slice(30, 35)) if rng.random() < 0.5 else (slice(30, 35), slice(25, 30))
        points[span, one] = points[span, other] + rng.normal(0, 4, points[span, one].shape)
        score[span, one] *= 0.7
    return points


def _blackouts(num_frames: int, fps: float, rng: np.random.Generator) -> np.ndarray:
    """(T,) bool: the frames in which nobody is found. About one short burst in half a minute."""
    lost = np.zeros(num_frames, dtype=bool)
    for start in np.flatnonzero(rng.random(num_frames) < 1 / (30 * fps)):
        lost[start : start + int(rng.integers(1, 5))] = True
    return lost


def kinect(pose: Pose, camera: Camera, fps: float, rng: np.random.Generator) -> np.ndarray:
    """Track the person as a Kinect v2 does: smooth, centimetre errors, guesses where hands meet the body.

    Returns:
        (T, 25, 11) float64 per joint: x, y, z in the camera's axes (metres, z away from it), a quaternion x, y, z, w of
        the bone that ends there, pixel x, y in the colour picture, pixel x, y in a 512x424 depth picture. Zeros where
        nobody is tracked.
    """
    world = kinect_points(pose)
    num_frames, num_joints = world.shape[:2]
    size = np.full(num_joints, 0.009)
    size[[6, 7, 10, 11, 13, 14, 17, 18]] = 0.016
    size[[21, 22, 23, 24, 15, 19]] = 0.026
    guess = np.ones((num_frames, num_joints))
    for wrist, others in ((6, (6, 7, 21, 22)), (10, (10, 11, 23, 24))):
        gap = np.linalg.norm(world[:, wrist] - world[:, 10 if wrist == 6 else 6], axis=-1)
        guess[:, others] += 1.5 * np.exp(-((gap / 0.18) ** 2))[:, None]
    drift = smooth_noise(rng, num_frames, fps, 0.5, num_joints * 3).reshape(num_frames, num_joints, 3)
    white = rng.standard_normal((num_frames, num_joints, 3))
    world = world + (guess * size)[..., None] * (0.8 * drift + 0.3 * white)
    view = camera.to_view(world)
    depth_pixel = np.array([256.0, 212.0]) + 366.0 * view[..., :2] / view[..., 2:] * (1, -1)
    row = np.concatenate([view, bone_quaternions(view), camera.project(world), depth_pixel], axis=-1)
    row[_blackouts(num_frames, fps, rng)] = 0.0
    return row


# The joint each Kinect joint hangs on.
_PARENT = np.array([0, 0, 20, 2, 20, 4, 5, 6, 20, 8, 9, 10, 0, 12, 13, 14, 0, 16, 17, 18, 1, 7, 7, 11, 11])


def bone_quaternions(points: np.ndarray) -> np.ndarray:
    """(..., 25, 4) x, y, z, w of the shortest turn from +y to the bone that ends in each joint; the root gets none."""
    bone = unit(points - points[..., _PARENT, :])
    up = np.broadcast_to(np.array([0.0, 1.0, 0.0]), bone.shape)
    quaternion = np.concatenate([np.cross(up, bone), 1 + np.sum(up * bone, axis=-1, keepdims=True)], axis=-1)
    return unit(quaternion)
