"""One fold of any network on two pathways: each pathway alone, then both merged.

    step 1   the RGB pathway alone               <fold>/rgb/
    step 2   the pose pathway alone              <fold>/pose/
    step 3   merged with zeros for the laterals' channels, then trained together        <fold>/

Every step resumes by itself, and can start from a checkpoint of its pathway; one of the whole network leads straight
to step 3.
Source: PoseConv3D (arXiv 2104.13586), section 3.4; pyskl, configs/rgbpose_conv3d/README.md.
"""

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from datasets.clips import Clips
from datasets.rgb_store import RgbStore, open_rgb_store
from models.layers.inflate import start_from_pictures
from models.layers.pathway_net import PathwayNet
from models.layers.pose_backbone import PoseBackbone
from models.layers.public_files import fitting_files
from models.layers.rgb_backbone import RGBBackbone
from models.layers.two_pathway_config import TwoPathwayConfig, step_config
from models.layers.two_pathway_net import TwoPathwayNet, merge_pathways
from training.dataset import Sample, TrainRows
from training.fit import Batch
from training.fold import fit_fold, predict_fold
from training.folds import FoldJob
from training.weights import load_weights
from transforms.heatmap_input import heatmap_input, stem_map
from transforms.pose_clip import PoseClipTransform
from transforms.rgb_clip import RgbClipTransform, normalise
from transforms.rgb_pose_clip import RgbPoseClipTransform

Prepare = Callable[[Batch], Batch]
Loss = Callable[[object, Batch, int], torch.Tensor]


def train_three_steps(
    network: TwoPathwayNet, loss_fn: Loss, clips: Clips, train_rows: TrainRows, predict_rows: np.ndarray, job: FoldJob
) -> np.ndarray:
    """Train `network` on `train_rows` by the three steps; return the logits (len(predict_rows), K) of `predict_rows`.

    With `config.weights` the network starts from that file and the first two steps are left out.

    Args:
        network: as it was built; its pathways tell the first two steps what to train.
        loss_fn: of step 3, as `fit` takes it; the first two steps minimise the cross entropy.
    """
    config: TwoPathwayConfig = job.config
    store = open_rgb_store(job.run, config.picture_size)
    transform = RgbPoseClipTransform(
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

    def sample_clip(row: int, rng: np.random.Generator) -> Sample:
        return transform.train_view(store, row, clips.joints_of(row), rng)

    def sample_views(row: int) -> Sample:
        return transform.test_views(store, row, clips.joints_of(row))

    if config.weights:
        fits = fitting_files(network, "whole")
        load_weights(network, config.weights, stem_map=stem_map(clips.skeleton, config.input), fits=fits)
    else:
        # Both are built before either is trained: training moves the generator that new weights are drawn from.
        rgb_net, pose_net = single_networks(network, clips.num_classes, config)
        start_rgb(rgb_net, config, fitting_files(network, "rgb"))
        rgb_net = _rgb_step(rgb_net, store, clips, train_rows, job)
        if config.weights_pose:
            fits = fitting_files(network, "pose")
            load_weights(pose_net, config.weights_pose, stem_map=stem_map(clips.skeleton, config.input), fits=fits)
        pose_net = _pose_step(pose_net, clips, train_rows, job)
        merge_pathways(network, rgb_net, pose_net)
    prepare = _both_inputs(clips, config, config.train_size)
    network = fit_fold(network, clips, train_rows, job, sample_clip, prepare=prepare, loss_fn=loss_fn)
    prepare = _both_inputs(clips, config, config.test_size)
    return predict_fold(network, clips, predict_rows, job, sample_views, prepare=prepare)


def single_networks(
    network: TwoPathwayNet, num_classes: int, config: TwoPathwayConfig
) -> tuple[PathwayNet, PathwayNet]:
    """New networks of the RGB pathway alone and of the pose pathway alone, of the sizes that they have in `network`."""
    pose_channels = network.backbone.pose_path.conv1.conv.in_channels
    block = type(network.backbone.rgb_path.layer1[0])
    rgb = RGBBackbone(config.rgb_base, tuple(config.rgb_blocks), config.pool_stride, block=block)
    pose = PoseBackbone(pose_channels, config.pose_base, tuple(config.pose_blocks), (1, 1, 1), block=block)
    return PathwayNet(rgb, num_classes, config.dropout), PathwayNet(pose, num_classes, config.dropout)


def start_rgb(net: PathwayNet, config: TwoPathwayConfig, fits: str) -> None:
    """Start step 1 from a file, else from what `pretrained` names, else leave it as it was drawn."""
    source = config.weights_rgb or config.pretrained
    if source != "none":
        start_from_pictures(net, source, fits)


def _rgb_step(net: PathwayNet, store: RgbStore, clips: Clips, train_rows: TrainRows, job: FoldJob) -> nn.Module:
    """Step 1: pictures alone."""
    config: TwoPathwayConfig = job.config
    transform = RgbClipTransform(
        clip_len=config.rgb_frames,
        full_size=config.test_size,
        crop_size=config.train_size,
        num_clips=1,
        flip_views=False,
        flip_train=clips.may_mirror,
        colour=config.colour,
    )
    num_frames = clips.table.num_frames.to_numpy()

    def sample_clip(row: int, rng: np.random.Generator) -> Sample:
        return transform.train_view(store, row, int(num_frames[row]), rng)

    return fit_fold(
        net,
        clips,
        train_rows,
        job,
        sample_clip,
        prepare=lambda batch: {"x": normalise(batch["rgb"], config.static)},
        loss_fn=_cross_entropy,
        config=step_config(config, "rgb"),
        step="rgb",
    )


def _pose_step(net: PathwayNet, clips: Clips, train_rows: TrainRows, job: FoldJob) -> nn.Module:
    """Step 2: heatmaps alone, as many frames as the pose pathway has in step 3."""
    config: TwoPathwayConfig = job.config
    size = config.heatmap_size(config.train_size)
    transform = PoseClipTransform(
        clips.skeleton.flip_index,
        clip_len=config.pose_frames,
        full_size=config.heatmap_size(config.test_size),
        crop_size=size,
        flip_train=clips.may_mirror,
    )
    image_sizes = clips.table[["height", "width"]].to_numpy()
    draw = heatmap_input(clips.skeleton, config.input, size, config.pose_sigma)

    def sample_clip(row: int, rng: np.random.Generator) -> Sample:
        return transform.train_view(clips.joints_of(row), tuple(image_sizes[row]), rng)

    return fit_fold(
        net,
        clips,
        train_rows,
        job,
        sample_clip,
        prepare=lambda batch: {"x": draw(batch)["heatmaps"]},
        loss_fn=_cross_entropy,
        config=step_config(config, "pose"),
        step="pose",
    )


def _cross_entropy(logits: torch.Tensor, batch: Batch, epoch: int) -> torch.Tensor:
    return F.cross_entropy(logits.float(), batch["label"])


def _both_inputs(clips: Clips, config: TwoPathwayConfig, picture_size: int) -> Prepare:
    """A function from a batch of `RgbPoseClipTransform` to the arguments of `TwoPathwayNet.forward`."""
    draw = heatmap_input(clips.skeleton, config.input, config.heatmap_size(picture_size), config.sigma)

    def prepare(batch: Batch) -> Batch:
        return {"rgb": normalise(batch["rgb"], config.static), **draw(batch)}

    return prepare
