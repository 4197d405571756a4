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
