"""From a batch of joints to the heatmap volume that PoseC3D takes, on the device of the batch."""

from collections.abc import Callable

from torch import Tensor

from miga.errors import InputError
from miga.skeletons import IMIGUE_22, IMIGUE_TO_COCO, Skeleton
from miga.transforms.heatmaps import joint_heatmaps, limb_heatmaps
from miga.transforms.reused_memory import ReusedMemory

Batch = dict[str, Tensor]


def check_input(input_kind: str) -> None:
    """Raise InputError for anything but joint and limb."""
    if input_kind not in ("joint", "limb"):
        raise InputError(f"--input {input_kind}: expected joint or limb")


def stem_map(skeleton: Skeleton, input_kind: str) -> dict[int, int] | None:
    """How a public stem for COCO's joints fits ours, as `load_weights` takes it; limbs have no such counterpart."""
    return IMIGUE_TO_COCO if skeleton.name == IMIGUE_22.name and input_kind == "joint" else None


def num_channels(skeleton: Skeleton, input_kind: str) -> int:
    """Joints V or limbs E."""
    return skeleton.num_joints if input_kind == "joint" else len(skeleton.limbs)


def heatmap_input(skeleton: Skeleton, input_kind: str, size: int, sigma: float) -> Callable[[Batch], Batch]:
    """A function from {keypoints (B, M, T, V, 2), scores (B, M, T, V)} to {heatmaps (B, V or E, T, size, size)}.

    Each batch lies in the memory of the one before, where that is no longer used.
    """
    memory, shape, limbs = ReusedMemory(), (size, size), list(skeleton.limbs)

    def prepare(batch: Batch) -> Batch:
        keypoints, scores = batch["keypoints"], batch["scores"]
        if input_kind == "joint":
            return {"heatmaps": joint_heatmaps(keypoints, scores, shape, sigma, memory)}
        return {"heatmaps": limb_heatmaps(keypoints, scores, limbs, shape, sigma, memory)}

    return prepare
