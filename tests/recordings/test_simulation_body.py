"""The anatomy and the gestures of simulated people: python -m pytest tests/recordings/test_simulation_body.py"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recordings.simulation.act import Act
from recordings.simulation.body import rotation, two_links
from recordings.simulation.gestures import IMIGUE_PROGRAMS, SMG_PROGRAMS, touch_ear, touch_face, touch_jaw
from recordings.simulation.motion import envelope, idle_stage
from recordings.simulation.people import make_person
from recordings.simulation.pose import solve

unhurried = settings(max_examples=60)


vectors = st.tuples(*[st.floats(-0.6, 0.6)] * 3)


@unhurried
@given(goal=vectors, pole=vectors, first=st.floats(0.2, 0.4), second=st.floats(0.2, 0.4))
def test_two_links_keep_bone_lengths_and_reach_what_is_in_reach(goal, pole, first, second):
    goal, pole, root = np.array([goal]), np.array([pole]), np.zeros((1, 3))
    distance = np.linalg.norm(goal)
    if distance < 1e-3 or np.linalg.norm(np.cross(goal, pole)) < 1e-3:
        return
    middle, end = two_links(root, goal, first, second, pole)
    assert np.linalg.norm(middle - root) == pytest.approx(first, abs=1e-6)
    assert np.linalg.norm(end - middle) == pytest.approx(second, abs=1e-6)
    if abs(first - second) * 1.02 + 0.02 < distance < 0.99 * (first + second):
        assert end == pytest.approx(goal, abs=1e-6)


@unhurried
@given(st.lists(st.tuples(*[st.floats(-3, 3)] * 3), min_size=1, max_size=4))
def test_rotations_are_rotations(angles):
    turned = rotation(np.array(angles))
    assert turned @ turned.transpose(0, 2, 1) == pytest.approx(np.broadcast_to(np.eye(3), turned.shape), abs=1e-9)
    assert np.linalg.det(turned) == pytest.approx(np.ones(len(turned)))


def test_positive_angles_turn_right_nod_down_and_tip_right():
    yaw, pitch, roll = rotation(np.diag([0.3, 0.3, 0.3]))
    assert (yaw @ [0, 0, 1])[0] > 0.2
    assert (pitch @ [0, 0, 1])[1] < -0.2
    assert (roll @ [0, 1, 0])[0] > 0.2


@unhurried
@given(num_frames=st.integers(1, 120), rise=st.floats(0, 40), fall=st.floats(0, 40))
def test_envelope_starts_and_ends_at_zero(num_frames, rise, fall):
    weight = envelope(num_frames, rise, fall)
    assert weight.shape == (num_frames,)
    assert weight[0] == weight[-1] == 0
    assert (weight >= 0).all() and (weight <= 1).all()


def act_out(program, seed: int, standing: bool = False, num_frames: int = 80):
    rng = np.random.default_rng(seed)
    stage = idle_stage(make_person("1", standing, rng), 120, 25.0, rng)
    program(Act(stage, rng, 20, num_frames))
    return stage, solve(stage)


@pytest.mark.parametrize(
    ("program", "spots"),
    [
        (touch_face, ("nose", "mouth", "eye_left", "eye_right")),
        (touch_jaw, ("chin",)),
        (touch_ear, ("ear_left", "ear_right")),
    ],
    ids=["face", "jaw", "ear"],
)
def test_a_touching_finger_is_at_its_target(program, spots):
    for seed in range(8):
        stage, pose = act_out(program, seed)
        (reach,) = [r for r in stage.reaches if r.touch and r.weight.max() > 0.9]
        t = reach.start + int(np.argmax(reach.weight))
        tip, wrist = pose.tips[t, reach.side, 2], pose.wrists[t, reach.side]
        gaps = [np.linalg.norm(tip - pose.face[spot][t]) for spot in spots]
        assert min(gaps) < 0.08, f"seed {seed}: finger {min(gaps):.3f} m from {spots}"
        assert np.linalg.norm(wrist - pose.frames.head[t]) < 0.35
        at_rest = pose.wrists[2, reach.side]
        assert np.linalg.norm(at_rest - pose.frames.head[2]) > 0.4


@settings(max_examples=30)
@given(label=st.sampled_from(sorted(IMIGUE_PROGRAMS)), seed=st.integers(0, 50), num_frames=st.integers(15, 80))
def test_every_program_keeps_bones_rigid_and_motion_human(label, seed, num_frames):
    stage, pose = act_out(IMIGUE_PROGRAMS[label], seed, num_frames=num_frames)
    build = stage.person.build
    upper = np.linalg.norm(pose.elbows - pose.frames.shoulders, axis=-1)
    lower = np.linalg.norm(pose.wrists - pose.elbows, axis=-1)
    assert upper == pytest.approx(np.full_like(upper, build.upper_arm), abs=1e-6)
    assert lower == pytest.approx(np.full_like(lower, build.forearm), abs=1e-6)
    speed = np.linalg.norm(np.diff(pose.wrists, axis=0), axis=-1) * stage.fps
    assert np.isfinite(speed).all() and speed.max() < 8.0  # m/s; fast gestures of people reach about 5


@settings(max_examples=20)
@given(label=st.sampled_from(sorted(SMG_PROGRAMS)), seed=st.integers(0, 50))
def test_every_standing_program_stays_on_its_feet(label, seed):
    _, pose = act_out(SMG_PROGRAMS[label], seed, standing=True)
    lowest = pose.ankles[..., 1].min(axis=1)
    assert np.ptp(lowest) < 0.15
    assert (pose.frames.head[:, 1] > pose.frames.hip[:, 1] + 0.4).all()
