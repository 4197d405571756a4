"""Settings of spotting: the extractor of frame tokens (stage 1), the detector (stage 2), and the search on top.

On the command line a field is named with its part: `--extractor.epochs 50 --detector.window 512`.
"""

import dataclasses
from dataclasses import dataclass, field

from miga.errors import InputError
from miga.training.config import FitConfig, override

TOKENS = ("features", "scores", "scores+pose")
SAMPLINGS = ("uniform", "window")
PARTS = ("extractor", "rgb", "early", "detector", "search")
# Which streams a member's detector looks at: one alone, two through one encoder (late fusion), or the one that two
# pathways with laterals make together (early fusion); tridet is the second kind of detector, on the skeleton.
MEMBERS = {
    "joint": ("joint",),
    "rgb": ("rgb",),
    "late": ("joint", "rgb"),
    "early": ("early",),
    "tridet": ("joint",),
}
KINDS = ("mslt", "tridet")
ENCODERS = ("sgp", "attention")


@dataclass(frozen=True)
class ExtractorConfig(FitConfig):
    """PoseC3D as a classifier of trimmed gestures. Published: MiGA'24 track 2, first place (NPU), and PoseC3D."""

    clip_len: int = 8  # frames a clip; published 8 (16 and 32 were worse)
    overlap: float = 0.25  # share of a clip that the next one repeats; published 0.25 = a stride of 6 frames
    box_frames: int = 0  # frames around a clip whose joints make its box; 0 = the whole video, one scale (published)
    heatmap_size: int = 56  # pixels, height = width; published 56
    sigma: float = 0.6  # of the Gaussians, heatmap pixels
    base_channels: int = 32  # channels of the stem; a token has 16 times as many; published 32
    blocks: tuple[int, ...] = (4, 6, 3)  # bottlenecks a stage; published
    dropout: float = 0.5  # before the classifier; published
    # What a token is. features: the published 16 * base_channels numbers, by an extractor trained on the video.
    # scores: class scores, and a training video is described by the fold model that never saw its person; for small
    # sets, where an extractor is so sure of its own videos that a detector trained on them fails on others.
    # scores+pose: also where the joints are and how they move (spotting/pose_tokens.py); ours.
    tokens: str = "features"
    # How a training clip is taken from a gesture. uniform: its frames spread over the gesture (published). window: so
    # many frames in a row from anywhere in it, as the extractor will see them; ours.
    sampling: str = "window"
    repeats: int = 1  # clips drawn from each gesture in an epoch
    background_share: float = 0.3  # background clips drawn per gesture clip, as a class; ours, published none (0)
    augmentation: float = 1.0  # strength of the random views (views.random_view); ours, published 0 = only mirroring
    num_views: int = 2  # token files of a training video: plain, mirrored, then random views; ours, published 1
    batch_clips: int = 32  # clips a forward pass when tokens are made

    @property
    def is_cross_fitted(self) -> bool:
        """Whether a training video is described by the fold model that never saw its person."""
        return self.tokens != "features"


@dataclass(frozen=True)
class RgbConfig(FitConfig):
    """The extractor of the picture stream: the RGB pathway of RGBPose-Conv3D, trained alone on the same short clips.

    How clips are cut and what a token is, the settings of the skeleton's extractor say for both.
    """

    picture_size: int = 256  # pixels; side of the stored pictures, which show the square around the person
    train_size: int = 224  # pixels, after the random crop; published
    test_size: int = 256  # pixels; published
    base_channels: int = 64  # channels of the stem; a token has 32 times as many; published 64
    blocks: tuple[int, ...] = (3, 4, 6, 3)  # bottlenecks a stage; published
    pool_stride: int = 2  # of the max-pool after the stem; 1 for small pictures
    dropout: float = 0.5  # before the classifier; published
    colour: float = 0.0  # how far training changes a clip's colours; see `miga.transforms.rgb_clip.recolour`
    static: float = 1.0  # share of a clip's mean picture that is kept; see `miga.transforms.rgb_clip.normalise`


@dataclass(frozen=True)
class EarlyConfig(FitConfig):
    """Both extractors joined by laterals and trained on, for early fusion. Sizes are those of the two.

    Published: RGBPose-Conv3D, its last step: the pathways, trained alone, then together.
    """

    clip_len: int = 32  # frames of the skeleton a clip; published 32
    speed_ratio: int = 4  # of them to one picture; published 4
    dropout: float = 0.5  # before the classifiers; published
    pathway: str = "pose"  # whose features are the tokens: pose or rgb, the one that classified better


