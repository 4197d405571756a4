"""Video Swin, put together: pictures alone."""

from miga.clips import Clips
from miga.errors import InputError
from miga.rgb_store import open_rgb_store
from miga.training.assembly import Assembly, Entry
from miga.training.imagenet import imagenet_tensors
from miga.training.inputs import RGB
from miga.training.losses import SmoothedCrossEntropy
from miga.training.weights import load_tensors, read_state_dict
from miga.transforms.rgb_clip import RgbClipTransform
from models.layers.rgb_views import RgbViews
from models.video_swin.config import OF_SIZE, PROFILES, SIZES, VideoSwinConfig, recipe_of_size
from models.video_swin.model import VideoSwin
from models.video_swin.weights import to_video_swin

FITTING = (
    "a Video Swin of the public code or of mmaction2, a 2D Swin of timm or microsoft/Swin-Transformer, each of this "
    "--size, or weights.pt of an own fold"
)


def build_network(num_classes: int, config: VideoSwinConfig) -> VideoSwin:
    """The network, started from `config.weights`, from ImageNet, or from scratch."""
    config = recipe_of_size(config)
    size = SIZES[config.size]
    network = VideoSwin(
        num_classes,
        embed_dim=config.embed_dim or size.embed_dim,
        depths=config.depths or size.depths,
        num_heads=config.num_heads or size.num_heads,
        window=config.window,
        drop_path=config.drop_path,
        dropout=config.dropout,
        init_std=config.init_std,
        recompute=config.recompute or size.recompute,
    )
    if config.weights:
        load_tensors(
            network, to_video_swin(read_state_dict(config.weights), config.window), config.weights, fits=FITTING
        )
    elif config.pretrained == "imagenet":
        load_tensors(network, to_video_swin(imagenet_tensors(size.imagenet), config.window), size.imagenet)
    return network


def assemble(clips: Clips, config: VideoSwinConfig) -> Assembly:
    """Video Swin for the classes of `clips`."""
    config = recipe_of_size(config)
    network = build_network(clips.num_classes, config)
    transform = RgbClipTransform(
        clip_len=config.clip_len,
        full_size=config.test_size,
        crop_size=config.train_size,
        num_clips=config.num_test_clips,
        flip_views=config.flip_test and clips.may_mirror,
        flip_train=clips.may_mirror,
        area=(config.crop_area_min, 1.0),
        colour=config.colour,
    )
    views = RgbViews(clips, open_rgb_store(clips.run, config.picture_size), transform, config.static)
    loss = SmoothedCrossEntropy(config.smoothing)
    return Assembly(network, config, views.train_view, views.test_views, views.to_input, loss)


def name(config: VideoSwinConfig, profile: VideoSwinConfig) -> str:
    return f"video_swin_{config.size.lower()}"


def check(config: VideoSwinConfig) -> None:
    if config.size not in SIZES:
        raise InputError(f"--size {config.size}: expected one of {', '.join(SIZES)}")
    if min(config.weight_decay, config.drop_path) < 0 and OF_SIZE not in (config.weight_decay, config.drop_path):
        raise InputError(f"--weight-decay {config.weight_decay} --drop-path {config.drop_path}: expected 0 or more")
    if config.pretrained not in ("none", "imagenet"):
        raise InputError(f"--pretrained {config.pretrained}: expected none or imagenet")
    if len(config.window) != 3 or min(config.window) < 1:
        raise InputError(f"--window {config.window}: expected three lengths of at least 1: time, height, width")


ENTRY = Entry("video_swin", (RGB,), PROFILES, name, assemble, check)
