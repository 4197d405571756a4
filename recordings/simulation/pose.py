"""From a stage to points in space, and from points to the joints of OpenPose and of the Kinect."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from recordings.simulation.body import (
    FINGER_LENGTH,
    FIST,
    Frames,
    face_points,
    fingertips,
    trunk,
    turn,
    two_links,
    unit,
)
from recordings.simulation.motion import Reach, Stage
from recordings.simulation.people import SIDES

# BODY_25 numbers (organisers' csv, formats table in the README of the data); 25-29 are the fingers of the hand at the
# right of the picture, 30-34 of the other one: the organisers' names follow the viewer's sides.
NUM_OPENPOSE = 35
NUM_KINECT = 25


@dataclass
class Pose:
    """Points of one person over T frames, metres. Sides: 0 the subject's right, 1 the left."""

    frames: Frames
    face: dict[str, np.ndarray]  # (T, 3) each
    elbows: np.ndarray  # (T, 2, 3)
    wrists: np.ndarray  # (T, 2, 3)
    tips: np.ndarray  # (T, 2, 5, 3)
    hips: np.ndarray  # (T, 2, 3)
    knees: np.ndarray  # (T, 2, 3)
    ankles: np.ndarray  # (T, 2, 3)


@dataclass
class _Arms:
    """The arms' controls while the reaches are applied: wrist goal, hand direction and palm, elbow pole, fingers."""

    goal: np.ndarray  # (T, 2, 3)
    along: np.ndarray  # (T, 2, 3) zero = follow the forearm
    palm: np.ndarray  # (T, 2, 3)
    pole: np.ndarray  # (T, 2, 3)
    curl: np.ndarray  # (T, 2, 5)
    spread: np.ndarray  # (T, 2)


def solve(stage: Stage) -> Pose:
    """Pose the body in every frame: trunk and head first, then the reaches that aim at them, then those that aim at
    the other arm (they need to know where it is)."""
    build = stage.person.build
    frames = trunk(build, stage.hip, stage.torso, stage.shrug, stage.head, stage.sink)
    arms = _arms_at_rest(stage, frames)
    for reach in stage.reaches:
        if reach.anchor != "arm":
            _apply(arms, reach, frames, frames_origin(frames, reach), build.hand)
    arms.goal = gaussian_filter1d(arms.goal, 0.04 * stage.fps, axis=0, mode="nearest")
    elbows, wrists = _solve_arms(stage, frames, arms)
    on_arm = [reach for reach in stage.reaches if reach.anchor == "arm"]
    for reach in on_arm:
        other, at = 1 - reach.side, reach.arm_at
        chain = (frames.shoulders[:, other], elbows[:, other], wrists[:, other])
        bone = min(int(at), 1)
        point = chain[bone] + (at - bone) * (chain[bone + 1] - chain[bone])
        _apply(arms, reach, frames, point[reach.frames], build.hand)
    if on_arm:
        elbows, wrists = _solve_arms(stage, frames, arms)
    tips = np.empty((stage.num_frames, 2, 5, 3))
    for side in (0, 1):
        forearm = unit(wrists[:, side] - elbows[:, side])
        asked = np.linalg.norm(arms.along[:, side], axis=-1, keepdims=True)
        along = unit(arms.along[:, side] + np.maximum(1 - asked, 0) * forearm)
        tips[:, side] = fingertips(
            build, wrists[:, side], along, arms.palm[:, side], arms.curl[:, side], arms.spread[:, side], side
        )
    hips, knees, ankles = _solve_legs(stage, frames)
    return Pose(frames, face_points(build, frames), elbows, wrists, tips, hips, knees, ankles)


def frames_origin(frames: Frames, reach: Reach) -> np.ndarray:
    """(n, 3) world position of a reach's anchor, for the anchors of the trunk."""
    return {"head": frames.head, "torso": frames.neck, "hip": frames.hip}[reach.anchor][reach.frames]


def _arms_at_rest(stage: Stage, frames: Frames) -> _Arms:
    num_frames, manner = stage.num_frames, stage.person.manner
    goal, palm = stage.rest.copy(), np.zeros((num_frames, 2, 3))
    pole = np.empty((num_frames, 2, 3))
    for side, sign in enumerate(SIDES):
        if stage.person.standing:
            goal[:, side] = frames.neck + turn(frames.torso, stage.rest[:, side])
            palm[:, side] = turn(frames.torso, np.array([-sign, 0.0, 0.0]))
        else:
            palm[:, side] = (-0.2 * sign, -1.0, 0.0)
        pole[:, side] = turn(frames.torso, np.array([sign * (0.2 + manner.elbow_out), -0.8, -0.4]))
    return _Arms(goal, np.zeros((num_frames, 2, 3)), palm, pole, stage.curl.copy(), np.ones((num_frames, 2)))


