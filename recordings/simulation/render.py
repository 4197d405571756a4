"""Draw a simulated person frame by frame and encode the frames as H.264: 224x126, whatever the camera's own size."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from recordings.simulation.motion import Stage
from recordings.simulation.people import Camera, Looks, Person
from recordings.simulation.pose import Pose
from recordings.simulation.scene import HEIGHT, WIDTH, Colour, Painter, Scene, shade


@dataclass(frozen=True)
class _Drawing:
    """Everything of a recording in pixels of the camera, ready to be drawn frame by frame."""

    person: Person
    stage: Stage
    scene: Scene
    scale: float
    meter: np.ndarray  # (T,) pixels per metre at the head
    face: dict[str, np.ndarray]  # (T, 2)
    back_hidden: np.ndarray  # (T, 2) the ear of this side is turned away
    neck: np.ndarray  # (T, 2)
    shoulders: np.ndarray  # (T, 2, 2)
    elbows: np.ndarray
    wrists: np.ndarray
    tips: np.ndarray  # (T, 2, 5, 2)
    hips: np.ndarray
    knees: np.ndarray
    ankles: np.ndarray
    depth: np.ndarray  # (T, 2) how far ahead of the hips the hand is, metres
    table_edge: float  # pixels from the top


def frames(person: Person, stage: Stage, pose: Pose, camera: Camera, scene: Scene) -> Iterator[np.ndarray]:
    """Yield (HEIGHT, WIDTH, 3) uint8 BGR pictures, one a frame."""
    project = camera.project
    far = camera.to_view(pose.frames.head)[:, 2]
    ears = [camera.to_view(pose.face[name])[:, 2] for name in ("ear_right", "ear_left")]
    table_front = np.array([0.0, 0.13, 0.32])
    drawing = _Drawing(
        person=person,
        stage=stage,
        scene=scene,
        scale=WIDTH / camera.width,
        meter=camera.focal / far,
        face={name: project(points) for name, points in pose.face.items()},
        back_hidden=np.stack([ears[0] - ears[1], ears[1] - ears[0]], axis=-1) > 0.05,
        neck=project(pose.frames.neck),
        shoulders=project(pose.frames.shoulders),
        elbows=project(pose.elbows),
        wrists=project(pose.wrists),
        tips=project(pose.tips),
        hips=project(pose.hips),
        knees=project(pose.knees),
        ankles=project(pose.ankles),
        depth=pose.wrists[..., 2] - pose.frames.hip[:, None, 2],
        table_edge=float(project(table_front)[1]),
    )
    for t in range(stage.num_frames):
        yield draw(drawing, t)


def draw(d: _Drawing, t: int) -> np.ndarray:
    """One picture: legs, trunk, head, the arms from back to front, the table between the arms that are behind it."""
    canvas = d.scene.background.copy()
    painter = Painter(canvas, d.scale)
    if d.person.standing:
        _draw_legs(painter, d, t)
    if d.person.looks.hair_length > 0:
        _draw_long_hair(painter, d, t)
    _draw_trunk(painter, d, t)
    _draw_head(painter, d, t)
    behind = [side for side in (0, 1) if d.scene.table is not None and d.depth[t, side] < 0.15]
    for side in behind:
        _draw_arm(painter, d, t, side)
    if d.scene.table is not None:
        edge, right, low = d.table_edge, WIDTH / d.scale, HEIGHT / d.scale
        painter.area(np.array([[0, edge], [right, edge], [right, low], [0, low]]), d.scene.table)
        painter.line(np.array([[0, edge], [right, edge]]), shade(d.scene.table, 1.4), 8)
    for side in sorted({0, 1} - set(behind), key=lambda s: d.depth[t, s]):
        _draw_arm(painter, d, t, side)
    return cv2.add(canvas, d.scene.noise[t % len(d.scene.noise)])


def _draw_legs(painter: Painter, d: _Drawing, t: int) -> None:
    looks, meter = d.person.looks, d.meter[t]
    for side in (0, 1):
        painter.line(np.stack([d.hips[t, side], d.knees[t, side], d.ankles[t, side]]), looks.trousers, 0.13 * meter)
        foot = d.ankles[t, side] + (0, 0.04 * meter)
        painter.oval(foot, (0.06 * meter, 0.035 * meter), (30, 30, 30))


def _draw_long_hair(painter: Painter, d: _Drawing, t: int) -> None:
    looks, size = d.person.looks, d.meter[t] * d.person.build.head
    middle = 0.5 * (d.face["ear_right"][t] + d.face["ear_left"][t])
    below = middle - (d.face["crown"][t] - middle) * 0.5 * looks.hair_length
    painter.oval(below, (0.10 * size, (0.10 + 0.08 * looks.hair_length) * size), shade(looks.hair, 0.85))


def _draw_trunk(painter: Painter, d: _Drawing, t: int) -> None:
    looks, meter = d.person.looks, d.meter[t]
    right, left = d.shoulders[t]
    hip_right, hip_left = d.hips[t]
    wide, hem, throat = np.array([[0.05, 0.0], [0.0, 0.05], [0.05, 0.035]]) * meter
    outline = [right - wide, d.neck[t] - throat, d.neck[t] + throat * (1, -1)]
    outline += [left + wide, hip_left + wide + hem, hip_right - wide + hem]
    painter.area(np.array(outline), looks.shirt)
    painter.line(np.stack([right, left]), looks.shirt, 0.09 * meter)
    head = d.face["chin"][t]
    painter.line(
        np.stack([d.neck[t] - (0, 0.01 * meter), 0.4 * d.neck[t] + 0.6 * head]), shade(looks.skin, 0.85), 0.11 * meter
    )
    collar = np.stack(
        [
            d.neck[t] + (-0.05 * meter, -0.02 * meter),
            d.neck[t] + (0, 0.05 * meter),
            d.neck[t] + (0.05 * meter, -0.02 * meter),
        ]
    )
    painter.line(collar, shade(looks.shirt, 0.6), 0.012 * meter)


def _draw_head(painter: Painter, d: _Drawing, t: int) -> None:
    looks, size = d.person.looks, d.meter[t] * d.person.build.head
    face = {name: points[t] for name, points in d.face.items()}
    middle = 0.5 * (face["ear_right"] + face["ear_left"])
    up = face["crown"] - middle
    degrees = float(np.degrees(np.arctan2(up[0], -up[1])))
    front = 0.55 * middle + 0.45 * 0.5 * (face["eye_right"] + face["eye_left"])
    painter.oval(middle + 0.16 * up, (0.090 * size, 0.115 * size), looks.hair, degrees)
    for side, name in enumerate(("ear_right", "ear_left")):
        if not d.back_hidden[t, side]:
            painter.oval(face[name], (0.014 * size, 0.028 * size), shade(looks.skin, 0.88), degrees)
    jaw = front + 0.42 * (face["chin"] - front)
    painter.oval(jaw, (0.074 * size, 0.098 * size), looks.skin, degrees)
    for name in ("eye_right", "eye_left"):
        if d.stage.blink[t]:
            painter.oval(face[name], (0.015 * size, 0.003 * size), shade(looks.skin, 0.6), degrees)
        else:
            painter.oval(face[name], (0.016 * size, 0.009 * size), (235, 235, 235), degrees)
            painter.oval(face[name], (0.007 * size, 0.008 * size), (40, 40, 40), degrees)
        brow = face[name] + 0.17 * up
        painter.oval(brow, (0.020 * size, 0.004 * size), shade(looks.hair, 0.8), degrees)
    painter.line(np.stack([front + 0.1 * (face["nose"] - front), face["nose"]]), shade(looks.skin, 0.82), 0.012 * size)
    _draw_mouth(painter, d, t, face["mouth"], size, degrees)


def _draw_mouth(painter: Painter, d: _Drawing, t: int, at: np.ndarray, size: float, degrees: float) -> None:
    """Lips with a dark gap when talking; pressed together they shrink to a pale line between two folds."""
    looks, pressed, gap = d.person.looks, d.stage.lips[t], d.stage.mouth[t]
    full = 1 - pressed
    painter.oval(
        at,
        ((0.030 + 0.006 * pressed) * size, (0.004 + 0.010 * full + 0.010 * gap) * size),
        _lip_colour(looks, pressed),
        degrees,
    )
    if gap > 0.15:
        painter.oval(at, (0.020 * size, 0.012 * gap * size), (40, 30, 50), degrees)
    elif pressed > 0.3:
        painter.oval(at, (0.036 * size, 0.003 * size), shade(looks.skin, 0.5), degrees)


def _lip_colour(looks: Looks, pressed: float) -> Colour:
    mixed = (int(lip + pressed * (0.9 * skin - lip)) for lip, skin in zip(looks.lips, looks.skin, strict=True))
    red, green, blue = mixed
    return red, green, blue


def _draw_arm(painter: Painter, d: _Drawing, t: int, side: int) -> None:
    looks, meter = d.person.looks, d.meter[t]
    shoulder, elbow, wrist, tips = d.shoulders[t, side], d.elbows[t, side], d.wrists[t, side], d.tips[t, side]
    sleeve = shade(looks.shirt, 0.86 if side else 0.92)
    painter.line(np.stack([shoulder, elbow]), sleeve, 0.095 * meter)
    painter.line(np.stack([elbow, wrist]), sleeve if looks.long_sleeves else shade(looks.skin, 0.92), 0.072 * meter)
    palm = wrist + 0.5 * (tips[1:].mean(axis=0) - wrist)
    for tip in tips:
        painter.line(np.stack([0.6 * palm + 0.4 * wrist, tip]), shade(looks.skin, 0.9), 0.020 * meter)
    painter.line(np.stack([wrist, palm]), looks.skin, 0.068 * meter)


def encode(path: Path, pictures: Iterator[np.ndarray], fps: float) -> None:
    """Write BGR pictures as an H.264 mp4. One encoder thread: the same pictures give the same bytes."""
    with av.open(str(path), "w", format="mp4", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1000))
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.thread_count = 1
        stream.options = {"preset": "superfast", "crf": "27", "threads": "1", "g": "25", "bf": "0"}
        for picture in pictures:
            planes = cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420).astype(np.uint8, copy=False)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(planes, format="yuv420p")))
        container.mux(stream.encode(None))
