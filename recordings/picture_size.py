"""The size of the picture that joints are given in, where the data does not say it: of the RGB, or of another picture.

Joints outside their picture are normal: legs below it, hands beside it. A larger picture is told by joints that lie
outside everywhere, by a common factor. People are filmed about the middle of the picture's width, whatever of them is
out of sight above and below: so that size is right in which the middle of the joints is near the picture's, with as few
to the right of it as to the left. A smaller picture is told by everybody being in the upper left corner of the RGB.
"""

from typing import NamedTuple

import numpy as np

from miga.errors import InputError

Size = tuple[int, int]  # (width, height)

# Sizes that cameras and their previews have.
STANDARD_SIZES = ((320, 240), (640, 480), (1280, 720), (1920, 1080), (3840, 2160))
# Estimated and projected joints stray; a share of 5 % outside does not speak against a size.
INSIDE_SHARE = 0.95
# A picture smaller than the RGB is suspected only where next to nothing lies outside it.
SMALLER_INSIDE_SHARE, SMALLER_FACTOR = 0.99, 0.8
# Joints right of a picture, less those left of it: up to FEW they stray, from MANY on the picture is too small.
FEW_RIGHT, MANY_RIGHT = 0.1, 0.25
# By how much of the width the joints must be nearer to the middle of one picture than of another: for the RGB to be
# right or wrong, and for one usual size among the others.
CLEARLY_NEARER, NEARER = 0.15, 0.05
MAX_POINTS = 500  # looked at a video, so that a long video counts as a short one


class Picture:
    """Joints at `points` (N, 2), at least one, seen in a picture of some size; all numbers are shares."""

    def __init__(self, points: np.ndarray, size: Size):
        self.size = size
        x, y = points[:, 0] / size[0], points[:, 1] / size[1]
        self.inside = float(((x < 1) & (y < 1)).mean())
        self.right = float((x >= 1).mean() - (x < 0).mean())  # joints right of the picture, less those left of it
        self.low, self.middle, self.high = np.quantile(x, (0.05, 0.5, 0.95)).tolist()
        self.bottom = float(np.quantile(y, 0.95))
        self.distance = abs(self.middle - 0.5)

    @property
    def is_centred(self) -> bool:
        """Whether people are on both sides of the picture's middle and not more out of it on the right."""
        return self.right <= FEW_RIGHT and self.low < 0.5 < self.high

    def __str__(self) -> str:
        return size_text(self.size)


class Verdict(NamedTuple):
    """The size that joints are given in, None where it cannot be told, and why."""

    size: Size | None
    evidence: str


def size_text(size: Size) -> str:
    return f"{size[0]}x{size[1]}"


def standard_size(points: np.ndarray, share: float = INSIDE_SHARE) -> Size:
    """The smallest usual size that holds this share of the points (N, 2), else the largest."""
    x, y = points.T
    holding = (s for s in STANDARD_SIZES if len(points) == 0 or ((x < s[0]) & (y < s[1])).mean() >= share)
    return next(holding, STANDARD_SIZES[-1])


def weigh(points: np.ndarray, rgb_size: Size) -> Verdict:
    """Whether joints at `points` (N, 2) are given in pixels of their RGB of `rgb_size` or of another picture."""
    if len(points) == 0:
        return Verdict(rgb_size, "no joint is ever seen")
    rgb = Picture(points, rgb_size)
    is_portrait = rgb_size[0] < rgb_size[1]
    others = [Picture(points, size[::-1] if is_portrait else size) for size in STANDARD_SIZES]
    if rgb.inside >= INSIDE_SHARE:
        return _weigh_smaller(rgb, others)
    larger = [p for p in others if p.size != rgb_size and all(np.greater_equal(p.size, rgb_size))]
    larger.sort(key=lambda picture: picture.distance)
    if rgb.is_centred and all(p.high < 0.5 or p.distance - rgb.distance >= CLEARLY_NEARER for p in larger):
        return Verdict(rgb_size, _evidence(rgb, larger[:1]))
    likely = [p for p in larger if p.is_centred and p.bottom >= 0.5]
    likely = [p for p in likely if p.inside >= INSIDE_SHARE or p.distance < CLEARLY_NEARER]
    is_one = len(likely) == 1 or (len(likely) > 1 and likely[1].distance - likely[0].distance >= NEARER)
    is_clear = rgb.right >= MANY_RIGHT and is_one and likely[0].distance < rgb.distance
    return Verdict(likely[0].size if is_clear else None, _evidence(rgb, likely[:1] or larger[:1]))


