"""From the controls of a simulated body to the points of its skeleton, all frames at once.

Limbs are solved by two-link inverse kinematics, so that a hand that should touch the chin touches the chin whatever
the length of the arm. Shapes: T frames; sides and axes as in recordings.simulation.people.
"""

from dataclasses import dataclass

import numpy as np

from recordings.simulation.people import SIDES, Build

# Points of the face in the frame of the head, metres for a head of scale 1: x to the subject's left, y up, z ahead.
FACE = {
    "nose": (0.0, -0.015, 0.115),
    "eye_right": (-0.032, 0.022, 0.088),
    "eye_left": (0.032, 0.022, 0.088),
    "ear_right": (-0.076, 0.0, 0.0),
    "ear_left": (0.076, 0.0, 0.0),
    "mouth": (0.0, -0.058, 0.098),
    "chin": (0.0, -0.105, 0.085),
    "crown": (0.0, 0.125, -0.01),
}

# Fan angle (radians, in the plane of the palm) and length (share of the hand) of thumb .. little finger.
FINGER_FAN = np.array([0.75, 0.22, 0.02, -0.17, -0.36])
FINGER_LENGTH = np.array([0.68, 0.96, 1.0, 0.95, 0.84])
FIST = 1.9  # radians by which the outer half of a finger turns when the curl is 1


def unit(vectors: np.ndarray) -> np.ndarray:
    """Scale (..., 3) vectors to length one; a zero vector stays zero."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def rotation(angles: np.ndarray) -> np.ndarray:
    """(T, 3) yaw, pitch, roll in radians to (T, 3, 3) matrices.

    Positive yaw turns the face towards +x, positive pitch nods it down, positive roll tips it towards +x.
    """
    cy, cp, cr = np.cos(angles).T
    sy, sp, sr = np.sin(angles).T
    zero, one = np.zeros_like(cy), np.ones_like(cy)
    yaw = np.stack([cy, zero, sy, zero, one, zero, -sy, zero, cy], -1).reshape(-1, 3, 3)
    pitch = np.stack([one, zero, zero, zero, cp, -sp, zero, sp, cp], -1).reshape(-1, 3, 3)
    roll = np.stack([cr, sr, zero, -sr, cr, zero, zero, zero, one], -1).reshape(-1, 3, 3)
    return yaw @ pitch @ roll


def turn(matrices: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Apply (T, 3, 3) to (T, 3) or (3,) vectors."""
    return np.einsum("tij,tj->ti", matrices, np.broadcast_to(vectors, (len(matrices), 3)))


def two_links(
    root: np.ndarray, goal: np.ndarray, first: float, second: float, pole: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Bend a two-bone limb from `root` so that it ends at `goal`.

    Args:
        root, goal: (T, 3).
        first, second: bone lengths in metres.
        pole: (T, 3) the direction in which the middle joint points, any length.
    Returns:
        (T, 3) middle joint and (T, 3) end; the end is pulled in where the goal is out of reach.
    """
    axis = unit(goal - root)
    reach = np.linalg.norm(goal - root, axis=-1, keepdims=True)
    reach = np.clip(reach, abs(first - second) * 1.02 + 0.02, (first + second) * 0.995)
    along = (first**2 - second**2 + reach**2) / (2 * reach)
    height = np.sqrt(np.maximum(first**2 - along**2, 0.0))
    sideways = unit(pole - axis * np.sum(pole * axis, axis=-1, keepdims=True))
    return root + axis * along + sideways * height, root + axis * reach


@dataclass
class Frames:
    """Where the trunk and the head are: what gestures aim at. Positions (T, 3), orientations (T, 3, 3)."""

    hip: np.ndarray
    torso: np.ndarray
    neck: np.ndarray
    head: np.ndarray
    head_turn: np.ndarray
    shoulders: np.ndarray  # (T, 2, 3)


def trunk(
    build: Build, hip: np.ndarray, torso: np.ndarray, shrug: np.ndarray, head: np.ndarray, sink: np.ndarray
) -> Frames:
    """Stack hips, spine, shoulders and head.

    Args:
        hip: (T, 3) middle of the hips.
        torso, head: (T, 3) yaw, pitch, roll; the head's are relative to the torso's.
        shrug: (T, 2) metres each shoulder is raised.
        sink: (T,) metres the head is drawn into the neck.
    """
    turned = rotation(torso)
    neck = hip + turn(turned, np.array([0.0, build.spine, 0.0]))
    num_frames = len(hip)
    shoulders = np.empty((num_frames, 2, 3))
    for side, sign in enumerate(SIDES):
        raised = np.zeros((num_frames, 3))
        raised[:, 0] = sign * (build.shoulder_half - 0.25 * np.abs(shrug[:, side]))
        raised[:, 1] = shrug[:, side] - 0.025
        shoulders[:, side] = neck + turn(turned, raised)
    # The spine's lean is mostly taken back by the neck: people keep their eyes level.
    level = head + torso * np.array([0.8, 0.3, 0.3])
    head_turn = rotation(level)
    base = np.zeros((num_frames, 3))
    base[:, 1] = 0.4 * build.neck - sink
    skull = np.array([0.0, 0.6 * build.neck, 0.015])
    return Frames(hip, turned, neck, neck + turn(turned, base) + turn(head_turn, skull), head_turn, shoulders)


def face_points(build: Build, frames: Frames) -> dict[str, np.ndarray]:
    """(T, 3) of every entry of FACE."""
    return {name: frames.head + turn(frames.head_turn, build.head * np.array(at)) for name, at in FACE.items()}


def fingertips(
    build: Build,
    wrist: np.ndarray,
    along: np.ndarray,
    palm: np.ndarray,
    curl: np.ndarray,
    spread: np.ndarray,
    side: int,
) -> np.ndarray:
    """(T, 5, 3) tips from thumb to little finger.

    Args:
        wrist: (T, 3).
        along: (T, 3) unit direction from the wrist to the knuckles.
        palm: (T, 3) direction the palm faces; only its part across `along` counts.
        curl: (T, 5) 0 = straight, 1 = fist.
        spread: (T,) factor on the fan of the fingers.
        side: 0 right, 1 left; the thumb's side of the hand follows from it.
    """
    facing = unit(palm - along * np.sum(palm * along, axis=-1, keepdims=True))
    across = np.cross(along, facing) * -SIDES[side]
    fan = FINGER_FAN * spread[:, None]
    direction = np.cos(fan)[..., None] * along[:, None] + np.sin(fan)[..., None] * across[:, None]
    bend = FIST * curl[..., None]
    length = build.hand * FINGER_LENGTH[:, None]
    knuckle = 0.5 * length * direction
    tip = 0.5 * length * (np.cos(bend) * direction + np.sin(bend) * facing[:, None])
    return wrist[:, None] + knuckle + tip
