"""A stage: the controls of one simulated body over a whole recording, and the restless baseline they start from.

Gestures (recordings.simulation.gestures) add to these controls; recordings.simulation.pose turns them into points.
Units: metres, radians, frames. Sides and axes as in recordings.simulation.people.
"""

from dataclasses import dataclass, field

import numpy as np
from scipy.ndimage import gaussian_filter1d

from recordings.simulation.people import SIDES, Person


def smooth_noise(rng: np.random.Generator, num_frames: int, fps: float, seconds: float, width: int) -> np.ndarray:
    """(T, width) wandering curves of unit variance that change on the scale of `seconds`."""
    sigma = max(seconds * fps / 2, 0.5)
    pad = int(4 * sigma)
    white = rng.standard_normal((num_frames + 2 * pad, width))
    # A Gaussian filter of width sigma leaves 1 / (2 sqrt(pi) sigma) of the variance of white noise.
    curve = gaussian_filter1d(white, sigma, axis=0, mode="wrap") * np.sqrt(2 * np.sqrt(np.pi) * sigma)
    return curve[pad : pad + num_frames]


def ease(x: np.ndarray) -> np.ndarray:
    """Minimum-jerk step from 0 to 1 (Flash and Hogan 1985), the usual shape of a human reach."""
    x = np.clip(x, 0.0, 1.0)
    return x**3 * (10 - 15 * x + 6 * x**2)


def envelope(num_frames: int, rise: float, fall: float) -> np.ndarray:
    """(n,) 0 at both ends, 1 in the middle; `rise` and `fall` are frames, shortened where n is too small for them."""
    shrink = min(1.0, (num_frames - 1) / max(rise + fall, 1e-6))
    at = np.arange(num_frames, dtype=float)
    up = ease(at / max(rise * shrink, 1.0))
    down = ease((num_frames - 1 - at) / max(fall * shrink, 1.0))
    return np.minimum(up, down)


def strokes(rng: np.random.Generator, num_frames: int, fps: float, hertz: float) -> np.ndarray:
    """(n,) a sine in [-1, 1] whose pace and size wander a little, as repeated strokes of a hand do."""
    wander = 1 + 0.2 * smooth_noise(rng, num_frames, fps, 0.6, 2)
    phase = np.cumsum(2 * np.pi * hertz / fps * wander[:, 0]) + rng.uniform(0, 2 * np.pi)
    return np.clip(np.sin(phase) * wander[:, 1], -1.2, 1.2)


@dataclass
class Reach:
    """One hand goes somewhere and comes back.

    Attributes:
        side: 0 right, 1 left.
        start: first frame.
        weight: (n,) 0 = at rest, 1 = there.
        anchor: what the offset is measured from: 'head', 'torso' (the neck), 'hip', or 'arm' (the other arm).
        offset: (n, 3) metres in the anchor's own axes.
        along, palm: (3,) direction of the hand and of its palm, in the anchor's axes.
        pole: (3,) where the elbow points, in the torso's axes.
        touch: True = the fingertips go to the offset, False = the wrist does.
        curl: (n, 5) bend of the fingers. spread: factor on their fan.
        arm_at: only for 'arm': 0 shoulder, 1 elbow, 2 wrist of the other arm.
    """

    side: int
    start: int
    weight: np.ndarray
    anchor: str
    offset: np.ndarray
    along: np.ndarray
    palm: np.ndarray
    pole: np.ndarray
    touch: bool
    curl: np.ndarray
    spread: float
    arm_at: float = 1.0

    @property
    def frames(self) -> slice:
        return slice(self.start, self.start + len(self.weight))


