"""Pictures and joints of a clip for a two-pathway network: both show the same crop of the same square, same side.

Source: pyskl, configs/rgbpose_conv3d/rgbpose_conv3d.py: few RGB frames and many pose frames, each sampled uniformly
over the clip on its own (MMUniformSampleFrames), one crop and one flip for both. The square around the person comes
from all frames of the clip (`recordings.rgb_store`), there from the sampled pose frames.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from miga.person_box import clean_joints
from miga.rgb_store import RgbStore
from miga.transforms.crop import flip_joints, map_to_frame, random_resized_crop
from miga.transforms.pose_clip import split_scores
from miga.transforms.rgb_clip import recolour, resize_box, whole_views
from miga.transforms.sampling import uniform_sample, uniform_sample_test


@dataclass(frozen=True, eq=False)
class RgbPoseClipTransform:
    """Random training views and fixed test views. Keypoints are x, y in heatmap pixels."""

    flip_index: NDArray[np.int64]  # (V,) joint i of the mirrored person is joint flip_index[i] of the original
    rgb_len: int = 8  # frames of the RGB pathway
    pose_len: int = 32  # frames of the pose pathway
    rgb_full: int = 256  # pixels; side of a picture in testing
    rgb_crop: int = 224  # pixels; side of a picture in training
    pose_full: int = 64  # heatmap pixels in testing
    pose_crop: int = 56  # heatmap pixels in training
    num_clips: int = 10  # test views in time
    flip_train: bool = True  # half of the training views mirrored; off where the class of the mirror image is unknown
    flip_views: bool = False  # each test view also mirrored
    area: tuple[float, float] = (0.56, 1.0)  # share of the picture that a random crop keeps
    colour: float = (
        0.0  # how far training changes a clip's colours, see `miga.transforms.rgb_clip.recolour`; published 0
    )

    def train_view(self, store: RgbStore, row: int, joints: NDArray, rng: np.random.Generator) -> dict[str, NDArray]:
        """One random view of pictures and joints, cropped and mirrored alike.

        Args:
            row: of the clip in the clip table.
            joints: (T0, M, V, 3) of the whole clip, in pixels of the table's width and height.
            rng: source of all randomness.
        Returns:
            rgb (rgb_len, rgb_crop, rgb_crop, 3) uint8, keypoints (M, pose_len, V, 2) and scores (M, pose_len, V)
            float32 for heatmaps of pose_crop x pose_crop; mirrored ().
        """
        rgb_indexes = uniform_sample(len(joints), self.rgb_len, rng)
        pose_indexes = uniform_sample(len(joints), self.pose_len, rng)
        size = (store.size, store.size)
        crop = random_resized_crop(size, rng, self.area)
        frames = resize_box(store.read(row, rgb_indexes), crop, self.rgb_crop)
        if self.colour:
            frames = recolour(frames, self.colour, rng)
        view = map_to_frame(clean_joints(joints[pose_indexes]), store.boxes[row], size)
        view = map_to_frame(view, crop, (self.pose_crop, self.pose_crop))
        mirrored = self.flip_train and rng.random() < 0.5
        if mirrored:
            frames = frames[:, :, ::-1]
            view = flip_joints(view, self.pose_crop, self.flip_index)
        return {"rgb": frames, **split_scores(view), "mirrored": np.array(mirrored)}

    def test_views(self, store: RgbStore, row: int, joints: NDArray) -> dict[str, NDArray]:
        """The fixed views: `num_clips` cuts in time of the whole square, then (flip_views) the same mirrored.

        Returns:
            rgb (N, rgb_len, rgb_full, rgb_full, 3) uint8, keypoints (N, M, pose_len, V, 2) and scores
            (N, M, pose_len, V) float32 for heatmaps of pose_full x pose_full; mirrored (N,).
        """
        rgb = whole_views(
            store, row, len(joints), self.rgb_len, self.num_clips, self.rgb_full, self.flip_views
        )  # (N, rgb_len, rgb_full, rgb_full, 3)
        indexes = uniform_sample_test(len(joints), self.pose_len, self.num_clips)  # (num_clips, pose_len)
        views = map_to_frame(
            clean_joints(joints[indexes]), store.boxes[row], (self.pose_full, self.pose_full)
        )  # (num_clips, pose_len, M, V, 3)
        if self.flip_views:
            views = np.concatenate([views, flip_joints(views, self.pose_full - 1, self.flip_index)])
        return {"rgb": rgb, **split_scores(views), "mirrored": np.arange(len(views)) >= self.num_clips}
