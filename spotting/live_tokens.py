"""Frame tokens as the frames come, from a bounded memory of joints: the same numbers as of the whole recording.

A token looks ahead a stated number of frames: to the end of its clips, 38 frames for the pose (size of the body and
movement), half of `box_frames` for the box. Where the box of a recording is that of all its frames (`box_frames = 0`),
the live box is that of the frames seen so far.
"""

import numpy as np
import torch
from numpy.typing import NDArray

from miga.skeletons import Skeleton
from miga.transforms.crop import Size, is_present
from spotting.boxes import clip_boxes, frame_bounds
from spotting.config import ExtractorConfig
from spotting.extractor import FrameExtractor
from spotting.features import class_scores
from spotting.pose_stream import clip_keypoints, draw
from spotting.pose_tokens import STEPS, UNIT_WINDOW, pose_tokens
from spotting.views import change_keypoints, video_view

POSE_REACH = UNIT_WINDOW // 2 + max(STEPS)  # frames to either side that a pose token looks at


def token_look_ahead(config: ExtractorConfig) -> int:
    """Frames after a frame that must be there before its token is what it would be in a recording."""
    clip = config.clip_len + max(0, config.box_frames // 2)  # the last clip ends with the recording: wait one more
    return max(clip, POSE_REACH if config.tokens == "scores+pose" else 0)


class TokenStream:
    """Tokens of several extractors and views of one stream of frames.

    Args:
        models: extractors in eval mode. num_views: 1 = plain, 2 = also mirrored.
        look_ahead: frames; the tokens of fewer than `token_look_ahead` are near those of a recording, not the same.
    """

    def __init__(
        self, models: list[FrameExtractor], config: ExtractorConfig, skeleton: Skeleton, image_size: Size,
        num_views: int, look_ahead: int,
    ) -> None:  # fmt: skip
        self.models, self.config, self.skeleton, self.image_size = models, config, skeleton, image_size
        self.views = [video_view(number, 0) for number in range(num_views)]
        self.look_ahead = max(look_ahead, config.clip_len)
        self.stride = max(1, round(config.clip_len * (1 - config.overlap)))
        self.received = self.made = 0  # frames that came, and that have tokens
        self.first = 0  # frame of the first row of `joints`
        self.joints: list[NDArray] = []  # (M, V, 3) each
        self.before: NDArray | None = None  # every joint's last place before `first`
        self.all_bounds = np.full(4, np.nan)  # of everybody so far
        self.features: dict[int, list[NDArray]] = {}  # start of a clip -> (L, C) a model and view, as far as looked at
        self.next_clip = 0  # start of the oldest clip that not every model has looked at
        self.reach = max(POSE_REACH + 1, self.look_ahead, config.box_frames + 2 * config.clip_len)

    def push(self, joints: NDArray) -> NDArray[np.float32] | None:
        """Take in a frame (M, V, 3); tokens (models * views, n, D) that are ready, or None."""
        self.joints.append(np.array(joints, np.float32))
        self.received += 1
        bounds = frame_bounds(self.joints[-1][None])[0]
        low, high = np.fmin(self.all_bounds, bounds)[:2], np.fmax(self.all_bounds, bounds)[2:]  # NaN is nobody
        self.all_bounds = np.concatenate([low, high])
        # One model a frame, so that no frame waits for all: a clip's tokens are due only when the look-ahead is over.
        clip, need = self.next_clip, self.config.clip_len + self.config.box_frames // 2
        if self.received >= clip + need:
            self._look(clip)
            if len(self.features[clip]) == len(self.models) * len(self.views):
                self.next_clip = clip + self.stride
        ready = self.received - self.look_ahead
        # In steps of a clip's stride, so that each clip is looked at once.
        return self._tokens(ready // self.stride * self.stride) if ready >= self.made + self.stride else None

    def finish(self) -> NDArray[np.float32] | None:
        """The tokens that are left when no frame comes any more."""
        return self._tokens(self.received, is_end=True) if self.received > self.made else None

    def _tokens(self, end: int, is_end: bool = False) -> NDArray[np.float32]:
        """Tokens of frames made .. end."""
        config, start = self.config, self.made
        shown = np.stack(self.joints)
        length = config.clip_len
        last = max(0, self.received - length)
        first_clip = max(0, -(-(start - length + 1) // self.stride) * self.stride)
        stop = last if is_end else min(end - 1, last)
        starts = np.arange(first_clip, stop + 1, self.stride, dtype=np.int64)
        if is_end:
            starts = np.unique(np.append(starts, last))
        for clip in starts.tolist():
            while len(self.features.get(clip, [])) < len(self.models) * len(self.views):
                self._look(clip)
            self.next_clip = max(self.next_clip, clip + self.stride)
        parts = []
        for i in range(len(self.models) * len(self.views)):
            total, count = np.zeros((end - start, self.features[int(starts[0])][i].shape[1])), np.zeros(end - start)
            for clip in starts.tolist():
                low, high = max(clip, start), min(clip + length, end)
                if low < high:
                    total[low - start : high - start] += self.features[clip][i][low - clip : high - clip]
                    count[low - start : high - start] += 1
            features = (total / np.maximum(count, 1)[:, None]).astype(np.float32)
            parts.append(self._describe(features, i, shown, start, end))
        self.made = end
        self.features = {clip: found for clip, found in self.features.items() if clip + length > end}
        self._forget(end - self.reach)
        return np.stack(parts)

    @torch.no_grad()
    def _look(self, clip: int) -> None:
        """Features of a clip by the next model, (L, C) in each view."""
        config, size = self.config, self.config.heatmap_size
        shown, at = np.stack(self.joints), clip - self.first
        if config.box_frames:
            middle = at + config.clip_len // 2
            low = max(0, min(at, middle - config.box_frames // 2))
            near = frame_bounds(shown[low : max(at + config.clip_len, middle + config.box_frames // 2)])
        else:
            near = self.all_bounds[None]
        box = clip_boxes(near, np.zeros(1, np.int64), len(near), 0, self.image_size)
        indexes = np.minimum(at + np.arange(config.clip_len), len(shown) - 1)[None]
        plain = clip_keypoints(shown, indexes, box, size)
        keypoints = np.concatenate([change_keypoints(plain, v, size, self.skeleton.flip_index) for v in self.views])
        done = self.features.setdefault(clip, [])
        model = self.models[len(done) // len(self.views)]
        done.extend(model.forward_frames(draw(torch.from_numpy(keypoints), size, config.sigma)).float().numpy())

    @torch.no_grad()
    def _describe(self, features: NDArray, i: int, shown: NDArray, start: int, end: int) -> NDArray:
        model, view = self.models[i // len(self.views)], self.views[i % len(self.views)]
        if self.config.tokens == "features":
            return features
        scores = class_scores(model.cls_head, features, torch.device("cpu"))
        if self.config.tokens == "scores":
            return scores
        low = self.first
        if self.before is not None:
            shown, low = np.concatenate([self.before[None], shown]), low - 1
        pose = pose_tokens(shown, view, self.skeleton)[start - low : end - low]
        return np.concatenate([scores, pose], axis=1)

    def _forget(self, first: int) -> None:
        """Drop the frames before `first`, but for the last place of every joint."""
        count = max(0, first - self.first)
        for joints in self.joints[:count]:
            seen = is_present(joints)[..., None]
            self.before = np.where(seen, joints, 0 if self.before is None else self.before)
        self.joints, self.first = self.joints[count:], self.first + count
