"""What people do between the gestures: drink, nod, look aside, begin a gesture and drop it. Never labelled."""

import numpy as np

from recordings.simulation.act import Act
from recordings.simulation.gestures import Program
from recordings.simulation.people import SIDES
from recordings.simulation.talk import DOWN_AND_OUT, beat


def drink(act: Act) -> None:
    """A glass to the mouth and back, the head tipping back."""
    weight = act.weight(0.6, 0.6)
    at = (0.01, -0.10, 0.20)
    act.reach(
        act.hand(),
        "head",
        at,
        (-0.7, 0.5, -0.3),
        (-0.7, 0, -0.7),
        (0.9, -0.6, 0.2),
        weight=weight,
        touch=False,
        curl=0.7,
    )
    act.nod(0, -0.12, 0, weight**3)
    act.hush(weight)


def nod_along(act: Act) -> None:
    act.nod(0, act.between(0.04, 0.10), 0, act.weight(0.2, 0.2) * act.strokes(act.between(1.2, 2.2)))


def look_aside(act: Act) -> None:
    act.nod(act.between(0.3, 0.6) * act.rng.choice([-1, 1]), act.between(-0.05, 0.1), 0, act.weight(0.3, 0.3))


def read_notes(act: Act) -> None:
    weight = act.weight(0.4, 0.4)
    act.nod(act.between(-0.2, 0.2), act.between(0.2, 0.35), 0, weight)
    act.hush(weight)


def handle_thing(act: Act) -> None:
    """Reach for the microphone, or for a phone in a pocket; standing people use the latter."""
    weight, side = act.weight(0.45, 0.45), act.hand()
    if act.stage.person.standing:
        at, along = (act.between(0.12, 0.2), act.between(-0.5, -0.35), act.between(0.05, 0.2)), (-0.2, -0.8, 0.3)
    else:
        at, along = (act.between(-0.05, 0.1), -0.25, act.between(0.36, 0.44)), (-0.3, 0.3, 0.9)
    act.reach(side, "torso", at, along, (-0.8, -0.3, 0), DOWN_AND_OUT, weight=weight, touch=False, curl=0.55)


def sway(act: Act) -> None:
    """Rock a little in place; smaller and slower than a labelled move."""
    weight = act.weight(0.6, 0.6) * act.strokes(0.4)
    act.lean((act.between(-0.012, 0.012), 0, 0), tuple(act.rng.normal(0, 0.012, 3)), weight)


def think_better(act: Act) -> None:
    """Begin to raise a hand to the face, or both before the trunk, and let them drop half-way."""
    weight = act.between(0.35, 0.6) * act.weight(0.5, 0.5)
    if act.chance(0.4):
        pose = ((0.05, -0.10, 0.12), (-0.3, 0.9, -0.3), (-0.2, 0.0, -1.0), (0.8, -0.8, 0.2))
        act.reach(act.hand(), "head", *pose, weight=weight, curl=0.3)
        return
    for side in (0, 1):
        pose = ((0.09, act.between(-0.36, -0.24), 0.26), (-0.6, 0.2, 0.7), (-0.6, -0.6, 0.0), DOWN_AND_OUT)
        act.reach(side, "torso", *pose, weight=weight, touch=False, curl=0.3)


def step_aside(act: Act) -> None:
    """Take the weight off one leg; the foot of a standing person hardly leaves the ground."""
    weight, side = act.weight(0.4, 0.4), int(act.rng.integers(2))
    act.stage.feet[act.span, side] += weight[:, None] * (0.04 * SIDES[side], 0.015, 0.03)
    act.lean((-0.025 * SIDES[side], -0.005, 0), (0, 0, 0), weight)


DISTRACTORS: tuple[tuple[Program, float], ...] = (
    (beat, 0.20),
    (think_better, 0.18),
    (nod_along, 0.14),
    (look_aside, 0.10),
    (step_aside, 0.10),
    (drink, 0.08),
    (read_notes, 0.06),
    (handle_thing, 0.08),
    (sway, 0.06),
)


def play_distractor(act: Act) -> None:
    """Play one of them, drawn by its share."""
    programs, shares = zip(*DISTRACTORS, strict=True)
    programs[act.rng.choice(len(programs), p=np.asarray(shares))](act)
