"""Any network on two pathways, put together: each pathway alone, then both merged.

    stage rgb    the RGB pathway alone
    stage pose   the pose pathway alone
    then         merged with zeros for the laterals' channels, and trained together

A pathway alone is trained once for all entries of a fold that begin with it. A checkpoint can start a stage, or the
whole network, which then has no stages. Source: PoseConv3D (arXiv 2104.13586), section 3.4; pyskl,
configs/rgbpose_conv3d/README.md.
"""

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch

from miga.clips import Clips
from miga.rgb_store import RgbStore, open_rgb_store
from miga.training.assembly import Assembly, Batch, Stage
from miga.training.config import FitConfig, training_settings
from miga.training.dataset import Sample
from miga.training.losses import cross_entropy
from miga.training.weights import load_weights
from miga.transforms.heatmap_input import heatmap_input, stem_map
from miga.transforms.rgb_clip import RgbClipTransform, normalise
from miga.transforms.rgb_pose_clip import RgbPoseClipTransform
from models.layers.inflate import start_from_pictures
from models.layers.pathway_net import PathwayNet
from models.layers.pose_backbone import PoseBackbone
from models.layers.pose_views import PoseViews
from models.layers.public_files import fitting_files
from models.layers.rgb_backbone import RGBBackbone
from models.layers.rgb_views import RgbViews
from models.layers.two_pathway_config import TwoPathwayConfig, stage_config
from models.layers.two_pathway_net import TwoPathwayNet, both_cross_entropies, merge_pathways

Loss = Callable[[Any, Batch, int], torch.Tensor]


class RgbPoseViews:
    """What the whole network is shown: pictures and heatmaps of the same crop."""

    def __init__(self, clips: Clips, store: RgbStore, config: TwoPathwayConfig):
        self.clips, self.store, self.static = clips, store, config.static
        self.transform = RgbPoseClipTransform(
            clips.skeleton.flip_index,
            rgb_len=config.rgb_frames,
            pose_len=config.pose_frames,
            rgb_full=config.test_size,
            rgb_crop=config.train_size,
            pose_full=config.heatmap_size(config.test_size),
            pose_crop=config.heatmap_size(config.train_size),
            num_clips=config.num_test_clips,
            flip_train=clips.may_mirror,
            flip_views=config.flip_test and clips.may_mirror,
            colour=config.colour,
        )
        self.draw_train, self.draw_test = (
            heatmap_input(clips.skeleton, config.input, config.heatmap_size(size), config.sigma)
            for size in (config.train_size, config.test_size)
        )

    def train_view(self, row: int, rng: np.random.Generator) -> Sample:
        return self.transform.train_view(self.store, row, self.clips.joints_of(row), rng)

    def test_views(self, row: int) -> Sample:
        return self.transform.test_views(self.store, row, self.clips.joints_of(row))

    def to_input(self, batch: Batch, is_train: bool) -> Batch:
        draw = self.draw_train if is_train else self.draw_test
        return {"rgb": normalise(batch["rgb"], self.static), **draw(batch)}


def loss_of_both(output: dict[str, torch.Tensor], batch: Batch, epoch: int) -> torch.Tensor:
    """Cross entropy of the RGB classifier plus that of the pose classifier."""
    return both_cross_entropies(output, batch["label"])


def assemble_two_pathways(network: TwoPathwayNet, loss: Loss, clips: Clips, config: TwoPathwayConfig) -> Assembly:
    """The assembly of `network`, with a stage for each pathway unless the whole starts from `config.weights`.

    Args:
        loss: of the whole network; the stages minimise the cross entropy.
    """
    store = open_rgb_store(clips.run, config.picture_size)
    views = RgbPoseViews(clips, store, config)
    whole = Assembly(network, config, views.train_view, views.test_views, views.to_input, loss)
    if config.weights:
        fits = fitting_files(network, "whole")
        load_weights(network, config.weights, stem_map=stem_map(clips.skeleton, config.input), fits=fits)
        return whole
    stages = (
        Stage("rgb", partial(rgb_stage, network, clips, store, config), made_of(network, config, "rgb")),
        Stage("pose", partial(pose_stage, network, clips, config), made_of(network, config, "pose")),
    )
    return dataclasses.replace(whole, stages=stages, join_stages=partial(merge_pathways, network))