def _weigh_smaller(rgb: Picture, others: list[Picture]) -> Verdict:
    """The RGB holds the joints; whether a smaller picture that holds all of them explains better where they are."""
    holding = [p for p in others if p.inside >= SMALLER_INSIDE_SHARE][:1]
    smaller = [p for p in holding if all(np.less_equal(p.size, np.multiply(SMALLER_FACTOR, rgb.size)))]
    is_nearer = any(rgb.distance - picture.distance >= CLEARLY_NEARER for picture in smaller)
    is_in_corner = rgb.high < 0.5 and rgb.bottom < 0.5
    return Verdict(None if is_nearer or is_in_corner else rgb.size, _evidence(rgb, smaller))


def _evidence(rgb: Picture, others: list[Picture]) -> str:
    compared = "".join(f"; of {other} it would be at {other.middle:.0%}" for other in others)
    return (
        f"{rgb.inside:.1%} of the joints lie in the RGB's {rgb}, {max(rgb.right, 0):.1%} to the right of it, and their "
        f"middle is at {rgb.middle:.0%} of its width{compared}"
    )


class PictureSizes:
    """Add videos one by one, then ask for the size that the joints of each are given in."""

    def __init__(self, source: str):
        """source: where the recordings lie, for the message."""
        self._source = source
        self._rgb2points: dict[Size | None, list[np.ndarray]] = {}

    def add(self, joints: np.ndarray, rgb_size: Size | None) -> None:
        """joints: (T, M, V, 3) of one video; rgb_size: of its RGB as shown, None without RGB."""
        points = joints[joints[..., 2] > 0][:, :2]
        chosen = np.linspace(0, len(points) - 1, min(len(points), MAX_POINTS)).astype(int)
        self._rgb2points.setdefault(rgb_size, []).append(points[chosen])

    def decide(self) -> tuple[dict[Size | None, Size], list[str]]:
        """RGB size of a video (None: it has none) -> size of the picture that its joints are given in; and why.

        The joints of a data set come from one tool: where RGB of one size does not tell, that of the other sizes does,
        and a video without RGB was filmed as those with it.

        Raises:
            InputError: it cannot be told.
        """
        points = {size: np.concatenate(videos) for size, videos in self._rgb2points.items()}
        verdicts = {size: weigh(points[size], size) for size in points if size}
        sizes: dict[Size | None, Size] = {rgb: verdict.size for rgb, verdict in verdicts.items() if verdict.size}
        are_rgb = {rgb == size for rgb, size in sizes.items()}
        common = next(iter(sizes.values())) if len(set(sizes.values())) == 1 else None
        for rgb, verdict in verdicts.items():
            if verdict.size is None and are_rgb != {True} and not (are_rgb == {False} and common):
                raise InputError(
                    f"{self._source}: it cannot be told whether the joints are given in pixels of the RGB or of "
                    f"another picture: {verdict.evidence}; say it by --joint-size, as {size_text(rgb)} if of the RGB"
                )
            if rgb not in sizes:
                sizes[rgb] = common if common and are_rgb != {True} else rgb
        if None in points:
            sizes[None] = common or standard_size(points[None])
        reasons = [
            f"{size_text(sizes[rgb])}, {'as' if sizes[rgb] == rgb else 'not as'} the RGB: {verdict.evidence}"
            for rgb, verdict in verdicts.items()
        ]
        return sizes, reasons
