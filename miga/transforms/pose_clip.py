"""The pipeline of PoseC3D up to the heatmaps: from the joints of a clip to keypoints in heatmap pixels.

Source: pyskl, configs/posec3d/slowonly_r50_ntu60_xsub/joint.py (the order of the steps and their constants).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from miga.person_box import Size, clean_joints, compact_box
from miga.transforms.crop import flip_joints, map_to_frame, random_resized_crop, short_side_size
from miga.transforms.sampling import uniform_sample, uniform_sample_test


@dataclass(frozen=True, eq=False)
class PoseClipTransform:
    """Cut, crop, scale and mirror the joints of a clip for training, or make its views for testing.

    The result depends on the joints, the picture's size and the generator alone. Keypoints are x, y in heatmap pixels.
    """

    flip_index: NDArray[np.int64]  # (V,) joint i of the mirrored person is joint flip_index[i] of the original
    clip_len: int = 48  # T, frames a view has
    full_size: int = 64  # pixels; side of a heatmap in testing, and of the picture that training crops from
    crop_size: int = 56  # pixels; side of a heatmap in training
    num_clips: int = 10  # test views in time; 1 with flip_views off is pyskl's validation
    flip_views: bool = True  # each test view also mirrored
    flip_train: bool = True  # half of the training views mirrored; off where the class of the mirror image is unknown

    def train_view(self, joints: NDArray, image_size: Size, rng: np.random.Generator) -> dict[str, NDArray]:
        """One random view: sampled in time, cropped around the person, cropped at random, maybe mirrored.

        Args:
            joints: (T0, M, V, 3) the clip's joints in pixels of its picture; a missing joint is 0, 0, 0.
            image_size: (height, width) of that picture.
            rng: source of all randomness.
        Returns:
            keypoints (M, T, V, 2) and scores (M, T, V), float32, for heatmaps of crop_size x crop_size; mirrored ().
        """
        indexes = uniform_sample(len(joints), self.clip_len, rng)
        view = clean_joints(joints[indexes])
        box = compact_box(view, image_size)
        size = short_side_size((box[3] - box[1], box[2] - box[0]), self.full_size)
        view = map_to_frame(view, box, size)
        view = map_to_frame(view, random_resized_crop(size, rng), (self.crop_size, self.crop_size))
        mirrored = self.flip_train and rng.random() < 0.5
        if mirrored:
            view = flip_joints(view, self.crop_size, self.flip_index)
        return {**split_scores(view), "mirrored": np.array(mirrored)}

    def test_views(self, joints: NDArray, image_size: Size) -> dict[str, NDArray]:
        """The fixed views of a clip: `num_clips` cuts in time, then (flip_views) the same mirrored.

        One box around the person serves all views. Mirroring is pixel-exact: drawing a mirrored view gives the mirror
        image of the heatmaps, with the channels of left and right exchanged.

        Args:
            joints, image_size: as in `train_view`.
        Returns:
            keypoints (N, M, T, V, 2) and scores (N, M, T, V), float32, for heatmaps of full_size x full_size; mirrored
            (N,); N = num_clips, or twice that with mirrored views.
        """
        indexes = uniform_sample_test(len(joints), self.clip_len, self.num_clips)  # (num_clips, T)
        views = clean_joints(joints[indexes])  # (num_clips, T, M, V, 3)
        box = compact_box(views, image_size)
        views = map_to_frame(views, box, (self.full_size, self.full_size))
        if self.flip_views:
            views = np.concatenate([views, flip_joints(views, self.full_size - 1, self.flip_index)])
        return {**split_scores(views), "mirrored": np.arange(len(views)) >= self.num_clips}


def split_scores(view: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """(..., T, M, V, 3) to keypoints (..., M, T, V, 2) and scores (..., M, T, V)."""
    view = np.swapaxes(view, -4, -3)
    return {"keypoints": np.ascontiguousarray(view[..., :2]), "scores": np.ascontiguousarray(view[..., 2])}