def rgb_stage(network: TwoPathwayNet, clips: Clips, store: RgbStore, config: TwoPathwayConfig) -> Assembly:
    """Pictures alone, by a new network of the RGB pathway's size."""
    backbone = RGBBackbone(config.rgb_base, tuple(config.rgb_blocks), config.pool_stride, block=block_of(network))
    net = PathwayNet(backbone, clips.num_classes, config.dropout)
    source = config.weights_rgb or config.pretrained
    if source != "none":
        start_from_pictures(net, source, fitting_files(network, "rgb"))
    transform = RgbClipTransform(
        clip_len=config.rgb_frames,
        full_size=config.test_size,
        crop_size=config.train_size,
        num_clips=1,
        flip_views=False,
        flip_train=clips.may_mirror,
        colour=config.colour,
    )
    views = RgbViews(clips, store, transform, config.static, "x")
    return Assembly(net, stage_config(config, "rgb"), views.train_view, views.test_views, views.to_input, cross_entropy)


def pose_stage(network: TwoPathwayNet, clips: Clips, config: TwoPathwayConfig) -> Assembly:
    """Heatmaps alone, as many frames as the pose pathway of the whole network has."""
    channels = network.backbone.pose_path.conv1.conv.in_channels
    backbone = PoseBackbone(channels, config.pose_base, tuple(config.pose_blocks), (1, 1, 1), block=block_of(network))
    net = PathwayNet(backbone, clips.num_classes, config.dropout)
    if config.weights_pose:
        fits = fitting_files(network, "pose")
        load_weights(net, config.weights_pose, stem_map=stem_map(clips.skeleton, config.input), fits=fits)
    views = PoseViews(clips, PoseStageSettings.of(config), with_mirrored=False)

    def to_input(batch: Batch, is_train: bool) -> Batch:
        return {"x": views.to_input(batch, is_train)["heatmaps"]}

    return Assembly(net, stage_config(config, "pose"), views.train_view, views.test_views, to_input, cross_entropy)


@dataclasses.dataclass(frozen=True)
class PoseStageSettings:
    """How the heatmaps of the pose stage are made, by the names of `models.layers.pose_views`."""

    input: str
    clip_len: int
    train_size: int
    test_size: int
    sigma: float
    num_test_clips: int = 1

    @classmethod
    def of(cls, config: TwoPathwayConfig) -> "PoseStageSettings":
        train_size, test_size = (config.heatmap_size(size) for size in (config.train_size, config.test_size))
        return cls(config.input, config.pose_frames, train_size, test_size, config.pose_sigma)


def block_of(network: TwoPathwayNet) -> type:
    return type(network.backbone.rgb_path.layer1[0])


# What a stage sees of the settings beside those of every training.
SEEN = {
    "rgb": (
        *("rgb_frames", "picture_size", "train_size", "test_size", "rgb_base", "rgb_blocks", "pool_stride"),
        *("colour", "static", "dropout", "pretrained", "weights_rgb"),
    ),
    "pose": (
        *("input", "rgb_frames", "speed_ratio", "train_size", "test_size", "pool_stride"),
        *("pose_base", "pose_blocks", "pose_sigma", "dropout", "weights_pose"),
    ),
}


def made_of(network: TwoPathwayNet, config: TwoPathwayConfig, stage: str) -> dict:
    """All that a stage depends on, as plain values: entries share the stages that are made of the same."""
    of_training = {field.name for field in dataclasses.fields(FitConfig)}
    settings = training_settings(stage_config(config, stage))
    seen = {key: value for key, value in settings.items() if key in of_training or key in SEEN[stage]}
    return {"block": block_of(network).__name__, **seen}
