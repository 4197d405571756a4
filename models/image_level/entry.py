"""The image-level baseline, put together: single frames, first with a frozen backbone."""

import dataclasses

import numpy as np

from miga.clips import Clips
from miga.errors import InputError
from miga.rgb_store import open_rgb_store
from miga.training.assembly import Assembly, Batch, Entry, Stage
from miga.training.dataset import Sample
from miga.training.imagenet import imagenet_tensors
from miga.training.inputs import JOINTS, RGB
from miga.training.losses import cross_entropy
from miga.training.weights import load_tensors, read_state_dict
from miga.transforms.rgb_clip import normalise
from models.image_level.config import BACKBONES, IMAGENET, PROFILES, ImageLevelConfig
from models.image_level.frames import FrameTransform, keypoint_joints
from models.image_level.model import ImageLevel
from models.image_level.weights import to_our_names


def build_network(num_classes: int, num_keypoints: int, config: ImageLevelConfig) -> ImageLevel:
    """The network, started from `config.weights`, from ImageNet, or from scratch."""
    network = ImageLevel(
        num_classes,
        num_keypoints,
        channel_multiplier=config.channel_multiplier,
        depth_multiplier=config.depth_multiplier,
        dropout=config.dropout,
        backbone=config.backbone,
    )
    if config.weights:
        fits = f"ImageNet weights of {config.backbone}, or weights.pt of an own fold"
        load_tensors(network, to_our_names(read_state_dict(config.weights)), config.weights, fits=fits)
    elif config.pretrained == "imagenet":
        load_tensors(network, imagenet_tensors(IMAGENET), IMAGENET, rename={"": "backbone."})
    return network


def assemble(clips: Clips, config: ImageLevelConfig) -> Assembly:
    """The network for the keypoints and the classes of `clips`."""
    network = build_network(clips.num_classes, len(keypoint_joints(clips.skeleton)), config)
    store = open_rgb_store(clips.run, config.picture_size)
    may_mirror = config.flip and clips.may_mirror
    transform = FrameTransform(
        clips.skeleton,
        train_size=config.train_size,
        test_size=config.test_size,
        num_views=config.num_test_frames,
        flip_train=may_mirror,
        flip_views=may_mirror,
        area_min=config.crop_area_min,
        colour=config.colour,
    )

    def train_view(row: int, rng: np.random.Generator) -> Sample:
        return transform.train_view(store, row, clips.joints_of(row), rng)

    def test_views(row: int) -> Sample:
        return transform.test_views(store, row, clips.joints_of(row))

    whole = Assembly(network, config, train_view, test_views, to_input, cross_entropy)
    if config.weights or not config.frozen_epochs:
        return whole

    def frozen() -> Assembly:
        network.freeze_backbone(True)
        short = dataclasses.replace(config, epochs=config.frozen_epochs, min_steps=0, lr=config.frozen_lr)
        return dataclasses.replace(whole, config=short)

    return dataclasses.replace(whole, stages=(Stage("frozen", frozen),), join_stages=thaw)


def thaw(network: ImageLevel) -> None:
    """Let the backbone learn as well."""
    network.freeze_backbone(False)


def to_input(batch: Batch, is_train: bool) -> Batch:
    """What of a batch goes into the network."""
    return {"picture": normalise(batch["rgb"])[:, :, 0], "keypoints": batch["keypoints"]}


def name(config: ImageLevelConfig, profile: ImageLevelConfig) -> str:
    return "image_level"


def check(config: ImageLevelConfig) -> None:
    if config.pretrained not in ("none", "imagenet"):
        raise InputError(f"--pretrained {config.pretrained}: expected none or imagenet")
    if config.backbone not in BACKBONES:
        raise InputError(f"--backbone {config.backbone}: expected one of {', '.join(BACKBONES)}")
    is_lite = config.backbone != BACKBONES[0]
    if is_lite and config.pretrained == "imagenet":
        raise InputError(f"--pretrained imagenet is for {BACKBONES[0]}; give --weights FILE (python -m weights.fetch)")
    if is_lite and (config.channel_multiplier, config.depth_multiplier) != (1.0, 1.0):
        raise InputError(f"--backbone {config.backbone} needs --channel_multiplier 1 and --depth_multiplier 1")
    if config.pretrained == "imagenet" and (config.channel_multiplier, config.depth_multiplier) != (1.0, 1.0):
        raise InputError("--pretrained imagenet: these weights need --channel-multiplier 1 and --depth-multiplier 1")


ENTRY = Entry("image_level", (JOINTS, RGB), PROFILES, name, assemble, check)
