"""Settings of GE-CN, one instance a profile."""

from dataclasses import dataclass

from miga.training.config import EntryConfig


@dataclass(frozen=True)
class GECNConfig(EntryConfig):
    """Published values: GE-CN (MiGA 2023), section 4.1, and where it is silent InfoGCN's README command."""

    num_frames: int = 64  # T, a clip is resized to
    width: int = 64  # channels of the first three blocks, a multiple of 8
    k: int = 1  # mode of the skeleton: 1 = bones, the depth of its tree or more = joints
    streams: tuple[str, ...] = ("joint",)  # what each joint carries: joint, bone, motion; with several use a large k
    unit: str = "picture"  # of lengths: picture (published) or body, which takes the distance from the camera out
    attention: bool = True  # False: eq. 2 alone, the baseline of table 1: the normalised adjacency, fixed, in one head
    attention_std: float = 1.0  # of the first attention weights; 1 is published, 0.1 learns small data far better
    noise: float = 0.5  # of z while training
    dropout: float = 0.0  # before z
    smoothing: float = 0.1  # label smoothing
    lambda_2: float = 0.1  # weight of the pull of each class towards its direction
    crop_min: float = 0.5  # smallest share of a clip that a training window keeps
    rotation: float = 0.3  # radians to either side, in the picture plane
    scale: float = 0.0  # size factor is 1 +- this
    flip: float = 0.0  # how often a training clip is mirrored
    num_test_clips: int = 1  # test views in time: the middle of the clip (published), then shorter ones beside it
    flip_test: bool = False  # each test view also mirrored
    test_batch_size: int = 64  # clips
    weights: str = ""  # an own checkpoint to start from; empty = from scratch


PROFILES = {
    "smoke": GECNConfig(epochs=2, batch_size=8, lr=0.05, num_frames=16, width=8, test_batch_size=16),
    # Small sets on a CPU: a quarter of the width and of the frames; bones and motion beside the joints; attention that
    # starts softer and a weaker pull of the classes. Chosen on held-out folds of training clips.
    "demo": GECNConfig(
        epochs=14, batch_size=16, optimizer="adamw", lr=3e-3, lr_batch_size=16, weight_decay=0.02, warmup_epochs=3,
        num_frames=16, width=16, k=8, streams=("joint", "bone", "motion"), unit="body", attention_std=0.1, noise=0.1,
        lambda_2=0.02, scale=0.2, flip=0.5, flip_test=True,
    ),
    "bench": GECNConfig(
        epochs=40, min_steps=800, batch_size=16, optimizer="adamw", lr=3e-3, lr_batch_size=16, weight_decay=0.02,
        warmup_epochs=3,
        num_frames=16, width=16, k=8, streams=("joint", "bone", "motion"), unit="body", attention_std=0.1, noise=0.1,
        lambda_2=0.02, scale=0.2, flip=0.5, flip_test=True, num_test_clips=4,
    ),
    "paper": GECNConfig(
        epochs=110, batch_size=32, lr=0.1, lr_batch_size=64, nesterov=True,
        decay_norms_and_biases=True, weight_decay=5e-4, warmup_epochs=5,
        milestones=(90, 100), num_workers=8,
    ),
}  # fmt: skip
