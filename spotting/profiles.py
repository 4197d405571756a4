"""The settings of spotting by profile: of the first detector, of the second, and of a member."""

import dataclasses

from spotting.config import DetectorConfig, EarlyConfig, ExtractorConfig, RgbConfig, SearchConfig, SpottingConfig

PROFILES = {
    "smoke": SpottingConfig(
        ExtractorConfig(
            epochs=2, batch_size=8, lr=0.1, lr_batch_size=32, clip_norm=10.0, heatmap_size=16, base_channels=2,
            blocks=(1, 1, 1),
        ),
        RgbConfig(
            epochs=1, batch_size=8, lr=0.1, lr_batch_size=32, clip_norm=10.0, picture_size=24, train_size=16,
            test_size=16, base_channels=2, blocks=(1, 1, 1, 1), pool_stride=1,
        ),
        EarlyConfig(epochs=1, batch_size=8, lr=0.02, lr_batch_size=32, clip_norm=10.0, clip_len=8, speed_ratio=2),
        DetectorConfig(
            epochs=12, batch_size=8, optimizer="adam", lr=2e-3, lr_batch_size=8, clip_norm=5.0, window=128,
            train_stride=64, stem_channels=32, width=32, atss_epochs=4,
        ),
    ),
    # Small sets on a CPU: cross-fitted class scores and the joints themselves as tokens, and a class for every frame.
    "demo": SpottingConfig(
        ExtractorConfig(
            epochs=12, batch_size=32, optimizer="adamw", lr=4e-3, lr_batch_size=32, weight_decay=0.05, clip_norm=10.0,
            warmup_epochs=1, precision="bf16", channels_last=True, heatmap_size=24, base_channels=16, blocks=(1, 2, 1),
            dropout=0.2, tokens="scores+pose", num_views=4,
        ),
        RgbConfig(
            epochs=12, batch_size=32, optimizer="adamw", lr=2e-3, lr_batch_size=32, weight_decay=0.05, clip_norm=10.0,
            warmup_epochs=1, picture_size=48, train_size=32, test_size=32, base_channels=8, blocks=(1, 1, 1, 1),
            pool_stride=1, dropout=0.2, colour=0.5, static=0.1,
        ),
        EarlyConfig(
            epochs=4, batch_size=32, optimizer="adamw", lr=1e-3, lr_batch_size=32, weight_decay=0.05, clip_norm=10.0,
            clip_len=8, speed_ratio=2, dropout=0.2,
        ),
        DetectorConfig(
            epochs=25, batch_size=8, optimizer="adamw", lr=2e-3, lr_batch_size=8, weight_decay=0.05, warmup_epochs=2,
            clip_norm=5.0, ema_decay=0.99, stem_channels=64, width=64, dropout=0.2, context_layers=6,
        ),
    ),
    "bench": SpottingConfig(
        ExtractorConfig(
            epochs=16, batch_size=32, optimizer="adamw", lr=4e-3, lr_batch_size=32, weight_decay=0.05, clip_norm=10.0,
            warmup_epochs=1, precision="bf16", channels_last=True, box_frames=64, heatmap_size=24, base_channels=16,
            blocks=(1, 2, 1), dropout=0.2, tokens="scores+pose", repeats=3, num_views=8,
        ),
        RgbConfig(
            epochs=16, batch_size=32, optimizer="adamw", lr=2e-3, lr_batch_size=32, weight_decay=0.05, clip_norm=10.0,
            warmup_epochs=1, picture_size=64, train_size=48, test_size=48, base_channels=12, blocks=(1, 1, 1, 1),
            pool_stride=1, dropout=0.2, colour=0.5, static=0.1,
        ),
        EarlyConfig(
            epochs=6, batch_size=32, optimizer="adamw", lr=1e-3, lr_batch_size=32, weight_decay=0.05, clip_norm=10.0,
            clip_len=8, speed_ratio=2, dropout=0.2,
        ),
        DetectorConfig(
            epochs=32, batch_size=4, optimizer="adamw", lr=2e-3, lr_batch_size=8, weight_decay=0.05, warmup_epochs=2,
            clip_norm=5.0, ema_decay=0.99, window=512, stem_channels=64, width=64, dropout=0.2, context_layers=7,
        ),
    ),
    # 100 epochs for the extractors; 128 epochs, Adam 1e-4, weight decay 5e-4, batch 32, 5 warm-up epochs, cosine.
    # Nothing of ours: no background class, random views, mirrored tokens, empty windows or norm of the tokens.
    "paper": SpottingConfig(
        ExtractorConfig(
            epochs=100, batch_size=64, lr=0.4, lr_batch_size=256, weight_decay=3e-4, clip_norm=40.0, precision="bf16",
            channels_last=True, num_workers=8, batch_clips=256, sampling="uniform", background_share=0.0,
            augmentation=0.0, num_views=1,
        ),
        RgbConfig(
            epochs=100, batch_size=16, lr=0.2, lr_batch_size=128, weight_decay=1e-4, clip_norm=40.0, precision="bf16",
            channels_last=True, num_workers=8,
        ),
        EarlyConfig(
            epochs=20, batch_size=16, lr=0.0075, lr_batch_size=96, weight_decay=1e-4, milestones=(16, 18),
            clip_norm=40.0, precision="bf16", channels_last=True, num_workers=8,
        ),
        DetectorConfig(
            epochs=128, batch_size=32, optimizer="adam", lr=1e-4, lr_batch_size=32, weight_decay=5e-4, warmup_epochs=5,
            num_workers=8, empty_share=0.0, token_norm=False,
        ),
        SearchConfig(mirror=False),
    ),
}  # fmt: skip

# The second detector at the sizes of the first. paper: TriDet for THUMOS14, AdamW 1e-4, batch 2, 20 epochs of warm-up
# and 20 more; of ActionFormer 5 and 30, weight decay 0.05, encoder attention, radius 9, max_distance 0.
TRIDET = {
    profile: dataclasses.replace(PROFILES[profile].detector, kind="tridet", num_levels=num_levels)
    for profile, num_levels in (("smoke", 4), ("demo", 6), ("bench", 6))
} | {
    "paper": DetectorConfig(
        kind="tridet", epochs=40, batch_size=2, optimizer="adamw", lr=1e-4, lr_batch_size=2, weight_decay=0.025,
        warmup_epochs=20, clip_norm=1.0, num_workers=8, radius=9, drop_path=0.1,
    ),
}  # fmt: skip


def profile_config(profile: str, member: str) -> SpottingConfig:
    """The settings of a profile for a member."""
    config = PROFILES[profile]
    if member == "tridet":
        return dataclasses.replace(config, detector=TRIDET[profile])
    if profile == "paper" and member == "late":  # Table 2: two streams want 512 frames, one wants 256
        return dataclasses.replace(config, detector=dataclasses.replace(config.detector, window=512))
    return config
