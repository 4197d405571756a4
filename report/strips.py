"""A clip as a strip: eight frames side by side, the pictures above, the skeleton below, as one small WebP."""

import base64

import cv2
import numpy as np

from miga.clips import Clips
from miga.paths import rgb_store_dir
from miga.rgb_store import RgbStore, clips_with_pictures, open_rgb_store

FRAMES, SIDE = 8, 96
QUALITY = 55
GROUND, LIMB, JOINT = (32, 35, 40), (120, 170, 240), (245, 200, 120)  # RGB; the same in light and dark
AIR = 1.15  # around the person


class StripMaker:
    """Makes strips of a run's clips; without a store of pictures they hold the skeleton alone."""

    def __init__(self, run: str, clips: Clips):
        self.clips = clips
        self.store: RgbStore | None = None
        sizes = sorted(
            int(p.parent.name.removeprefix("rgb_")) for p in rgb_store_dir(run, 0).parent.glob("rgb_*/meta.json")
        )
        if sizes:
            self.store, self.has_pictures = open_rgb_store(run, sizes[0]), clips_with_pictures(run, sizes[0])

    def strip(self, clip_id: str) -> str:
        """A data URI."""
        row = int(self.clips.rows_of(np.array([clip_id]))[0])
        num_frames = self.clips.num_frames_of(row)
        frames = np.minimum(((np.arange(FRAMES) + 0.5) * num_frames / FRAMES).astype(int), num_frames - 1)
        joints = self.clips.joints_of(row)[frames]
        rows = [self._skeletons(joints, row)]
        if self.store is not None and self.has_pictures[row]:
            pictures = self.store.read(row, frames)
            rows.insert(0, np.hstack([cv2.resize(one, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for one in pictures]))
        sheet = cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR)
        content = cv2.imencode(".webp", sheet, [cv2.IMWRITE_WEBP_QUALITY, QUALITY])[1].tobytes()
        return "data:image/webp;base64," + base64.b64encode(content).decode()

    def _skeletons(self, joints: np.ndarray, row: int) -> np.ndarray:
        """(SIDE, FRAMES * SIDE, 3) of (T, M, V, 3) joints, as the pictures show them or around the person."""
        left, top, scale = self._view(joints, row)
        panels = []
        for people in joints:
            panel = np.full((SIDE, SIDE, 3), GROUND, np.uint8)
            for person in people:
                points = np.round((person[:, :2] - (left, top)) * scale).astype(int)
                seen = person[:, 2] > 0
                for a, b in self.clips.skeleton.limbs:
                    if seen[a] and seen[b]:
                        cv2.line(panel, points[a].tolist(), points[b].tolist(), LIMB, 1, cv2.LINE_AA)
                for point in points[seen].tolist():
                    cv2.circle(panel, point, 1, JOINT, -1, cv2.LINE_AA)
            panels.append(panel)
        return np.hstack(panels)

    def _view(self, joints: np.ndarray, row: int) -> tuple[float, float, float]:
        """Left, top and pixels of the panel a pixel of the picture."""
        if self.store is not None and self.has_pictures[row]:
            left, top, right, bottom = self.store.boxes[row].tolist()
            return left, top, SIDE / max(right - left, bottom - top)
        points = joints[joints[..., 2] > 0][:, :2]
        if not len(points):
            return 0.0, 0.0, 1.0
        low, high = points.min(0), points.max(0)
        extent = AIR * max(float((high - low).max()), 1.0)
        left, top = (low + high) / 2 - extent / 2
        return float(left), float(top), SIDE / extent
