"""RGBPose-Conv3D: agreement with the public network, the merge of two networks trained alone, learning by heart.

Run alone: python -m pytest tests/models/test_rgbpose.py
"""

import dataclasses
import json

import numpy as np
import pytest
import torch

from folds.make import main as make_folds
from miga.errors import InputError
from miga.paths import fold_checkpoint_dir
from models.layers.pathway_net import PathwayNet
from models.layers.pose_backbone import PoseBackbone
from models.layers.rgb_backbone import RGBBackbone
from models.layers.two_pathway_config import check_two_pathway_config, stage_config
from models.layers.two_pathway_net import both_cross_entropies, merge_pathways
from models.rgbpose.config import PROFILES
from models.rgbpose.model import RGBPoseConv3D
from models.rgbpose.train import main
from recordings import rgb_build
from tests.models.formula import fill_by_name, wave
from tests.tiny import tiny_clips, write_clips
from tests.tiny_rgb import filmed

SMALL = {"rgb_base": 8, "pose_base": 4, "rgb_blocks": (1, 1, 2, 1), "pose_blocks": (1, 2, 1)}
# Outputs of the public network (pyskl at 3f6795f257: RGBPoseConv3D and RGBPoseHead) in eval mode, filled by
# `fill_by_name` and fed with `formula_clip`. To renew: fill that network the same way and print the numbers.
GOLDEN = {
    "paper": {
        "arguments": {"pose_channels": 22, "num_classes": 32},
        "clip": (22, 2, 64, 16),
        "rgb": [0.205553, 0.0, 2.654917, 0.803486, 0.0],
        "pose": [0.277597, 2.4824, 0.591364, 0.61485, 0.494508],
        "logits_rgb": [-9.253879, 5.87411, 6.4133, -8.829791, -2.055275, 9.989439],
        "logits_pose": [0.525591, -0.607122, 0.881435, -0.680934, 0.47135, -0.273883],
    },
    "small, max-pool without stride": {
        "arguments": {
            **{"pose_channels": 17, "num_classes": 16, "rgb_base": 16, "pose_base": 8, "pool_stride": 1},
            **{"rgb_blocks": (1, 2, 2, 1), "pose_blocks": (1, 2, 1)},
        },
        "clip": (17, 3, 44, 22),
        "rgb": [0.110901, 2.743391, 1.159957, 1.117335, 0.0],
        "pose": [0.0, 0.130988, 1.050251, 0.219168, 0.537641],
        "logits_rgb": [-1.91227, 1.219678, -0.382947, -0.397415, 1.397758, -1.803663],
        "logits_pose": [-0.418849, -1.531926, -1.985565, -1.581935, -0.492788, 0.813291],
    },
}


def formula_clip(num_joints: int, frames: int, picture_size: int, heatmap_size: int):
    rgb = wave("rgb", (1, 3, frames, picture_size, picture_size)).float()
    return rgb, wave("clip", (1, num_joints, 4 * frames, heatmap_size, heatmap_size)).float().square()