@dataclass
class Stage:
    """Controls over T frames; see the module docstring. Gestures add to the arrays in place."""

    person: Person
    fps: float
    hip: np.ndarray  # (T, 3)
    torso: np.ndarray  # (T, 3) yaw, pitch, roll
    head: np.ndarray  # (T, 3) relative to the torso
    shrug: np.ndarray  # (T, 2)
    sink: np.ndarray  # (T,)
    mouth: np.ndarray  # (T,) 0 closed .. 1 open
    lips: np.ndarray  # (T,) 0 relaxed .. 1 pressed together
    blink: np.ndarray  # (T,) 1 = eyes closed
    rest: np.ndarray  # (T, 2, 3) wrists at rest: seated, in the world; standing, from the neck in the torso's axes
    curl: np.ndarray  # (T, 2, 5)
    feet: np.ndarray  # (T, 2, 3) ankles in the world
    reaches: list[Reach] = field(default_factory=list)

    @property
    def num_frames(self) -> int:
        return len(self.hip)


def idle_stage(person: Person, num_frames: int, fps: float, rng: np.random.Generator) -> Stage:
    """A person who breathes, sways, looks around, blinks and talks now and then, and makes no gesture."""
    manner, build = person.manner, person.build
    lively = manner.restless

    def wander(seconds: float, width: int) -> np.ndarray:
        return smooth_noise(rng, num_frames, fps, seconds, width)

    breath = np.sin(2 * np.pi * rng.uniform(0.2, 0.33) * np.arange(num_frames) / fps + rng.uniform(0, 6))
    talk = ease(0.5 + 4 * (wander(2.5, 1)[:, 0] + 1.2 * (manner.talkative - 0.5)))
    syllables = np.clip(0.45 + 0.5 * wander(0.12, 1)[:, 0], 0, 1)

    hip = np.zeros((num_frames, 3)) + np.array([0.014, 0.003, 0.012]) * lively * wander(2.5, 3)
    torso = np.array([0.035, 0.026, 0.022]) * lively * wander(2.0, 3)
    torso[:, 1] += manner.slump + 0.006 * breath
    head = np.array([0.05, 0.045, 0.03]) * lively * wander(0.8, 3)
    head += talk[:, None] * np.array([0.03, 0.045, 0.02]) * wander(0.25, 3)
    head[:, 0] += manner.head_yaw + gaze(num_frames, fps, rng)
    shrug = 0.004 * breath[:, None] + 0.0035 * lively * wander(0.7, 2) + 0.003 * talk[:, None] * wander(0.3, 2)

    rest = (
        manner.rest[None]
        + rng.normal(0, 0.025, (2, 3)) * (1, 0.2, 1)
        + 0.015 * lively * wander(4.0, 6).reshape(-1, 2, 3) * (1, 0.3, 1)
    )
    rest = rest + 0.004 * lively * wander(1.0, 6).reshape(-1, 2, 3)
    rest = rest + 0.020 * (talk * lively)[:, None, None] * wander(0.4, 6).reshape(-1, 2, 3)
    curl = np.clip(0.30 + 0.25 * (manner.taste[0] - 0.5) + 0.06 * wander(0.5, 10).reshape(-1, 2, 5), 0, 1)

    if person.standing:
        hip[:, 1] -= build.spine
    ground = -build.spine - build.thigh - build.shin + 0.015
    feet = np.zeros((num_frames, 2, 3))
    feet[:, :, 0] = SIDES * (build.hip_half + 0.02 + 0.06 * manner.taste[1])
    feet[:, :, 1] = ground
    blink = np.zeros(num_frames)
    for start in np.flatnonzero(rng.random(num_frames) < 0.25 / fps):
        blink[start : start + max(2, int(0.16 * fps))] = 1.0
    return Stage(
        person,
        fps,
        hip,
        torso,
        head,
        shrug,
        np.zeros(num_frames),
        talk * syllables,
        np.zeros(num_frames),
        blink,
        rest,
        curl,
        feet,
    )


def gaze(num_frames: int, fps: float, rng: np.random.Generator) -> np.ndarray:
    """(T,) yaw that steps from one listener to the next every few seconds."""
    yaw = np.empty(num_frames)
    at = 0
    while at < num_frames:
        until = at + int(fps * rng.uniform(1.0, 4.5))
        yaw[at:until] = rng.normal(0, 0.14)
        at = until
    return gaussian_filter1d(yaw, 0.18 * fps, mode="nearest")
