"""The people of the simulated recordings: proportions, pace, habits, clothes, and the camera that films them.

Lengths are metres, angles radians. The axes everywhere: x to the right of the picture, y up, z towards the camera.
Side 0 is the subject's right arm or leg (left in the picture), side 1 the left one.
"""

from dataclasses import dataclass

import numpy as np

SIDES = np.array([-1.0, 1.0])  # the sign of x on each side, when the subject faces the camera


@dataclass(frozen=True)
class Build:
    """Body lengths in metres. Means are rounded adult values; people vary around them by a few percent."""

    shoulder_half: float
    spine: float  # middle of the hips to the neck
    neck: float  # neck to the middle of the head
    head: float  # scale of the head, 1 = 0.23 m tall
    upper_arm: float
    forearm: float
    hand: float  # wrist to the tip of the middle finger
    hip_half: float
    thigh: float
    shin: float


@dataclass(frozen=True)
class Manner:
    """How this person moves; everything is a factor on the average person unless a unit is given."""

    pace: float  # below 1: slower strokes and longer gestures
    amplitude: float
    right_handed: float  # chance that a one-handed gesture uses the right hand
    rest: np.ndarray  # (2, 3) where the wrists rest: seated, from the hips; standing, from the neck
    elbow_out: float  # how far the elbows stand off, 0..1
    restless: float
    talkative: float  # share of time spent talking, 0..1
    slump: float  # habitual forward lean, radians
    head_yaw: float  # habitual direction of the face, radians
    taste: np.ndarray  # (8,) in [0, 1]: personal constants that programs use for "how I do this one"


@dataclass(frozen=True)
class Looks:
    """Colours are BGR 0..255."""

    skin: tuple[int, int, int]
    hair: tuple[int, int, int]
    shirt: tuple[int, int, int]
    trousers: tuple[int, int, int]
    lips: tuple[int, int, int]
    long_sleeves: bool
    hair_length: float  # 0 = short, 1 = to the shoulders


@dataclass(frozen=True)
class Person:
    """One subject. `standing` people hang their arms and have legs in view; the others sit behind a table."""

    person_id: str
    standing: bool
    build: Build
    manner: Manner
    looks: Looks


@dataclass(frozen=True)
class Camera:
    """A pinhole camera that looks along -z at the point (x, y) from `distance` metres.

    `yaw` turns the person about the vertical, which is the same as walking the camera around them.
    """

    width: int
    height: int
    focal: float  # pixels
    x: float
    y: float
    distance: float
    yaw: float

    def project(self, points: np.ndarray) -> np.ndarray:
        """World points (..., 3) to pixels (..., 2), x right and y down."""
        seen = self.to_view(points)
        scale = self.focal / np.maximum(seen[..., 2], 0.2)
        u = self.width / 2 + scale * seen[..., 0]
        v = self.height / 2 - scale * seen[..., 1]
        return np.stack([u, v], axis=-1)

    def to_view(self, points: np.ndarray) -> np.ndarray:
        """World points (..., 3) to the camera's own axes: x right, y up, z away from the camera, metres."""
        cos, sin = np.cos(self.yaw), np.sin(self.yaw)
        x = cos * points[..., 0] + sin * points[..., 2]
        z = cos * points[..., 2] - sin * points[..., 0]
        return np.stack([x - self.x, points[..., 1] - self.y, self.distance - z], axis=-1)


SKINS = ((196, 214, 238), (168, 190, 226), (140, 170, 212), (104, 138, 188), (72, 100, 150), (54, 74, 112))
HAIRS = ((28, 30, 36), (40, 56, 82), (72, 104, 138), (112, 156, 190), (110, 112, 116), (34, 44, 96))
SHIRTS = ((150, 60, 40), (50, 50, 170), (60, 120, 60), (60, 60, 64), (200, 200, 204), (40, 130, 190), (130, 50, 110))


