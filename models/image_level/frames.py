"""A single frame of a clip and the keypoints in it, as the image-level baseline takes them.

Keypoints are a vector of y, x, score for each joint, all in [0, 1], as MoveNet gives them: 51 numbers for the joints
of COCO. The 22 joints of iMiGUE fill the COCO joints they stand for; hips, knees and ankles, which they lack, stay
zero, as does every joint that was not detected. Another skeleton gives its own joints instead, three numbers each.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from miga.person_box import clean_joints
from miga.rgb_store import RgbStore
from miga.skeletons import COCO_17, IMIGUE_22, IMIGUE_TO_COCO, Skeleton
from miga.transforms.crop import flip_joints, map_to_frame, random_resized_crop
from miga.transforms.rgb_clip import recolour, resize_box


def keypoint_joints(skeleton: Skeleton) -> NDArray[np.int64]:
    """(P,): which joint of the skeleton is keypoint p, or -1 where it has none."""
    if skeleton.name != IMIGUE_22.name:
        return np.arange(skeleton.num_joints)
    joints = np.full(COCO_17.num_joints, -1)
    for ours, coco in IMIGUE_TO_COCO.items():
        joints[coco] = ours
    return joints


def keypoint_vectors(joints: NDArray, size: int, keypoints: NDArray[np.int64]) -> NDArray[np.float32]:
    """The vectors of frames: of the person whose scores sum to most in each.

    Args:
        joints: (T, M, V, 3) in pixels of a picture of size x size; a missing joint is zero.
        keypoints: as `keypoint_joints` gives them.
    Returns:
        (T, 3P) float32: y, x, score of each keypoint; places outside the picture are moved to its edge.
    """
    person = joints[..., 2].sum(axis=2).argmax(axis=1)  # (T,)
    points = joints[np.arange(len(joints)), person][:, keypoints]  # (T, P, 3)
    vectors = np.stack([points[..., 1] / size, points[..., 0] / size, points[..., 2]], axis=-1).clip(0, 1)
    vectors[:, keypoints < 0] = 0
    return vectors.reshape(len(joints), -1).astype(np.float32)


@dataclass(frozen=True, eq=False)
class FrameTransform:
    """Random training frames and fixed test frames, picture and keypoints cropped and mirrored alike."""

    skeleton: Skeleton
    train_size: int = 192  # pixels
    test_size: int = 224  # pixels
    num_views: int = 16  # test frames of a clip
    flip_train: bool = False  # half of the training frames mirrored
    flip_views: bool = False  # each test frame also mirrored
    area_min: float = 1.0  # smallest share of the picture that a training crop keeps
    colour: float = 0.0  # how far training changes the colours, see `recolour`

    def train_view(self, store: RgbStore, row: int, joints: NDArray, rng: np.random.Generator) -> dict[str, NDArray]:
        """One random frame of the clip.

        Args:
            row: of the clip in the clip table.
            joints: (T0, M, V, 3) of the whole clip, in pixels of the table's width and height.
            rng: source of all randomness.
        Returns:
            rgb (1, S, S, 3) uint8, keypoints (3P,) float32 and mirrored ().
        """
        index = rng.integers(len(joints), size=1)
        whole, size = (store.size, store.size), self.train_size
        crop = random_resized_crop(whole, rng, (self.area_min, 1.0)) if self.area_min < 1 else (0, 0, *whole)
        rgb = resize_box(store.read(row, index), crop, size)
        if self.colour:
            rgb = recolour(rgb, self.colour, rng)
        view = map_to_frame(clean_joints(joints[index]), store.boxes[row], whole)
        view = map_to_frame(view, crop, (size, size))
        mirrored = self.flip_train and rng.random() < 0.5
        if mirrored:
            rgb, view = rgb[:, :, ::-1], flip_joints(view, size, self.skeleton.flip_index)
        keypoints = keypoint_vectors(view, size, keypoint_joints(self.skeleton))[0]
        return {"rgb": rgb, "keypoints": keypoints, "mirrored": np.array(mirrored)}

    def test_views(self, store: RgbStore, row: int, joints: NDArray) -> dict[str, NDArray]:
        """Frames spread evenly over the clip, then (flip_views) the same mirrored.

        Returns:
            rgb (N, 1, S, S, 3) uint8, keypoints (N, 3P) float32, mirrored (N,); N = num_views, or twice that.
        """
        return self.frames(
            store, row, joints, (2 * np.arange(self.num_views) + 1) * len(joints) // (2 * self.num_views)
        )

    def frames(self, store: RgbStore, row: int, joints: NDArray, indexes: NDArray) -> dict[str, NDArray]:
        """The frames with these numbers at test size, as `test_views` gives its own."""
        size = self.test_size
        rgb = resize_box(store.read(row, indexes), (0, 0, store.size, store.size), size)
        views = map_to_frame(clean_joints(joints[indexes]), store.boxes[row], (size, size))
        if self.flip_views:
            rgb = np.concatenate([rgb, rgb[:, :, ::-1]])
            views = np.concatenate([views, flip_joints(views, size, self.skeleton.flip_index)])
        keypoints = keypoint_vectors(views, size, keypoint_joints(self.skeleton))
        return {"rgb": rgb[:, None], "keypoints": keypoints, "mirrored": np.arange(len(views)) >= len(indexes)}
