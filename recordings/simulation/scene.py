"""The picture behind a simulated person, and the painter that draws on it."""

from dataclasses import dataclass

import cv2
import numpy as np

WIDTH, HEIGHT = 224, 126
_SUBPIXEL = 4  # bits behind the point that OpenCV's drawing takes
Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Scene:
    """One recording's picture without the person. `table` is its colour, None = no table."""

    background: np.ndarray  # (HEIGHT, WIDTH, 3) uint8 BGR
    noise: np.ndarray  # (8, HEIGHT, WIDTH, 3) uint8, added in turn
    table: Colour | None


def make_scene(has_table: bool, rng: np.random.Generator) -> Scene:
    """A gradient wall with a few boards or pieces of furniture, light from one side, and the grain of a sensor."""
    top, bottom = muted(rng, 60, 190), muted(rng, 40, 150)
    across, down = np.meshgrid(np.linspace(0, 1, WIDTH), np.linspace(0, 1, HEIGHT))
    wall = top + (bottom - top) * down[..., None] + rng.uniform(-35, 35) * (across[..., None] - 0.5)
    picture = np.ascontiguousarray(np.clip(wall, 0, 255).astype(np.uint8))
    if has_table:
        rows, columns = int(rng.integers(2, 4)), int(rng.integers(4, 7))
        board, ink = muted(rng, 20, 235).tolist(), muted(rng, 20, 235).tolist()
        for row in range(rows):
            for column in range(columns):
                if (row + column) % 2:
                    x, y = int((column + 0.15) * WIDTH / columns), int((row + 0.2) * 80 / rows)
                    cv2.rectangle(picture, (x, y), (x + WIDTH // columns - 12, y + 80 // rows - 12), board, -1)
                    cv2.circle(picture, (x + 8, y + 7), 4, ink, -1, cv2.LINE_AA)
    else:
        floor = int(HEIGHT * rng.uniform(0.72, 0.82))
        picture[floor:] = np.clip(picture[floor:].astype(int) * 0.6 + rng.integers(0, 50, 3), 0, 255)
        for _ in range(int(rng.integers(2, 5))):
            x, w, h = int(rng.integers(0, WIDTH)), int(rng.integers(12, 40)), int(rng.integers(20, 70))
            cv2.rectangle(picture, (x, floor - h), (x + w, floor), muted(rng, 30, 170).tolist(), -1)
    noise = rng.integers(0, 9, (8, HEIGHT, WIDTH, 3), dtype=np.uint8)
    return Scene(picture, noise, tuple(muted(rng, 40, 140).tolist()) if has_table else None)


def muted(rng: np.random.Generator, low: int, high: int) -> np.ndarray:
    """(3,) int BGR, a grey with a tint."""
    return np.clip(rng.integers(low, high) + rng.integers(-28, 29, 3), 0, 255)


class Painter:
    """Draws on one frame in the camera's pixels, scaled to the picture's."""

    def __init__(self, canvas: np.ndarray, scale: float) -> None:
        self.canvas, self.scale = canvas, scale * (1 << _SUBPIXEL)
        self.line_scale = scale

    def _fixed(self, points: np.ndarray) -> np.ndarray:
        return (points * self.scale).astype(np.int32)

    def area(self, points: np.ndarray, colour: Colour) -> None:
        cv2.fillPoly(self.canvas, [self._fixed(points)], colour, cv2.LINE_AA, _SUBPIXEL)

    def line(self, points: np.ndarray, colour: Colour, width: float) -> None:
        thickness = max(1, round(width * self.line_scale))
        cv2.polylines(self.canvas, [self._fixed(points)], False, colour, thickness, cv2.LINE_AA, _SUBPIXEL)

    def oval(self, center: np.ndarray, half_axes: tuple[float, float], colour: Colour, degrees: float = 0.0) -> None:
        x, y = int(center[0] * self.scale), int(center[1] * self.scale)
        axes = (max(1, int(half_axes[0] * self.scale)), max(1, int(half_axes[1] * self.scale)))
        cv2.ellipse(self.canvas, (x, y), axes, degrees, 0, 360, colour, -1, cv2.LINE_AA, _SUBPIXEL)


def shade(colour: Colour, factor: float) -> Colour:
    red, green, blue = (int(min(255, c * factor)) for c in colour)
    return red, green, blue
