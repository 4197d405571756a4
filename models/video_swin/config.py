"""Settings of Video Swin, one instance a profile."""

import dataclasses
from dataclasses import dataclass

from miga.training.config import EntryConfig


@dataclass(frozen=True)
class SwinSize:
    """One of the published sizes. Source: Video Swin Transformer (arXiv 2106.13230), section 3.1."""

    embed_dim: int  # channels of a token in the first stage
    depths: tuple[int, ...]  # blocks a stage
    num_heads: tuple[int, ...]  # attention heads a stage
    imagenet: str  # timm's name of the 2D network that it is inflated from
    weight_decay: float  # of the published recipe
    drop_path: float  # of the published recipe
    recompute: bool  # whether a published batch of 8 clips in bf16 keeps more than 24 GB for the way back otherwise


SIZES = {
    "T": SwinSize(96, (2, 2, 6, 2), (3, 6, 12, 24), "swin_tiny_patch4_window7_224.ms_in1k", 0.02, 0.1, False),
    "S": SwinSize(96, (2, 2, 18, 2), (3, 6, 12, 24), "swin_small_patch4_window7_224.ms_in1k", 0.02, 0.1, True),
    "B": SwinSize(128, (2, 2, 18, 2), (4, 8, 16, 32), "swin_base_patch4_window7_224.ms_in1k", 0.05, 0.3, True),
}


OF_SIZE = -1.0  # a setting that is that of the size


@dataclass(frozen=True)
class VideoSwinConfig(EntryConfig):
    """Published values: SwinTransformer/Video-Swin-Transformer, configs/recognition/swin/swin_*_kinetics400_1k.py.

    A weight_decay or drop_path of OF_SIZE is that of the size, see `recipe_of_size`.
    """

    size: str = "T"  # T | S | B
    embed_dim: int = 0  # 0 = that of the size; a small profile gives its own
    depths: tuple[int, ...] = ()  # empty = those of the size
    num_heads: tuple[int, ...] = ()  # empty = those of the size
    window: tuple[int, int, int] = (8, 7, 7)  # tokens along time, height, width; clipped where the input is smaller
    drop_path: float = OF_SIZE  # of the last block, growing linearly from 0; -1 = that of the size
    dropout: float = 0.5  # before the classifier
    init_std: float = 0.02  # of the first weights of the linear layers
    recompute: bool = False  # always compute a block again on the way back: less memory, a third more time; S and B do
    smoothing: float = 0.0  # label smoothing
    clip_len: int = 32  # frames a view, spread over the clip (Kinetics: every second frame of a part)
    picture_size: int = 256  # pixels; side of the stored pictures
    train_size: int = 224  # pixels, after the random crop
    test_size: int = 224  # pixels
    crop_area_min: float = 0.08  # smallest share of the picture that a training crop keeps
    colour: float = 0.0  # how far training changes a clip's colours; see `miga.transforms.rgb_clip.recolour`
    static: float = 1.0  # share of a view's mean picture that is kept; see `miga.transforms.rgb_clip.normalise`
    num_test_clips: int = 4  # test views in time; the square around the person stands for the published three crops
    flip_test: bool = False  # each test view also mirrored
    test_batch_size: int = 2  # clips a forward pass at test, all views together
    pretrained: str = "none"  # none | imagenet: timm's 2D weights, inflated
    weights: str = ""  # a public or own checkpoint to start from, in place of `pretrained`


def recipe_of_size(config: VideoSwinConfig) -> VideoSwinConfig:
    """The settings with the weight decay and the drop path of the size filled in where they are OF_SIZE."""
    size = SIZES[config.size]
    return dataclasses.replace(
        config,
        weight_decay=size.weight_decay if config.weight_decay == OF_SIZE else config.weight_decay,
        drop_path=size.drop_path if config.drop_path == OF_SIZE else config.drop_path,
    )


BIAS_TABLES = ("relative_position_bias_table",)  # have no weight decay, as published
NORMS = tuple(f"{norm}.{name}" for norm in ("norm", "norm1", "norm2") for name in ("weight", "bias"))  # nor have these

PROFILES = {
    "smoke": VideoSwinConfig(
        epochs=2, batch_size=8, optimizer="adamw", lr=1e-3, weight_decay=0.02, no_decay=BIAS_TABLES,
        embed_dim=8, depths=(1, 2), num_heads=(1, 2), window=(2, 4, 4), drop_path=0.1, clip_len=4, picture_size=32,
        train_size=24, test_size=32, num_test_clips=1, test_batch_size=16,
    ),
    # Small sets on a CPU, from scratch: a third of the width, a block or two a stage, few frames and pixels, windows of
    # half the first stage's side. First weights as large as this width wants, and one learning rate for all layers,
    # since none has been trained before.
    "demo": VideoSwinConfig(
        epochs=4, batch_size=16, optimizer="adamw", lr=2e-3, lr_batch_size=16, weight_decay=0.05, no_decay=BIAS_TABLES,
        warmup_epochs=1, clip_norm=5.0, ema_decay=0.99, precision="bf16",
        embed_dim=32, depths=(1, 1, 1), num_heads=(1, 2, 4), window=(4, 5, 5), drop_path=0.0, dropout=0.1, init_std=0.1,
        clip_len=8, picture_size=64, train_size=40, test_size=40, crop_area_min=0.56, colour=0.5, num_test_clips=2,
        flip_test=True, test_batch_size=8,
    ),
    "bench": VideoSwinConfig(
        epochs=80, min_steps=1500, batch_size=16, optimizer="adamw", lr=1e-3, lr_batch_size=16, weight_decay=0.05,
        no_decay=BIAS_TABLES, warmup_epochs=2, clip_norm=5.0, ema_decay=0.99, precision="bf16",
        embed_dim=32, depths=(1, 1, 2), num_heads=(1, 2, 4), window=(4, 6, 6), drop_path=0.05, dropout=0.1,
        init_std=0.1, clip_len=8, picture_size=80, train_size=48, test_size=48, crop_area_min=0.56, colour=0.5,
        static=0.1, num_test_clips=4, flip_test=True, test_batch_size=8,
    ),
    # The learning rate is that of 64 clips a step; pretrained layers take a tenth of it.
    "paper": VideoSwinConfig(
        epochs=30, batch_size=8, accumulation=8, optimizer="adamw", lr=1e-3, lr_batch_size=64, backbone_lr_factor=0.1,
        weight_decay=OF_SIZE, decay_norms_and_biases=True,
        no_decay=(*BIAS_TABLES, *NORMS), warmup_epochs=2.5, precision="bf16", num_workers=8,
        pretrained="imagenet",
    ),
}  # fmt: skip
