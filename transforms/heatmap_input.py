"""From a batch of joints to the heatmap volume that PoseC3D takes, on the device of the batch."""

from collections.abc import Callable

from datasets.skeletons import Skeleton
from training.fit import Batch
from transforms.heatmaps import joint_heatmaps, limb_heatmaps


def num_channels(skeleton: Skeleton, input_kind: str) -> int:
    """Joints V or limbs E."""
    return skeleton.num_joints if input_kind == "joint" else len(skeleton.limbs)


def heatmap_input(skeleton: Skeleton, input_kind: str, size: int, sigma: float) -> Callable[[Batch], Batch]:
    """A function from {keypoints (B, M, T, V, 2), scores (B, M, T, V)} to {heatmaps (B, V or E, T, size, size)}."""

    def prepare(batch: Batch) -> Batch:
        keypoints, scores = batch["keypoints"], batch["scores"]
        if input_kind == "joint":
            return {"heatmaps": joint_heatmaps(keypoints, scores, (size, size), sigma)}
        return {"heatmaps": limb_heatmaps(keypoints, scores, list(skeleton.limbs), (size, size), sigma)}

    return prepare
