"""Settings of PoseC3D with the semantic embedding loss, one instance a profile."""

from dataclasses import dataclass

from miga.training.config import EntryConfig


@dataclass(frozen=True)
class SemanticConfig(EntryConfig):
    """Published values: Li et al. (arXiv 2307.10624); the network and its input are pyskl's PoseC3D,
    configs/posec3d/slowonly_r50_ntu60_xsub/{joint,limb}.py."""

    input: str = "joint"  # joint | limb: which heatmaps are the input channels
    clip_len: int = 48  # frames a view
    train_size: int = 56  # heatmap pixels, height = width, after the random crop
    test_size: int = 64  # heatmap pixels at test and before the random crop
    sigma: float = 0.6  # of the Gaussians, in heatmap pixels
    base_channels: int = 32  # channels of the stem; everything scales with it
    blocks: tuple[int, ...] = (4, 6, 3)  # bottlenecks a stage
    dropout: float = 0.5  # before both heads; published
    semantic_weight: float = 20.0  # of the squared distance to the name's word vector; published
    vectors: str = ""  # 300-d word vectors in GloVe text form; empty = an embedding made from the letters of the words
    num_test_clips: int = 10  # test views in time, each plain and mirrored
    test_batch_size: int = 4  # clips a forward pass at test, all views together
    weights: str = ""  # a public or own checkpoint to start from; empty = from scratch


PROFILES = {
    "smoke": SemanticConfig(
        epochs=2, batch_size=8, lr=0.02, lr_batch_size=32, clip_len=8, train_size=16, test_size=16, base_channels=4,
        blocks=(1, 1, 1), num_test_clips=1, test_batch_size=16,
    ),
    # Small sets on a CPU: few frames and pixels, and a shallow network that few steps can train; the design stays. One
    # size in training and at test: 24 pixels end as 3 x 3 cells and 28 as 4 x 4, and means over them differ.
    "demo": SemanticConfig(
        epochs=8, batch_size=16, optimizer="adamw", lr=8e-3, lr_batch_size=16, weight_decay=0.05, clip_norm=40.0,
        warmup_epochs=1, ema_decay=0.99, precision="bf16", channels_last=True, clip_len=8, train_size=14, test_size=14,
        sigma=1.0, base_channels=16, blocks=(1, 2, 1), dropout=0.2, num_test_clips=2, test_batch_size=16,
    ),
    "bench": SemanticConfig(
        epochs=36, min_steps=1100, batch_size=16, optimizer="adamw", lr=8e-3, lr_batch_size=32, weight_decay=0.05,
        clip_norm=40.0, warmup_epochs=3, ema_decay=0.99, precision="bf16", channels_last=True, clip_len=16,
        train_size=20, test_size=20, sigma=1.0, base_channels=16, blocks=(1, 2, 1), dropout=0.2, num_test_clips=8,
        test_batch_size=8,
    ),
    # Batch 2 x 16: two devices of 16 clips, here two forward passes a step. Rate 0.4 / 6, no clipping of gradients.
    "paper": SemanticConfig(
        epochs=100, batch_size=16, accumulation=2, lr=0.4 / 6, lr_batch_size=32,
        decay_norms_and_biases=True, weight_decay=3e-4, precision="bf16",
        channels_last=True, num_workers=8,
    ),
}  # fmt: skip
