"""Motion programs of the micro-gestures: what a body does, with the variation that people show.

Every program takes an Act and adds to its stage. Positions are written for the left side, metres: in the head's frame
from the middle of the head, in the torso's frame from the neck (z ahead).
"""

from collections.abc import Callable

import numpy as np

from recordings.simulation.act import Act
from recordings.simulation.motion import ease
from recordings.simulation.people import SIDES
from recordings.simulation.talk import DOWN_AND_OUT, illustrate, keep_busy, talk_along

Program = Callable[[Act], None]


def touch_head(
    act: Act,
    at: tuple[float, float, float],
    blur: float,
    rub: tuple[float, float, float],
    hertz: float,
    rise: float = 0.0,
) -> None:
    """One hand to a spot of the head; held, or rubbed along `rub`. `rise` lifts the elbow."""
    spot = np.asarray(at) + act.rng.normal(0, blur, 3) * (1, 1, 0.4)
    stroke = None
    if act.chance(0.6):
        stroke = act.strokes(hertz * act.between(0.7, 1.4))[:, None] * np.asarray(rub) * act.between(0.5, 1.3)
    weight = act.weight()
    side = act.hand()
    along = (-0.25 - 0.3 * act.rng.random(), 0.9, -0.25 - 0.2 * act.rng.random())
    palm = (-0.5 * act.rng.random(), -0.1, -1.0)
    pole = (0.5 + 0.5 * rise + 0.4 * act.rng.random(), -1.0 + rise, 0.25)
    act.reach(side, "head", spot, along, palm, pole, weight=weight, stroke=stroke, curl=act.between(0.1, 0.5, 2))
    # The head comes to meet the hand a little.
    meet = act.between(0.0, 1.0)
    act.nod(0.08 * meet * SIDES[side], 0.08 * meet, 0.10 * meet * SIDES[side] * act.between(-0.3, 1.0), weight)
    if act.chance(0.5):
        act.hush(weight)
    keep_busy(act, free=(1 - side,))


def touch_face(act: Act) -> None:
    spots = ((0.055, -0.025, 0.08), (0.008, -0.015, 0.118), (0.02, -0.06, 0.102), (0.045, 0.04, 0.085))
    spot = spots[act.rng.choice(4, p=[0.4, 0.3, 0.15, 0.15])]
    touch_head(act, spot, 0.010, (0.010, 0.014, 0.0), 2.2)


def touch_jaw(act: Act) -> None:
    touch_head(act, (act.between(0.0, 0.045, 3), -0.105, act.between(0.065, 0.085)), 0.008, (0.004, 0.014, 0.0), 1.5)


def touch_ear(act: Act) -> None:
    touch_head(act, (0.082, act.between(-0.025, 0.02), 0.01), 0.006, (0.0, 0.012, 0.006), 2.4, rise=0.4)


def play_hair(act: Act) -> None:
    spots = ((0.035, 0.125, 0.02), (0.085, 0.065, 0.0), (0.05, 0.095, 0.07), (0.05, 0.06, -0.075))
    spot = spots[int(act.between(0, 3.999, 4))]
    touch_head(act, spot, 0.012, (0.018, -0.028, -0.016), 1.3, rise=0.9)


def touch_neck(act: Act) -> None:
    spots = ((0.06, 0.055, 0.045), (0.045, 0.075, -0.05), (0.015, 0.03, 0.065))
    at = np.asarray(spots[int(act.between(0, 2.999, 5))]) + act.rng.normal(0, 0.008, 3)
    stroke = act.strokes(1.8)[:, None] * np.array([0.006, 0.018, 0.008]) * act.between(0.2, 1.2)
    weight = act.weight()
    pole = (0.8, -0.7 + 0.5 * act.rng.random(), 0.3)
    act.reach(act.hand(), "torso", at, (-0.5, 0.75, -0.5), (-0.6, 0, -0.8), pole, weight=weight, stroke=stroke)
    act.nod(0, act.between(-0.03, 0.12), act.between(-0.1, 0.1), weight)


