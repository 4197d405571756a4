"""A video with what was found drawn onto it: the skeleton, the gesture of each moment, and a line of time."""

import colorsys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from miga.errors import InputError
from miga.files import replacing
from miga.skeletons import Skeleton
from predict.clip import Given
from recordings.frames import stream_frames
from spotting.segments import Segments

SIDES = (640, 1280)  # pixels; the longer side of a picture is brought between these
PANEL = 72  # pixels below the picture: a line of text, the line of time
MARGIN = 12
GREY, WHITE, LIMB, JOINT = (70, 70, 70), (255, 255, 255), (80, 220, 120), (255, 200, 60)


def render(path: Path, given: Given, skeleton: Skeleton, found: Segments, classes: tuple[str, ...]) -> None:
    """Write an mp4 of H.264, upright, without sound; black where there is no picture.

    Args:
        found: in frames from 0, end exclusive. Of two at one moment the one with the higher score is named.
    Raises:
        InputError: the path does not end in .mp4, or the video breaks off.
    """
    if path.suffix.lower() != ".mp4":
        raise InputError(f"--render {path}: expected a name that ends in .mp4")
    panel = None
    with replacing(path) as temporary, av.open(str(temporary), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=Fraction(given.fps or 25.0).limit_denominator(1001))
        stream.pix_fmt = "yuv420p"  # what every player shows
        for number, picture in enumerate(pictures(given)):
            draw_skeleton(picture, given.joints[number], skeleton, given.size)
            if panel is None:
                stream.height, stream.width = picture.shape[0] + PANEL, picture.shape[1]
                panel = timeline(found, given.num_frames, picture.shape[1])
            drawn = np.concatenate([picture, with_moment(panel, found, number, given.num_frames, classes)])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(drawn, format="rgb24")))
        container.mux(stream.encode())


def pictures(given: Given) -> Iterator[np.ndarray]:
    """(H, W, 3) uint8 RGB of every frame, of even height and width."""
    if given.video is None:
        height, width = shown_size(given.size)
        for _ in range(given.num_frames):
            yield np.zeros((height, width, 3), np.uint8)
        return
    for picture in stream_frames(given.video, np.arange(given.num_frames)):
        height, width = shown_size(picture.shape[:2])
        yield cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)


def shown_size(size: tuple[int, ...]) -> tuple[int, int]:
    """(height, width) with the longer side within SIDES, both even, as the format wants it."""
    longer = max(size)
    scale = min(max(longer, SIDES[0]), SIDES[1]) / longer
    height, width = (max(2, 2 * round(side * scale / 2)) for side in size)
    return height, width


def draw_skeleton(picture: np.ndarray, joints: np.ndarray, skeleton: Skeleton, size: tuple[int, int]) -> None:
    """Draw (M, V, 3) joints of a picture of `size` (height, width); a joint or limb that is not seen is left out."""
    scale = np.array([picture.shape[1] / size[1], picture.shape[0] / size[0]])
    thick = max(1, round(max(picture.shape) / 400))
    limit = 4 * max(picture.shape)  # a joint far outside would not fit the drawing's whole numbers
    for person in joints:
        points = np.clip(np.round(person[:, :2] * scale), -limit, limit).astype(int).tolist()
        seen = person[:, 2] > 0
        for a, b in skeleton.limbs:
            if seen[a] and seen[b]:
                cv2.line(picture, points[a], points[b], LIMB, thick, cv2.LINE_AA)
        for joint in np.flatnonzero(seen):
            cv2.circle(picture, points[joint], thick + 1, JOINT, -1, cv2.LINE_AA)


def timeline(found: Segments, num_frames: int, width: int) -> np.ndarray:
    """(PANEL, width, 3): the line of time with a stretch in its class's colour for every segment."""
    panel = np.zeros((PANEL, width, 3), np.uint8)
    top, bottom = PANEL - 28, PANEL - MARGIN
    cv2.rectangle(panel, (MARGIN, top), (width - MARGIN, bottom), GREY, -1)
    for i in found.score.argsort(kind="stable"):  # the surest on top
        left, right = (place(moment, num_frames, width) for moment in (found.start[i], found.end[i]))
        cv2.rectangle(panel, (left, top), (max(right - 1, left + 1), bottom), colour(int(found.label[i])), -1)
    return panel


def with_moment(
    panel: np.ndarray, found: Segments, number: int, num_frames: int, classes: tuple[str, ...]
) -> np.ndarray:  # fmt: skip
    """The panel with where frame `number` is, and what is seen there."""
    panel = panel.copy()
    at = place(number + 0.5, num_frames, panel.shape[1])
    cv2.line(panel, (at, PANEL - 32), (at, PANEL - MARGIN + 4), WHITE, 2)
    here = np.flatnonzero((found.start <= number) & (number < found.end))
    if len(here):
        best = here[found.score[here].argmax()]
        label = int(found.label[best])
        text = f"{classes[label]}  {found.score[best]:.2f}".encode("ascii", "replace").decode()
        cv2.rectangle(panel, (MARGIN, 12), (MARGIN + 14, 26), colour(label), -1)
        cv2.putText(panel, text, (MARGIN + 24, 26), cv2.FONT_HERSHEY_SIMPLEX, 0.6, WHITE, 1, cv2.LINE_AA)
    return panel


def place(moment: float, num_frames: int, width: int) -> int:
    """The column of a moment on the line of time."""
    return MARGIN + round(float(moment) / num_frames * (width - 2 * MARGIN))


def colour(label: int) -> tuple[int, int, int]:
    """RGB of a class: neighbours in number lie far apart in hue."""
    red, green, blue = colorsys.hsv_to_rgb(label * 0.618 % 1, 0.65, 0.95)
    return round(255 * red), round(255 * green), round(255 * blue)
