"""Settings of RGB SlowOnly, one instance a profile."""

from dataclasses import dataclass

from miga.training.config import EntryConfig


@dataclass(frozen=True)
class RGBSlowOnlyConfig(EntryConfig):
    """Published values: pyskl, configs/rgbpose_conv3d/rgb_only.py."""

    picture_size: int = 256  # pixels of the stored pictures, from which views are cut
    clip_len: int = 8  # frames a view
    train_size: int = 224  # pixels, height = width, after the random crop
    test_size: int = 224  # pixels at test
    base_channels: int = 64  # channels of the stem; everything scales with it
    blocks: tuple[int, ...] = (3, 4, 6, 3)  # bottlenecks a stage
    pool_stride: int = 2  # of the max-pool after the stem; 1 leaves small pictures some detail
    colour: float = 0.0  # how far training changes a clip's colours (miga.transforms.rgb_clip.recolour)
    static: float = 1.0  # share of a view's mean picture that is kept (miga.transforms.rgb_clip.normalise)
    dropout: float = 0.5  # before the classifier
    num_test_clips: int = 10  # test views in time
    flip_views: bool = False  # each test view also mirrored
    test_batch_size: int = 2  # clips a forward pass at test, all views together
    pretrained: str = "none"  # none | imagenet: timm's 2D weights, inflated
    weights: str = ""  # a public or own checkpoint to start from, in place of `pretrained`


PROFILES = {
    "smoke": RGBSlowOnlyConfig(
        epochs=2, batch_size=8, lr=0.1, lr_batch_size=32, clip_norm=40.0, picture_size=32, clip_len=4, train_size=24,
        test_size=24, base_channels=4, blocks=(1, 1, 1, 1), pool_stride=1, num_test_clips=1, test_batch_size=16,
    ),
    # Small sets on a CPU: few pixels, and a shallow network that few steps can train; the design stays. From
    # scratch on a dozen people a network learns their shirts and walls: hence colour and static (0.34 instead of 0.22
    # of the held-out clips of a fold of generated recordings, 0.21 instead of under 0.07 of filmed gestures).
    "demo": RGBSlowOnlyConfig(
        epochs=5, batch_size=16, optimizer="adamw", lr=4e-3, lr_batch_size=32, weight_decay=0.05, clip_norm=40.0,
        warmup_epochs=1, ema_decay=0.99, precision="bf16", channels_last=True, picture_size=64, clip_len=4,
        train_size=40, test_size=48, base_channels=16, blocks=(1, 1, 1, 1), pool_stride=2, colour=0.5, static=0.1,
        dropout=0.2, num_test_clips=2, test_batch_size=8,
    ),
    "bench": RGBSlowOnlyConfig(
        epochs=24, min_steps=500, batch_size=16, optimizer="adamw", lr=4e-3, lr_batch_size=32, weight_decay=0.05,
        clip_norm=40.0, warmup_epochs=3, ema_decay=0.99, precision="bf16", channels_last=True, picture_size=80,
        clip_len=8, train_size=48, test_size=48, base_channels=16, blocks=(1, 1, 1, 1), pool_stride=2, colour=0.5,
        static=0.1, dropout=0.2, num_test_clips=4, test_batch_size=8,
    ),
    # 18 epochs over a data set repeated 10 times.
    "paper": RGBSlowOnlyConfig(
        epochs=180, batch_size=12, accumulation=8, lr=0.15, lr_batch_size=96,
        decay_norms_and_biases=True, weight_decay=1e-4, clip_norm=40.0,
        precision="bf16", channels_last=True, num_workers=8, pretrained="imagenet",
    ),
}  # fmt: skip