def shake_shoulder(act: Act) -> None:
    """Shrugs and shoulder rolls: one to three pulses of one or two centimetres, of one shoulder or both."""
    bumps = act.pulses(int(act.rng.integers(1, 4)) if act.num_frames > 24 else 1)
    size = act.between(0.010, 0.026) * act.manner.amplitude
    kind = act.rng.choice(3, p=[0.45, 0.35, 0.20])
    sides = np.ones(2)
    if kind == 1:
        sides[act.rng.integers(2)] = act.between(0.0, 0.3)
    act.stage.shrug[act.span] += size * bumps[:, None] * sides
    if kind == 2:  # the two take turns
        rock = act.strokes(act.between(1.2, 2.2)) * act.weight(0.15, 0.15)
        act.stage.shrug[act.span] += 0.6 * size * rock[:, None] * SIDES - size * bumps[:, None]
        act.lean((0, 0, 0), (act.between(-0.03, 0.03), 0, 0.03), rock)
    act.nod(0, 0, act.between(-0.05, 0.05), bumps)
    for side in (0, 1):
        act.stage.rest[act.span, side, 2] -= 0.012 * act.between(-0.5, 1.5) * bumps
    keep_busy(act, free=(0, 1))


def move_torso(act: Act) -> None:
    """Shift in the seat: sideways, forwards or back, or a twist; half of the time the new posture stays for a while."""
    size = act.manner.amplitude * act.rng.choice([-1.0, 1.0]) * act.between(0.5, 1.2)
    kind = act.rng.choice(3, p=[0.45, 0.35, 0.20])
    hip = size * np.array([(0.03, 0, 0), (0, 0, 0.03), (0, 0, 0)][kind])
    torso = size * np.array([(0.02, 0, 0.09), (0, 0.12, 0.01), (0.16, 0, 0.02)][kind])
    if act.chance(0.5):
        act.lean(hip, torso, envelope_up(act))
        act.linger(hip, torso, act.between(1.5, 4.0))
    else:
        act.lean(hip, torso, act.weight(0.6, 0.6))
    keep_busy(act, free=(0, 1))


def envelope_up(act: Act) -> np.ndarray:
    """(n,) from 0 to 1 and staying there."""
    return ease(np.arange(act.num_frames) / (act.num_frames * act.between(0.5, 0.9)))


def press_lips(act: Act) -> None:
    """The lips vanish; the head may dip by a degree or two. Hardly anything for a skeleton to see."""
    weight = act.weight(0.2, 0.25)
    if act.chance(0.3):
        weight = act.pulses(2)
    act.stage.lips[act.span] = np.maximum(act.stage.lips[act.span], weight)
    act.hush(np.minimum(1, 3 * weight))
    act.nod(0, act.between(-0.01, 0.07), act.between(-0.03, 0.03), weight)
    keep_busy(act, free=(0, 1))


def head_up(act: Act) -> None:
    weight = act.weight(0.4, 0.45)
    act.nod(act.between(-0.15, 0.15), -act.between(0.22, 0.45), act.between(-0.06, 0.06), weight)


def turtle_neck(act: Act) -> None:
    """Both shoulders up, the head drawn in and a little forward."""
    weight = act.weight(0.35, 0.4)
    act.stage.shrug[act.span] += act.between(0.03, 0.05) * weight[:, None]
    act.stage.sink[act.span] += act.between(0.02, 0.04) * weight
    act.nod(0, act.between(-0.12, 0.08), 0, weight)


def rub_hands(act: Act) -> None:
    """One hand slides over the other, or just holds it."""
    weight = act.weight()
    center = hands_center(act, low=-0.36, high=-0.24)
    center = center + talk_along(act)
    slide = act.strokes(act.between(1.6, 2.8)) * (act.between(0.008, 0.022) if act.chance(0.7) else 0.002)
    top = act.hand()
    direction = act.rng.normal(0, 1, 3) * (0.4, 0.5, 1.0)
    direction /= np.linalg.norm(direction)
    for side, sign in enumerate(SIDES):
        over = side == top
        at = center * (sign, 1, 1) + (0.055, 0.025 if over else -0.015, 0.0 if over else -0.02)
        stroke = (slide if over else -slide)[:, None] * direction
        along = (-0.85, 0.05, act.between(0.35, 0.7))
        palm = (0, -1, -0.4) if over else (0, 1, -0.2)
        curl = act.between(0.25, 0.6)
        act.reach(side, "torso", at, along, palm, DOWN_AND_OUT, weight=weight, stroke=stroke, touch=False, curl=curl)


def cross_fingers(act: Act) -> None:
    """Fingers interlaced in front of the trunk or below the chin; still, but for a thumb or a small sway."""
    weight = act.weight()
    center = hands_center(act, low=-0.36, high=-0.20)
    sway = 0.005 * act.wander(0.6, 3) + talk_along(act)
    wiggle = act.between(0.03, 0.09)
    for side, sign in enumerate(SIDES):
        at = (center[0] * sign + act.between(0.060, 0.080), center[1], center[2])
        along = (-0.6, act.between(0.15, 0.45, 1), 0.7)
        stroke = sway * np.array([sign, 1, 1])
        act.reach(
            side, "torso", at, along, (-1, 0, -0.4), DOWN_AND_OUT,
            weight=weight, stroke=stroke, touch=False, curl=act.between(0.4, 0.65), wiggle=wiggle,
        )  # fmt: skip


