"""The three training steps of a two-pathway network: their order, resuming, and what may stand in for a step.

Run alone: python -m pytest tests/models/test_three_steps.py
"""

import dataclasses

import numpy as np
import pytest
import torch

from datasets import rgb_build
from datasets.clips import load_clips
from datasets.errors import InputError
from datasets.rgb_store import build_rgb_store
from models.layers import three_steps
from models.layers.public_files import fitting_files
from models.layers.res2net3d import Res2NetBottleneck3d
from models.layers.three_steps import single_networks, start_rgb, train_three_steps
from models.layers.two_pathway_config import TwoPathwayConfig
from models.layers.two_pathway_net import TwoPathwayNet, both_cross_entropies
from tests.tiny import tiny_clips, write_clips
from tests.tiny_rgb import filmed
from training.folds import FoldJob

CONFIG = TwoPathwayConfig(
    epochs=1, batch_size=4, lr=0.02, rgb_frames=1, picture_size=16, train_size=16, test_size=16, pool_stride=1,
    rgb_base=4, pose_base=4, rgb_blocks=(1, 1, 1, 1), pose_blocks=(1, 1, 1), dropout=0.0,
    rgb_epochs=2, rgb_batch_size=4, rgb_lr_batch_size=32, pose_epochs=2, pose_batch_size=4, pose_lr_batch_size=32,
    num_test_clips=2,
)  # fmt: skip
TRAIN, PREDICT = np.arange(10), np.arange(12)  # rows; 1 has one frame, 2 has nobody in view


@pytest.fixture
def clips(workdir, monkeypatch):
    monkeypatch.setattr(rgb_build, "NUM_PROCESSES", 1)  # starting processes takes longer than these videos
    write_clips(filmed(tiny_clips(12, 2), workdir / "videos"), "tiny")
    build_rgb_store("tiny", CONFIG.picture_size)
    return load_clips("tiny", "track1")


def build(clips, config=CONFIG) -> TwoPathwayNet:
    torch.manual_seed(3)
    return TwoPathwayNet(clips.skeleton.num_joints, clips.num_classes, config.dropout, **config.trunk)


def train(clips, folder, loss_fn=None, **changes) -> np.ndarray:
    config = dataclasses.replace(CONFIG, **changes)
    job = FoldJob("entry", 0, "tiny", config, folder, {"fold": 0}, torch.device("cpu"))
    loss_fn = loss_fn or (lambda output, batch, epoch: both_cross_entropies(output, batch["label"]))
    return train_three_steps(build(clips, config), loss_fn, clips, TRAIN, PREDICT, job)


def test_a_fold_killed_between_or_within_steps_ends_with_the_same_bytes(clips, workdir, monkeypatch):
    straight = train(clips, workdir / "straight")
    assert straight.shape == (12, 4) and straight.dtype == np.float32
    assert np.isfinite(straight).all()  # the one-frame clip and the jointless clip too
    assert np.ptp(straight, axis=0).max() > 1e-3  # clips are told apart
    for step in ("", "rgb", "pose"):
        assert (workdir / "straight" / step / "weights.pt").exists()

    def killed(*args, fit_fold=three_steps.fit_fold, **kwargs):
        if kwargs.get("step") == "pose":
            raise KeyboardInterrupt
        return fit_fold(*args, **kwargs)

    def killed_in_step_3(output, batch, epoch):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(three_steps, "fit_fold", killed)
        train(clips, workdir / "killed")
    with pytest.raises(KeyboardInterrupt):
        train(clips, workdir / "killed", loss_fn=killed_in_step_3)
    before = (workdir / "killed" / "rgb" / "weights.pt").stat().st_mtime_ns
    np.testing.assert_array_equal(train(clips, workdir / "killed"), straight)
    assert (workdir / "killed" / "rgb" / "weights.pt").stat().st_mtime_ns == before


def test_weights_of_the_whole_network_lead_straight_to_step_3(clips, workdir):
    train(clips, workdir / "first")
    weights = str(workdir / "first" / "weights.pt")
    kept = train(clips, workdir / "again", weights=weights, lr=0.0)
    assert not (workdir / "again" / "rgb").exists() and not (workdir / "again" / "pose").exists()
    state = torch.load(weights, weights_only=True)["model"]
    for key, tensor in torch.load(workdir / "again" / "weights.pt", weights_only=True)["model"].items():
        if not key.endswith(("running_mean", "running_var", "num_batches_tracked")):
            assert torch.equal(tensor, state[key])
    table = clips.table.assign(label=0)
    fewer = dataclasses.replace(clips, classes=clips.classes[:2], table=table, mirror=np.arange(2))
    assert train(fewer, workdir / "part", weights=weights).shape == (12, 2)
    assert kept.shape == (12, 4)