@pytest.mark.parametrize("name", GOLDEN)
def test_agrees_with_the_public_network(name):
    golden = GOLDEN[name]
    net = RGBPoseConv3D(**golden["arguments"]).eval()
    fill_by_name(net)
    clip = formula_clip(*golden["clip"])
    with torch.no_grad():
        for features, path in zip(net.backbone(*clip), ("rgb", "pose"), strict=True):
            some = features.flatten()[:: features.numel() // 5][:5]
            torch.testing.assert_close(some, torch.tensor(golden[path]), rtol=0, atol=1e-4)
        output = net(*clip)
    for head in ("logits_rgb", "logits_pose"):
        torch.testing.assert_close(output[head][0, :6], torch.tensor(golden[head]), rtol=0, atol=1e-4)


def alone(net: RGBPoseConv3D) -> tuple[PathwayNet, PathwayNet]:
    rgb = PathwayNet(RGBBackbone(8, SMALL["rgb_blocks"]), 3).eval()
    pose = PathwayNet(PoseBackbone(5, 4, SMALL["pose_blocks"], (1, 1, 1)), 3).eval()
    fill_by_name(rgb)
    fill_by_name(pose)
    return rgb, pose


@pytest.mark.parametrize("laterals", [True, False])
def test_after_the_merge_each_pathway_gives_what_it_gave_alone(laterals):
    net = RGBPoseConv3D(5, 3, **SMALL, laterals=laterals).eval()
    fill_by_name(net)  # laterals at work: only the zeros can keep them out
    rgb_net, pose_net = alone(net)
    clip = formula_clip(5, 2, 32, 8)
    with torch.no_grad():
        before = net(*clip)
        merge_pathways(net, rgb_net, pose_net)
        merged, rgb, pose = net(*clip), rgb_net(clip[0]), pose_net(clip[1])
    torch.testing.assert_close(merged["logits_rgb"], rgb, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(merged["logits_pose"], pose, rtol=1e-5, atol=1e-6)
    assert (before["logits_rgb"] - rgb).abs().max() > 0.01  # nor did the network give this by itself


def test_after_the_merge_laterals_join_in_by_training():
    net = RGBPoseConv3D(5, 3, **SMALL)
    merge_pathways(net, *alone(net))
    both_cross_entropies(net(*formula_clip(5, 2, 32, 8)), torch.tensor([1])).backward()
    own = 8 * 8  # RGB channels at the first exchange
    assert net.backbone.rgb_path.layer3[0].conv1.conv.weight[:, own:].eq(0).all()
    assert net.backbone.rgb_path.layer3[0].conv1.conv.weight.grad[:, own:].abs().sum() > 0


def test_the_loss_is_that_of_both_classifiers():
    rgb, pose, labels = torch.randn(4, 3), torch.randn(4, 3), torch.tensor([0, 2, 1, 1])
    expected = -(rgb.softmax(1)[range(4), labels].log() + pose.softmax(1)[range(4), labels].log()).mean()
    torch.testing.assert_close(both_cross_entropies({"logits_rgb": rgb, "logits_pose": pose}, labels), expected)


def test_eight_clips_can_be_learnt_by_heart():
    torch.manual_seed(0)
    net = RGBPoseConv3D(4, 4, dropout=0.0, rgb_base=8, pose_base=8, rgb_blocks=(1,) * 4, pose_blocks=(1,) * 3)
    rgb, heatmaps, labels = torch.randn(8, 3, 2, 32, 32), torch.rand(8, 4, 8, 8, 8), torch.arange(8) % 4
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    for _ in range(20):
        loss = both_cross_entropies(net(rgb, heatmaps), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.2


def test_paper_profile_is_the_published_recipe():
    config = PROFILES["paper"]
    rgb, pose = stage_config(config, "rgb"), stage_config(config, "pose")
    assert (rgb.lr, rgb.lr_batch_size, rgb.weight_decay, rgb.epochs, rgb.milestones) == (0.15, 96, 1e-4, 180, ())
    assert (pose.lr, pose.lr_batch_size, pose.weight_decay, pose.epochs) == (0.2, 128, 3e-4, 180)
    assert (config.lr, config.lr_batch_size, config.milestones, config.epochs) == (0.0075, 48, (12, 16), 20)
    assert (config.pose_frames, config.heatmap_size(224), config.heatmap_size(256)) == (32, 56, 64)


def test_settings_that_do_not_fit_are_refused():
    for config in PROFILES.values():
        check_two_pathway_config(config)
    with pytest.raises(InputError, match=r"--input bone: expected joint or limb"):
        check_two_pathway_config(dataclasses.replace(PROFILES["paper"], input="bone"))
    with pytest.raises(InputError, match=r"pictures of 226 pixels: expected a multiple of 4"):
        check_two_pathway_config(dataclasses.replace(PROFILES["paper"], train_size=226))


@pytest.mark.parametrize("kind", ["joint", "limb"])
def test_the_command_trains_a_fold(workdir, monkeypatch, kind):
    monkeypatch.setattr(rgb_build, "NUM_PROCESSES", 1)
    write_clips(filmed(tiny_clips(), workdir / "videos"), "tiny")
    make_folds(["--run", "tiny", "--num-folds", "2"])
    assert PROFILES["smoke"].rgb_frames == PROFILES["demo"].rgb_frames == 2
    settings = ["--precision", PROFILES["demo"].precision, "--device", "cpu"]
    main(["--run", "tiny", "--profile", "smoke", "--jobs", "1", "--fold", "1", "--input", kind, *settings])
    folder = fold_checkpoint_dir("tiny", f"rgbpose_{kind}", 1)
    with np.load(folder / "predictions.npz", allow_pickle=False) as predictions:
        assert np.isfinite(predictions["logits"]).all() and predictions["test_logits"].shape == (6, 4)
    assert json.loads((folder / "fold.json").read_text())["number_format"] == "fp32"
    stem = torch.load(folder / "weights.pt", weights_only=True)["model"]["backbone.pose_path.conv1.conv.weight"]
    assert stem.shape[1] == {"joint": 22, "limb": 21}[kind]


def test_wrong_settings_stop_the_command_before_any_work(workdir):
    with pytest.raises(InputError, match=r"pictures of 33 pixels: expected a multiple of 4"):
        main(["--run", "tiny", "--profile", "smoke", "--test_size", "33"])
