"""Settings of RGBPose-Conv3D, one instance a profile."""

from dataclasses import dataclass

from models.layers.two_pathway_config import TwoPathwayConfig


@dataclass(frozen=True)
class RGBPoseConfig(TwoPathwayConfig):
    """Published values: pyskl, configs/rgbpose_conv3d/, which are the defaults of `TwoPathwayConfig`."""


PROFILES = {
    "smoke": RGBPoseConfig(
        epochs=2, batch_size=8, lr=0.01, lr_batch_size=32, clip_norm=40.0,
        rgb_frames=2, picture_size=32, train_size=32, test_size=32,
        rgb_base=4, pose_base=4, rgb_blocks=(1, 1, 1, 1), pose_blocks=(1, 1, 1),
        rgb_epochs=1, rgb_batch_size=8, rgb_lr=0.05, rgb_lr_batch_size=32,
        pose_epochs=1, pose_batch_size=8, pose_lr=0.1, pose_lr_batch_size=32,
        num_test_clips=1, test_batch_size=16,
    ),
    # Small sets on a CPU: few frames and pixels, and shallow pathways that few steps can train; the design stays.
    "demo": RGBPoseConfig(
        epochs=3, batch_size=16, optimizer="adamw", lr=2e-3, lr_batch_size=32, weight_decay=0.05, clip_norm=40.0,
        warmup_epochs=1, ema_decay=0.99, precision="bf16", channels_last=True,
        rgb_frames=2, picture_size=64, train_size=56, test_size=56, sigma=1.0, pose_sigma=1.0,
        rgb_base=12, pose_base=16, rgb_blocks=(1, 1, 1, 1), pose_blocks=(1, 2, 1), colour=0.5, static=0.1, dropout=0.2,
        rgb_epochs=3, rgb_batch_size=16, rgb_lr=4e-3, rgb_lr_batch_size=32, rgb_weight_decay=0.05,
        pose_epochs=7, pose_batch_size=16, pose_lr=8e-3, pose_lr_batch_size=32, pose_weight_decay=0.05,
        num_test_clips=2, test_batch_size=8,
    ),
    "bench": RGBPoseConfig(
        epochs=8, min_steps=200, batch_size=16, optimizer="adamw", lr=2e-3, lr_batch_size=32, weight_decay=0.05,
        clip_norm=40.0, warmup_epochs=1, ema_decay=0.99, precision="bf16", channels_last=True,
        rgb_frames=2, picture_size=80, train_size=72, test_size=72, sigma=1.0, pose_sigma=1.0,
        rgb_base=12, pose_base=16, rgb_blocks=(1, 1, 1, 1), pose_blocks=(1, 2, 1), colour=0.5, static=0.1, dropout=0.2,
        rgb_epochs=12, rgb_min_steps=300, rgb_batch_size=16, rgb_lr=4e-3, rgb_lr_batch_size=32, rgb_weight_decay=0.05,
        pose_epochs=36, pose_min_steps=700, pose_batch_size=16, pose_lr=8e-3, pose_lr_batch_size=32,
        pose_weight_decay=0.05, num_test_clips=4, test_batch_size=8,
    ),
    # Batches are those of one of the 8 GPUs of the published runs; learning rates are stated for all 8 together.
    "paper": RGBPoseConfig(
        epochs=20, batch_size=6, lr=0.0075, lr_batch_size=48,
        decay_norms_and_biases=True, weight_decay=1e-4, milestones=(12, 16), clip_norm=40.0,
        precision="bf16", channels_last=True, num_workers=8, pretrained="imagenet",
    ),
}  # fmt: skip