def make_person(person_id: str, standing: bool, rng: np.random.Generator) -> Person:
    """Draw one subject. The same generator state gives the same person."""
    size = rng.normal(1.0, 0.05)

    def about(mean: float, spread: float = 0.04) -> float:
        return float(mean * size * rng.normal(1.0, spread))

    build = Build(
        shoulder_half=about(0.185, 0.06),
        spine=about(0.51),
        neck=about(0.20, 0.05),
        head=float(rng.normal(1.0, 0.04)),
        upper_arm=about(0.295),
        forearm=about(0.255),
        hand=about(0.175),
        hip_half=about(0.10, 0.06),
        thigh=about(0.43),
        shin=about(0.43),
    )
    return Person(person_id, standing, build, _make_manner(build, standing, rng), _make_looks(rng))


def _make_manner(build: Build, standing: bool, rng: np.random.Generator) -> Manner:
    if standing:
        out, ahead = rng.uniform(0.04, 0.09, 2), rng.uniform(0.02, 0.16, 2)
        drop = -(build.upper_arm + build.forearm) * rng.uniform(0.90, 0.95)
        rest = np.stack([SIDES * (build.shoulder_half + out), np.full(2, drop), ahead], axis=-1)
    else:
        apart, ahead = rng.uniform(0.10, 0.22, 2), rng.uniform(0.24, 0.36, 2)
        rest = np.stack([SIDES * apart, np.full(2, 0.17) + rng.uniform(0, 0.03, 2), ahead], axis=-1)
    return Manner(
        pace=float(rng.uniform(0.8, 1.25)),
        amplitude=float(rng.uniform(0.75, 1.3)),
        right_handed=float(rng.choice([0.85, 0.7, 0.5, 0.2])),
        rest=rest,
        elbow_out=float(rng.uniform(0.2, 0.8)),
        restless=float(rng.uniform(0.6, 1.5)),
        talkative=float(rng.uniform(0.3, 0.8)),
        slump=float(rng.uniform(-0.02, 0.12)),
        head_yaw=float(rng.normal(0.0, 0.12)),
        taste=rng.uniform(0, 1, 8),
    )


def _colour(channels: np.ndarray) -> tuple[int, int, int]:
    red, green, blue = channels.astype(int).tolist()
    return red, green, blue


def _make_looks(rng: np.random.Generator) -> Looks:
    skin = np.array(SKINS[rng.integers(len(SKINS))])
    lips = np.clip(skin * np.array([0.72, 0.62, 0.88]), 0, 255)
    return Looks(
        skin=_colour(skin),
        hair=HAIRS[rng.integers(len(HAIRS))],
        shirt=SHIRTS[rng.integers(len(SHIRTS))],
        trousers=_colour(rng.integers(30, 90, 3)),
        lips=_colour(lips),
        long_sleeves=bool(rng.random() < 0.55),
        hair_length=float(rng.choice([0.0, 0.0, 0.4, 1.0])),
    )


def table_camera(rng: np.random.Generator) -> Camera:
    """A press-conference camera: 1280x720, the upper body fills the picture, a little off-centre and from one side."""
    zoom = rng.uniform(660, 780)  # pixels per metre at the subject
    distance = rng.uniform(1.8, 3.0)
    return Camera(
        width=1280,
        height=720,
        focal=float(zoom * distance),
        x=float(rng.normal(0, 0.10)),
        y=float(rng.uniform(0.43, 0.49)),
        distance=float(distance),
        yaw=float(np.clip(rng.normal(0, 0.3), -0.55, 0.55)),
    )


def kinect_camera(rng: np.random.Generator) -> Camera:
    """A Kinect v2 colour camera: 1920x1080, focal length about 1,060 pixels, the whole standing person in view."""
    return Camera(
        width=1920,
        height=1080,
        focal=1060.0,
        x=float(rng.normal(0, 0.12)),
        y=float(rng.uniform(-0.60, -0.45)),  # the neck of a standing person is at 0
        distance=float(rng.uniform(2.1, 2.6)),
        yaw=float(np.clip(rng.normal(0, 0.15), -0.3, 0.3)),
    )