def _apply(arms: _Arms, reach: Reach, frames: Frames, origin: np.ndarray, hand: float) -> None:
    """Blend one reach into the arm's controls; on its way the hand swings a little forwards, round the body."""
    span, side = reach.frames, reach.side
    axes = frames.head_turn[span] if reach.anchor == "head" else frames.torso[span]
    weight = reach.weight[:, None]
    along, palm = turn(axes, unit(reach.along)), turn(axes, unit(reach.palm))
    goal = origin + np.einsum("tij,tj->ti", axes, reach.offset)
    if reach.touch:
        # The tip of the middle finger should lie on the goal: step back by where it is when the hand bends so.
        facing = unit(palm - along * np.sum(palm * along, axis=-1, keepdims=True))
        bend, half = FIST * reach.curl[:, 2:3], 0.5 * hand * FINGER_LENGTH[2]
        goal = goal - half * ((1 + np.cos(bend)) * along + np.sin(bend) * facing)
    swing = 0.22 * weight * (1 - weight) * turn(frames.torso[span], np.array([0.15 * SIDES[side], 0.0, 1.0]))
    arms.goal[span, side] += weight * (goal - arms.goal[span, side]) + swing
    arms.along[span, side] += weight * (along - arms.along[span, side])
    arms.palm[span, side] += weight * (palm - arms.palm[span, side])
    pole = turn(frames.torso[span], reach.pole)
    arms.pole[span, side] += weight * (pole - arms.pole[span, side])
    arms.curl[span, side] += weight * (reach.curl - arms.curl[span, side])
    arms.spread[span, side] += reach.weight * (reach.spread - arms.spread[span, side])


def _solve_arms(stage: Stage, frames: Frames, arms: _Arms) -> tuple[np.ndarray, np.ndarray]:
    build = stage.person.build
    solved = [
        two_links(frames.shoulders[:, side], arms.goal[:, side], build.upper_arm, build.forearm, arms.pole[:, side])
        for side in (0, 1)
    ]
    return np.stack([s[0] for s in solved], axis=1), np.stack([s[1] for s in solved], axis=1)


def _solve_legs(stage: Stage, frames: Frames) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    build = stage.person.build
    hips, knees, ankles = (np.empty((stage.num_frames, 2, 3)) for _ in range(3))
    for side, sign in enumerate(SIDES):
        hips[:, side] = frames.hip + turn(frames.torso, np.array([sign * build.hip_half, -0.02, 0.0]))
        ahead = np.broadcast_to(np.array([0.12 * sign, 0.0, 1.0]), hips[:, side].shape)
        knees[:, side], ankles[:, side] = two_links(hips[:, side], stage.feet[:, side], build.thigh, build.shin, ahead)
    return hips, knees, ankles


def openpose_points(pose: Pose) -> np.ndarray:
    """(T, 35, 3) world points in the order of the iMiGUE csv: BODY_25, then the fingers of the left and right hand."""
    points = np.zeros((len(pose.wrists), NUM_OPENPOSE, 3))
    points[:, 0], points[:, 1] = pose.face["nose"], pose.frames.neck
    points[:, 8] = pose.frames.hip
    for side, first in ((0, 2), (1, 5)):
        points[:, first] = pose.frames.shoulders[:, side]
        points[:, first + 1] = pose.elbows[:, side]
        points[:, first + 2] = pose.wrists[:, side]
        leg = 9 + 3 * side
        points[:, leg], points[:, leg + 1], points[:, leg + 2] = (
            pose.hips[:, side],
            pose.knees[:, side],
            pose.ankles[:, side],
        )
    points[:, 15], points[:, 16] = pose.face["eye_right"], pose.face["eye_left"]
    points[:, 17], points[:, 18] = pose.face["ear_right"], pose.face["ear_left"]
    for foot, side in ((19, 1), (22, 0)):
        for step, offset in enumerate(((0.02, -0.06, 0.16), (0.06, -0.06, 0.13), (0.0, -0.06, -0.05))):
            points[:, foot + step] = pose.ankles[:, side] + np.array(offset) * (SIDES[side], 1, 1)
    points[:, 25:30], points[:, 30:35] = pose.tips[:, 1], pose.tips[:, 0]
    return points


def kinect_points(pose: Pose) -> np.ndarray:
    """(T, 25, 3) world points in Kinect v2 order; left and right are the subject's own."""
    frames = pose.frames
    points = np.empty((len(pose.wrists), NUM_KINECT, 3))
    points[:, 0], points[:, 1] = frames.hip, 0.5 * (frames.hip + frames.neck)
    points[:, 20] = frames.neck + 0.06 * (frames.hip - frames.neck)
    points[:, 2], points[:, 3] = frames.neck + 0.3 * (frames.head - frames.neck), frames.head
    for side, arm, leg, tip in ((1, 4, 12, 21), (0, 8, 16, 23)):
        palm = pose.wrists[:, side] + 0.45 * (pose.tips[:, side, 2] - pose.wrists[:, side])
        chain = (frames.shoulders[:, side], pose.elbows[:, side], pose.wrists[:, side], palm)
        toes = pose.ankles[:, side] + np.array([0.03 * SIDES[side], -0.05, 0.12])
        for step, joint in enumerate(chain):
            points[:, arm + step] = joint
        for step, joint in enumerate((pose.hips[:, side], pose.knees[:, side], pose.ankles[:, side], toes)):
            points[:, leg + step] = joint
        points[:, tip], points[:, tip + 1] = pose.tips[:, side, 2], pose.tips[:, side, 0]
    return points
