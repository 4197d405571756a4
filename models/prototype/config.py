"""Settings of the prototype network, one instance a profile."""

import dataclasses
from dataclasses import dataclass

from models.layers.two_pathway_config import TwoPathwayConfig


@dataclass(frozen=True)
class PrototypeConfig(TwoPathwayConfig):
    """Published values: Prototype Learning for Micro-gesture Classification (arXiv 2408.03097), section 3; where it is
    silent, PCAN (arXiv 2412.14719) and, for the steps before the merge and the test views, RGBPose-Conv3D."""

    tokens: str = "time"  # of the fusion's attention: time (as PCAN's code) | channel (as the paper's text)
    dims: int = 256  # of the embedding in which the prototypes lie; PCAN
    alpha: float = 0.2  # weight of the refinement beside the cross-entropy; PCAN (FR-Head 0.1)
    tau: float = 0.125  # temperature of the similarities; FR-Head and PCAN
    hits_only: bool = True  # penalties for recognised clips only (the paper's equations); False for all (PCAN's code)
    prototype_factors: tuple[float, ...] = (0.0, 0.0)  # of similarities added to test logits: RGB, pose (PCAN 5, 1)


# Small sets on a CPU: few frames and pixels and shallow pathways; the design stays.
_SMALL = PrototypeConfig(
    epochs=3, batch_size=16, optimizer="adamw", lr=4e-3, lr_batch_size=32, weight_decay=0.05, clip_norm=40.0,
    warmup_epochs=1, ema_decay=0.99, precision="bf16", channels_last=True,
    rgb_frames=2, picture_size=64, train_size=56, test_size=56, sigma=1.0, pose_sigma=1.0,
    rgb_base=8, pose_base=16, rgb_blocks=(1, 1, 1, 1), pose_blocks=(1, 2, 1), colour=0.5, static=0.1, dropout=0.2,
    dims=32, rgb_epochs=3, rgb_batch_size=16, rgb_lr=4e-3, rgb_lr_batch_size=32, rgb_weight_decay=0.05,
    pose_epochs=7, pose_batch_size=16, pose_lr=8e-3, pose_lr_batch_size=32, pose_weight_decay=0.05,
    num_test_clips=2, test_batch_size=8,
)  # fmt: skip
PROFILES = {
    "smoke": PrototypeConfig(
        epochs=1, batch_size=8, lr=0.01, lr_batch_size=32, clip_norm=40.0,
        rgb_frames=2, picture_size=32, train_size=32, test_size=32, pool_stride=1,
        rgb_base=4, pose_base=4, rgb_blocks=(1, 1, 1, 1), pose_blocks=(1, 1, 1), dims=16,
        rgb_epochs=1, rgb_batch_size=8, rgb_lr=0.05, rgb_lr_batch_size=32,
        pose_epochs=1, pose_batch_size=8, pose_lr=0.1, pose_lr_batch_size=32,
        num_test_clips=1, test_batch_size=16,
    ),
    "demo": _SMALL,
    "bench": dataclasses.replace(
        _SMALL, epochs=8, min_steps=200, picture_size=80, train_size=72, test_size=72, rgb_epochs=12, rgb_min_steps=300,
        pose_epochs=36, pose_min_steps=700, num_test_clips=4,
    ),
    # 0.0075 is stated for batch 10, although it is RGBPose-Conv3D's rate for 48; the clipping is that network's.
    "paper": PrototypeConfig(
        epochs=30, batch_size=10, lr=0.0075, lr_batch_size=10,
        decay_norms_and_biases=True, weight_decay=1e-4, milestones=(8, 22), clip_norm=40.0,
        precision="bf16", channels_last=True, num_workers=8, pretrained="imagenet",
    ),
}  # fmt: skip
