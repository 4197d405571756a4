"""One act on the stage: a gesture's time span and the moves that programs are written in."""

import itertools
from dataclasses import dataclass

import numpy as np

from recordings.simulation.motion import Reach, Stage, ease, envelope, smooth_noise, strokes
from recordings.simulation.people import SIDES, Manner


@dataclass
class Act:
    """`num_frames` frames of a stage from `start` on, in which one program plays."""

    stage: Stage
    rng: np.random.Generator
    start: int
    num_frames: int

    @property
    def manner(self) -> Manner:
        return self.stage.person.manner

    @property
    def span(self) -> slice:
        return slice(self.start, self.start + self.num_frames)

    def between(self, low: float, high: float, taste: int | None = None) -> float:
        """A number in [low, high]; with `taste`, half of it is this person's constant and half is chance."""
        at = self.rng.random()
        if taste is not None:
            at = 0.5 * at + 0.5 * self.manner.taste[taste]
        return float(low + (high - low) * at)

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def hand(self) -> int:
        """The side of a one-handed gesture, by handedness."""
        return 0 if self.chance(self.manner.right_handed) else 1

    def weight(self, rise_sec: float = 0.45, fall_sec: float = 0.45) -> np.ndarray:
        """(n,) in and out; brisk people and chance change the speed of the two ends."""
        fps, pace = self.stage.fps, self.manner.pace
        rise, fall = rise_sec * self.between(0.7, 1.4) / pace, fall_sec * self.between(0.7, 1.4) / pace
        return envelope(self.num_frames, rise * fps, fall * fps)

    def strokes(self, hertz: float) -> np.ndarray:
        return strokes(self.rng, self.num_frames, self.stage.fps, hertz * self.manner.pace)

    def wander(self, seconds: float, width: int) -> np.ndarray:
        return smooth_noise(self.rng, self.num_frames, self.stage.fps, seconds, width)

    def pulses(self, count: int) -> np.ndarray:
        """(n,) `count` bumps from 0 to 1 of uneven height, side by side over the act."""
        edges = np.cumsum(np.concatenate([[0], self.rng.uniform(0.7, 1.3, count)]))
        edges = np.round(edges / edges[-1] * self.num_frames).astype(int)
        bumps = np.zeros(self.num_frames)
        for first, last in itertools.pairwise(edges):
            n = last - first
            bumps[first:last] = self.between(0.65, 1.0) * envelope(n, 0.5 * n, 0.5 * n)
        return bumps

    def reach(
        self,
        side: int,
        anchor: str,
        at: tuple[float, float, float] | np.ndarray,
        along: tuple[float, float, float],
        palm: tuple[float, float, float],
        pole: tuple[float, float, float],
        *,
        weight: np.ndarray,
        stroke: np.ndarray | None = None,
        touch: bool = True,
        curl: float = 0.2,
        spread: float = 1.0,
        wiggle: float = 0.04,
        arm_at: float = 1.0,
    ) -> None:
        """Send a hand to `at`, given for the left side; the right side mirrors x of every vector.

        `stroke` is (n, 3) metres added to `at`; it is mirrored too. For the other arguments see Reach.
        """
        mirror = np.array([SIDES[side], 1.0, 1.0])
        offset = np.broadcast_to(np.asarray(at, float), (self.num_frames, 3))
        if stroke is not None:
            offset = offset + stroke
        fingers = np.clip(curl + wiggle * self.wander(0.25, 5), 0, 1)
        along_hand, palm_of, pole_of = (np.asarray(v, float) * mirror for v in (along, palm, pole))
        self.stage.reaches.append(
            Reach(
                side,
                self.start,
                weight,
                anchor,
                offset * mirror,
                along_hand,
                palm_of,
                pole_of,
                touch,
                fingers,
                spread,
                arm_at,
            )
        )

    def lean(self, hip: tuple[float, float, float], torso: tuple[float, float, float], weight: np.ndarray) -> None:
        """Add to the trunk: hips in metres, torso yaw, pitch, roll in radians, both times `weight` (n,)."""
        self.stage.hip[self.span] += weight[:, None] * np.asarray(hip)
        self.stage.torso[self.span] += weight[:, None] * np.asarray(torso)

    def linger(self, hip: np.ndarray, torso: np.ndarray, seconds: float) -> None:
        """Let a changed posture fade after the act instead of ending with it."""
        first = self.start + self.num_frames
        n = min(int(seconds * self.stage.fps), self.stage.num_frames - first)
        fade = 1 - ease(np.arange(n) / max(n, 1))
        self.stage.hip[first : first + n] += fade[:, None] * hip
        self.stage.torso[first : first + n] += fade[:, None] * torso

    def nod(self, yaw: float, pitch: float, roll: float, weight: np.ndarray) -> None:
        self.stage.head[self.span] += weight[:, None] * np.array([yaw, pitch, roll])

    def hush(self, weight: np.ndarray) -> None:
        """Close a talking mouth."""
        self.stage.mouth[self.span] *= 1 - weight