@dataclass(frozen=True)
class DetectorConfig(FitConfig):
    """A detector. mslt, the multi-scale local transformer: MiGA'24 track 2, first place, and its parent MSLT; tridet:
    ActionFormer's form with TriDet's boundary head, which has no use for stem_channels and atss_epochs.
    """

    kind: str = "mslt"  # mslt | tridet
    window: int = 256  # frames, a multiple of 8; published 256 (best single stream) or 512 (best with RGB)
    token_norm: bool = True  # layer norm on tokens before the pyramid; ours, published none
    train_stride: int = 128  # frames between training windows; silent in the source, ours
    empty_share: float = 0.2  # share of the windows without a gesture that are trained on; ours (published code: 0)
    stem_channels: int = 512  # after the first convolution; published 512 for pose
    width: int = 512  # channels of every level; published
    num_heads: int = 4  # of local attention; published
    radius: int = 4  # tokens seen to either side; published window 8, overlap 4
    max_distance: int = 16  # R, strides a boundary can be away; published; tridet: 0 = ActionFormer's plain distances
    dropout: float = 0.0  # of token channels and before the heads; published none
    context_layers: int = 0  # dilated layers before the pyramid, and a class for every frame; published none
    frame_weight: float = 1.0  # of the loss of these frame classes
    atss_epochs: int = 10  # epochs with anchor assignment before task-aligned; published
    encoder: str = "sgp"  # tridet only: sgp, as TriDet, or attention, as ActionFormer (radius 9)
    num_levels: int = 6  # tridet only: time scales of 1, 2, 4, ... frames; published
    drop_path: float = 0.0  # tridet only: branches left out at random; published 0.1


@dataclass(frozen=True)
class SearchConfig:
    """What is tried on held-out training people, and what a video may put out."""

    min_threshold: float = 0.05  # smallest score threshold tried
    max_threshold: float = 0.7  # largest
    threshold_step: float = 0.025  # ours
    nms_iou: tuple[float, ...] = (0.1, 0.2, 0.3, 0.5)  # overlaps tried in suppression; published 0.2
    max_segments: int = 200  # a video; published
    mirror: bool = True  # average the detector over the plain and the mirrored tokens; ours


@dataclass(frozen=True)
class SpottingConfig:
    """All of spotting for one profile."""

    extractor: ExtractorConfig  # of the skeleton stream; what it says of clips and tokens holds for every stream
    rgb: RgbConfig
    early: EarlyConfig
    detector: DetectorConfig
    search: SearchConfig = field(default_factory=SearchConfig)

    def to_dict(self) -> dict:
        """Plain values that survive JSON: tuples become lists."""
        return {
            part: {key: list(v) if isinstance(v, tuple) else v for key, v in fields.items()}
            for part, fields in dataclasses.asdict(self).items()
        }


def config_from_dict(content: dict) -> SpottingConfig:
    """The inverse of `to_dict`."""
    parts = {
        "extractor": ExtractorConfig,
        "rgb": RgbConfig,
        "early": EarlyConfig,
        "detector": DetectorConfig,
        "search": SearchConfig,
    }
    return SpottingConfig(
        **{
            name: part(**{key: tuple(v) if isinstance(v, list) else v for key, v in content[name].items()})
            for name, part in parts.items()
        }
    )


def override_parts(config: SpottingConfig, changes: dict[str, str]) -> SpottingConfig:
    """Apply `{"detector.window": "512"}` and the like.

    Raises:
        InputError: a name without a part, an unknown field, a value of another type, sizes that do not go together.
    """
    for name, text in changes.items():
        part, _, key = name.partition(".")
        known = getattr(config, part) if part in PARTS else None
        if key not in getattr(known, "__dataclass_fields__", {}):
            raise InputError(f"--{name}: no such setting; expected --PART.F, PART one of {', '.join(PARTS)}, F a field")
        config = dataclasses.replace(config, **{part: override(getattr(config, part), {key: text})})
    if config.extractor.tokens not in TOKENS:
        raise InputError(f"--extractor.tokens {config.extractor.tokens}: expected {', '.join(TOKENS)}")
    if config.extractor.sampling not in SAMPLINGS:
        raise InputError(f"--extractor.sampling {config.extractor.sampling}: expected {' or '.join(SAMPLINGS)}")
    if config.early.pathway not in ("pose", "rgb") or config.early.clip_len % config.early.speed_ratio:
        raise InputError("--early.pathway: expected pose or rgb; --early.clip_len: a multiple of --early.speed_ratio")
    check_detector(config.detector)
    return config


def check_detector(detector: DetectorConfig) -> None:
    """Raise InputError where the sizes of a detector do not go together."""
    for name, known in (("kind", KINDS), ("encoder", ENCODERS)):
        if getattr(detector, name) not in known:
            raise InputError(f"--detector.{name} {getattr(detector, name)}: expected {' or '.join(known)}")
    if not 1 <= detector.num_levels <= 10:
        raise InputError(f"--detector.num_levels {detector.num_levels}: expected 1 to 10")
    is_tridet = detector.kind == "tridet"
    multiple = 2 ** (detector.num_levels - 1) if is_tridet else 8
    if detector.window < 1 or detector.window % multiple:
        raise InputError(f"--detector.window {detector.window}: expected a multiple of {multiple} frames")
    multiple = 16 if is_tridet and detector.encoder == "sgp" else detector.num_heads
    if detector.width % multiple:
        raise InputError(f"--detector.width {detector.width}: expected a multiple of {multiple}")


def profile_config(profile: str, member: str) -> SpottingConfig:
    """The settings of a profile for a member."""
    config = PROFILES[profile]
    if member == "tridet":
        return dataclasses.replace(config, detector=TRIDET[profile])
    if profile == "paper" and member == "late":  # Table 2: two streams want 512 frames, one wants 256
        return dataclasses.replace(config, detector=dataclasses.replace(config.detector, window=512))
    return config


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
