"""Settings of EHCT, one instance a profile."""

from dataclasses import dataclass

from miga.training.config import EntryConfig


@dataclass(frozen=True)
class EHCTConfig(EntryConfig):
    """Published values: Hyperformer (ZhouYuxuanYX/Hyperformer, config/nturgbd-cross-subject/joint.yaml and
    model/Hyperformer.py), on which EHCT is built; EHCT's own text is not public."""

    stream: tuple[str, ...] = ("joint",)  # joint, bone, motion, bonemotion: one is an entry of the paper, several join
    num_frames: int = 64  # T, a clip is resized to
    num_heads: int = 9  # of the attention over joints; published
    head_dim: int = 24  # num_heads * head_dim is the width, a multiple of 12
    strides: tuple[int, ...] = (1, 1, 1, 1, 2, 1, 1, 2, 1, 1)  # in time, one a unit
    hyperedges: str = "limbs"  # limbs: H2OFormer's; hands (iMiGUE only): body, face and either hand, as M2HEN says
    alpha: float = 0.0  # share of the attention at the start; published 0, it is learned
    enhanced: bool = False  # the hyperedges of H2OFormer: own queries, keys, values, handed from unit to unit
    token_block: bool = False  # a Transformer block over all tokens before the classifier (H2OFormer)
    dropout: float = 0.0  # before the classifier
    unit: str = "picture"  # of lengths: picture, or body, which takes the distance from the camera out
    crop_min: float = 0.5  # smallest share of a clip that a training window keeps
    rotation: float = 0.3  # radians to either side, in the picture plane
    scale: float = 0.0  # size factor is 1 +- this
    flip: float = 0.0  # how often a training clip is mirrored
    num_test_clips: int = 1  # test views in time: the middle of the clip (published), then shorter ones beside it
    flip_test: bool = False  # each test view also mirrored
    smoothing: float = 0.0  # of the labels
    test_batch_size: int = 64  # clips
    weights: str = ""  # an own checkpoint to start from; empty = from scratch


PROFILES = {
    "smoke": EHCTConfig(
        epochs=2, batch_size=8, lr=0.02, num_frames=8, num_heads=3, head_dim=4, strides=(1, 2), test_batch_size=16
    ),
    # Small sets on a CPU: a narrow network of few units that halves time at once; joints, bones and motion joined; a
    # high learning rate. Chosen on held-out folds of training clips.
    "demo": EHCTConfig(
        epochs=14, batch_size=16, optimizer="adamw", lr=6e-3, lr_batch_size=16, weight_decay=0.02, warmup_epochs=3,
        stream=("joint", "bone", "motion"), num_frames=16, num_heads=3, head_dim=16, strides=(2, 1, 2), unit="body",
        scale=0.2, flip=0.5, flip_test=True,
    ),
    "bench": EHCTConfig(
        epochs=40, min_steps=800, batch_size=16, optimizer="adamw", lr=6e-3, lr_batch_size=16, weight_decay=0.02,
        warmup_epochs=3, stream=("joint", "bone", "motion"), num_frames=16, num_heads=3, head_dim=16,
        strides=(2, 1, 2, 1), unit="body", scale=0.2, flip=0.5, flip_test=True, num_test_clips=4,
    ),
    "paper": EHCTConfig(
        epochs=140, batch_size=64, lr=0.025, lr_batch_size=64, nesterov=True,
        decay_norms_and_biases=True, weight_decay=4e-4, warmup_epochs=5,
        milestones=(110, 120), num_workers=8,
    ),
}  # fmt: skip