def hands_center(act: Act, low: float, high: float) -> np.ndarray:
    """(3,) where the two hands meet, in the torso's frame."""
    return np.array([act.rng.normal(0, 0.03), act.between(low, high, 7), act.between(0.22, 0.32)])


def scratch_arm(act: Act) -> None:
    """One hand on the other arm, between the upper arm and the wrist, scratching up and down."""
    weight = act.weight()
    stroke = act.strokes(act.between(1.8, 3.0))[:, None] * np.array([0.02, 0.02, 0.0]) * act.between(0.4, 1.3)
    act.reach(
        act.hand(), "arm", (0.0, 0.01, 0.05), (-0.9, 0.1, 0.2), (-0.1, 0, -1), DOWN_AND_OUT,
        weight=weight, stroke=stroke, curl=act.between(0.2, 0.5), arm_at=act.between(0.4, 1.75, 2),
    )  # fmt: skip


def fold_arms(act: Act) -> None:
    weight = act.weight(0.6, 0.6)
    top, height = act.hand(), act.between(-0.29, -0.21)
    for side in (0, 1):
        over = side == top
        at = (-act.between(0.10, 0.14), height + (0.03 if over else 0.0), 0.21 if over else 0.15)
        pole = (0.8, -0.8, 0.3)
        act.reach(side, "torso", at, (-0.9, 0.25, 0.1), (0, -0.3, -1), pole, weight=weight, touch=False, curl=0.25)


def arms_akimbo(act: Act) -> None:
    weight = act.weight(0.5, 0.5)
    hip = act.stage.person.build.hip_half
    both = act.chance(0.8)
    main = act.hand()
    for side in (0, 1) if both else (main,):
        at = (hip + act.between(0.06, 0.10), act.between(0.05, 0.12), act.between(-0.02, 0.06))
        pole = (1.0, 0.0, act.between(-0.7, -0.1))
        act.reach(side, "hip", at, (-0.5, -0.5, 0.6), (-0.8, -0.4, -0.3), pole, weight=weight, touch=False, curl=0.3)


def move_legs(act: Act) -> None:
    """Shift from foot to foot, or step on the spot."""
    count = max(1, round(act.num_frames / act.stage.fps / 0.7))
    bumps, side = act.pulses(count), int(act.rng.integers(2))
    step = np.array([SIDES[side] * act.between(0.0, 0.09), 0.0, act.between(-0.05, 0.10)])
    act.stage.feet[act.span, side] += bumps[:, None] * (step + np.array([0, act.between(0.02, 0.06), 0]))
    act.lean((-0.03 * SIDES[side], -0.01, 0), (0, 0, -0.02 * SIDES[side]), bumps)


def cross_legs(act: Act) -> None:
    """One foot set before and across the other."""
    weight, side = act.weight(0.5, 0.5), int(act.rng.integers(2))
    across = 2 * abs(act.stage.feet[act.start, side, 0]) + act.between(-0.03, 0.06)
    lift = 0.25 * weight * (1 - weight)
    move = weight[:, None] * np.array([-SIDES[side] * across, 0.0, act.between(0.10, 0.16)])
    move[:, 1] += lift
    act.stage.feet[act.span, side] += move
    act.lean((-0.02 * SIDES[side], -0.01, 0), (0, 0, 0), weight)


# By the zero-based class ids of recordings.labels.
IMIGUE_PROGRAMS: dict[int, Program] = {
    0: turtle_neck,
    7: touch_face,
    8: touch_ear,
    10: touch_jaw,
    11: touch_neck,
    12: play_hair,
    16: fold_arms,
    19: move_torso,
    21: scratch_arm,
    22: rub_hands,
    23: cross_fingers,
    27: head_up,
    28: press_lips,
    29: arms_akimbo,
    30: shake_shoulder,
    31: illustrate,
}


def rub_or_cross(act: Act) -> None:
    (rub_hands if act.chance(0.6) else cross_fingers)(act)


SMG_PROGRAMS: dict[int, Program] = {
    0: turtle_neck,
    2: fold_arms,
    4: move_legs,
    7: rub_or_cross,
    8: arms_akimbo,
    9: cross_legs,
    10: scratch_arm,
    11: touch_face,
    12: play_hair,
    16: illustrate,
}
