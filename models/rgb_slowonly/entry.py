"""RGB SlowOnly, put together: pictures alone."""

from miga.clips import Clips
from miga.errors import InputError
from miga.rgb_store import open_rgb_store
from miga.training.assembly import Assembly, Entry
from miga.training.inputs import RGB
from miga.training.losses import cross_entropy
from miga.training.weights import OWN
from miga.transforms.rgb_clip import RgbClipTransform
from models.layers.bottleneck3d import Bottleneck3d
from models.layers.inflate import start_from_pictures
from models.layers.public_files import FITTING
from models.layers.rgb_views import RgbViews
from models.rgb_slowonly.config import PROFILES, RGBSlowOnlyConfig
from models.rgb_slowonly.model import RGBSlowOnly


def assemble(clips: Clips, config: RGBSlowOnlyConfig) -> Assembly:
    """RGB SlowOnly for the classes of `clips`."""
    network = RGBSlowOnly(
        clips.num_classes,
        base_channels=config.base_channels,
        blocks=config.blocks,
        pool_stride=config.pool_stride,
        dropout=config.dropout,
    )
    source = config.weights or config.pretrained
    if source != "none":
        start_from_pictures(network, source, f"{FITTING[Bottleneck3d]['rgb']} or {OWN}", "--weights")
    transform = RgbClipTransform(
        clip_len=config.clip_len,
        full_size=config.test_size,
        crop_size=config.train_size,
        num_clips=config.num_test_clips,
        flip_views=config.flip_views and clips.may_mirror,
        flip_train=clips.may_mirror,
        colour=config.colour,
    )
    views = RgbViews(clips, open_rgb_store(clips.run, config.picture_size), transform, config.static)
    return Assembly(network, config, views.train_view, views.test_views, views.to_input, cross_entropy)


def name(config: RGBSlowOnlyConfig, profile: RGBSlowOnlyConfig) -> str:
    return "rgb_slowonly"


def check(config: RGBSlowOnlyConfig) -> None:
    if config.pretrained not in ("none", "imagenet"):
        raise InputError(f"--pretrained {config.pretrained}: expected none or imagenet")


ENTRY = Entry("rgb_slowonly", (RGB,), PROFILES, name, assemble, check)
