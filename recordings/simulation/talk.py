"""How talking moves the hands: the illustrative gestures, and the beats that go on beside other gestures.

Vectors are written for the left side, as in recordings.simulation.gestures.
"""

import numpy as np

from recordings.simulation.act import Act

DOWN_AND_OUT = (0.7, -0.9, 0.1)  # where the elbow of a hand in front of the trunk points


def illustrate(act: Act) -> None:
    """Hands that talk: free strokes in front of the trunk, small beats low over the table, both hands in step, or a
    hand that comes near the chest or the face on its way."""
    kind = act.rng.choice(4, p=[0.22, 0.28, 0.26, 0.24])
    size = act.manner.amplitude * (0.9, 0.45, 0.45, 0.35)[kind]
    both = kind == 2 or (kind < 2 and act.chance(0.5))
    base = (
        (act.between(0.05, 0.26), act.between(-0.40, -0.20, 6), act.between(0.18, 0.36)),
        (act.between(0.06, 0.22), act.between(-0.35, -0.29), act.between(0.20, 0.34)),
        (act.between(0.065, 0.11), act.between(-0.36, -0.22, 7), act.between(0.22, 0.32)),
        (act.between(0.02, 0.18), act.between(-0.14, 0.06), act.between(0.14, 0.22)),
    )[kind]
    weight = act.weight(0.35, 0.4)
    swing = act.strokes(act.between(0.7, 1.7))
    direction = act.rng.normal(0, 1, 3) * (1.0, 0.9, 0.5)
    direction *= 0.085 * size * act.between(0.5, 1.3) / np.linalg.norm(direction)
    palm = ((0, 1, 0.2), (-1, 0.1, 0), (0, -1, 0.2), (0, 0.1, 1))[act.rng.integers(4)]
    main = act.hand()
    for side in (0, 1) if both else (main,):
        stroke = swing[:, None] * direction + 0.025 * size * act.wander(0.5, 3)
        along = (act.between(-0.6, 0.2), act.between(0.1, 0.8), 0.8)
        at = np.asarray(base) + act.rng.normal(0, 0.015, 3)
        pole, curl = (0.5 + act.manner.elbow_out, -1.0, -0.1), act.between(0.05, 0.5)
        act.reach(
            side, "torso", at, along, palm, pole,
            weight=weight, stroke=stroke, touch=False, curl=curl, wiggle=0.12,
        )  # fmt: skip
    act.nod(0, 0.05, 0, weight * swing * act.between(-1, 1))
    mouth = act.stage.mouth[act.span]
    act.stage.mouth[act.span] = np.maximum(mouth, weight * np.clip(0.5 + 0.5 * act.wander(0.12, 1)[:, 0], 0, 1))


def beat(act: Act) -> None:
    """A small talk gesture below what counts as illustrative: the resting hand lifts and falls a little."""
    beat_with(act, act.hand(), act.between(0.10, 0.28))


def beat_with(act: Act, side: int, share: float) -> None:
    """Lift one hand by a share of the way to where talking hands are."""
    at = (act.between(0.08, 0.2), act.between(-0.34, -0.24), 0.28)
    weight = share * act.weight(0.25, 0.3) * (0.75 + 0.25 * act.strokes(act.between(0.8, 1.6)))
    act.reach(side, "torso", at, (-0.2, 0.4, 0.8), (-0.4, -0.6, 0), DOWN_AND_OUT, weight=weight, touch=False)


def keep_busy(act: Act, free: tuple[int, ...]) -> None:
    """What else goes on in a gesture: a hand that is free may talk on, the head may turn or nod, the seat may shift."""
    for side in free:
        if act.chance(0.35 * act.manner.restless):
            beat_with(act, side, act.between(0.10, 0.60))
    if act.chance(0.35):
        act.nod(act.between(0.1, 0.4) * act.rng.choice([-1, 1]), act.between(-0.06, 0.12), 0, act.weight(0.3, 0.3))
    if act.chance(0.3):
        act.lean((act.rng.normal(0, 0.01), 0, 0), tuple(act.rng.normal(0, 0.025, 3)), act.weight(0.6, 0.6))


def talk_along(act: Act) -> np.ndarray:
    """(n, 3) metres: joined hands that beat time to the speech, in two gestures of five."""
    size = act.between(0.01, 0.04) * act.manner.amplitude if act.chance(0.4) else 0.0
    return size * act.strokes(act.between(0.7, 1.5))[:, None] * act.rng.normal(0, 1, 3) * (0.5, 0.8, 0.4)