def test_checkpoints_of_one_pathway_start_its_step(clips, workdir):
    nets = single_networks(build(clips), 9, CONFIG)  # of another data set
    for net, name in zip(nets, ("rgb", "pose"), strict=True):
        torch.save({"state_dict": net.state_dict()}, workdir / f"{name}.pth")
    files = {"weights_rgb": str(workdir / "rgb.pth"), "weights_pose": str(workdir / "pose.pth")}
    train(clips, workdir / "still", **files, rgb_lr=0.0, pose_lr=0.0)
    train(clips, workdir / "fold", **files)
    for net, step in zip(nets, ("rgb", "pose"), strict=True):
        still, trained = (
            torch.load(workdir / fold / step / "weights.pt", weights_only=True)["model"] for fold in ("still", "fold")
        )
        assert torch.equal(still["backbone.conv1.conv.weight"], net.backbone.conv1.conv.weight)
        for key in ("backbone.conv1.conv.weight", "cls_head.fc_cls.weight"):
            assert not torch.equal(still[key], trained[key])
    fits = "takes a SlowOnly-R50 on pictures of pyskl or mmaction2, or a 2D ResNet-50 of timm or torchvision"
    with pytest.raises(InputError, match=f"expected at least 50%.*{fits}"):
        train(clips, workdir / "swapped", weights_rgb=files["weights_pose"])


def test_a_pathway_of_res2net_says_what_fits_it(clips):
    slowonly, _ = single_networks(build(clips), 9, CONFIG)
    torch.save({"state_dict": slowonly.state_dict()}, "slowonly.pth")
    network = TwoPathwayNet(22, 4, block=Res2NetBottleneck3d, **CONFIG.trunk)
    rgb_net, _ = single_networks(network, 4, CONFIG)
    config = dataclasses.replace(CONFIG, weights_rgb="slowonly.pth")
    with pytest.raises(InputError, match=r"slowonly\.pth: only .*a 2D Res2Net-50 26w x 4s of timm"):
        start_rgb(rgb_net, config, fitting_files(network, "rgb"))


def test_only_step_3_can_be_kept_to_the_classifiers(clips, workdir):
    train(clips, workdir / "fold", heads_only=True)
    states = {
        step: torch.load(workdir / "fold" / step / "weights.pt", weights_only=True)["model"] for step in ("", "pose")
    }
    _, started = single_networks(build(clips), clips.num_classes, CONFIG)  # the same draw of first weights
    assert not torch.equal(states["pose"]["backbone.conv1.conv.weight"], started.backbone.conv1.conv.weight)
    stem = "backbone.pose_path.conv1.conv.weight"
    assert torch.equal(states[""][stem], states["pose"]["backbone.conv1.conv.weight"])
    assert not torch.equal(states[""]["cls_head.fc_pose.weight"], states["pose"]["cls_head.fc_cls.weight"])


def test_a_start_for_step_1_is_taken(clips, workdir):
    rgb_net, _ = single_networks(build(clips), clips.num_classes, CONFIG)
    torch.save(rgb_net.state_dict(), workdir / "kinetics.pth")
    train(clips, workdir / "fold", pretrained=str(workdir / "kinetics.pth"), rgb_lr=0.0)
    started = torch.load(workdir / "fold" / "rgb" / "weights.pt", weights_only=True)["model"]
    assert torch.equal(started["backbone.conv1.conv.weight"], rgb_net.backbone.conv1.conv.weight)


@pytest.mark.parametrize("views", [1, 5, 10, 15])
def test_every_number_of_test_clips_gives_that_many_views(clips, workdir, monkeypatch, views):
    seen = []

    def forward(self, rgb, heatmaps):
        seen.append(len(rgb))
        return {"logits": torch.zeros(len(rgb), 4)}

    def trained(network, *args, **kwargs):
        return network.eval()

    monkeypatch.setattr(TwoPathwayNet, "forward", forward)
    monkeypatch.setattr(three_steps, "fit_fold", trained)
    train(clips, workdir / "fold", num_test_clips=views, test_batch_size=1)
    assert seen == [views] * len(PREDICT)


def test_single_networks_have_the_sizes_of_their_pathways(clips):
    network = build(clips)
    rgb_net, pose_net = single_networks(network, clips.num_classes, CONFIG)
    for net, path in ((rgb_net, network.backbone.rgb_path), (pose_net, network.backbone.pose_path)):
        names = {name for name in path.state_dict() if "lateral" not in name}
        assert set(net.backbone.state_dict()) == names
        assert type(net.backbone.layer1[0]) is type(path.layer1[0])
