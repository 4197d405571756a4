"""M3CN: the Res2Net block against a slow plain version, published sizes, inflation of ImageNet networks.

Run alone: python -m pytest tests/models/test_m3cn.py
"""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import miga.training.torchvision_schemas  # noqa: F401, must come before timm

# isort: split
import timm
from timm.models.res2net import Bottle2neck
from timm.models.resnet import Bottleneck, ResNet

from folds.make import main as make_folds
from miga.errors import InputError
from miga.paths import oof_npz
from models.layers import inflate
from models.layers.bottleneck3d import Bottleneck3d
from models.layers.inflate import start_from_pictures
from models.layers.pathway_net import PathwayNet
from models.layers.res2net3d import Res2NetBottleneck3d
from models.layers.rgb_backbone import RGBBackbone
from models.layers.two_pathway_net import both_cross_entropies
from models.m3cn.model import M3CN
from models.m3cn.train import main
from oof.artifacts import read_oof
from recordings import rgb_build
from tests.models.formula import fill_by_name
from tests.tiny import tiny_clips, write_clips
from tests.tiny_rgb import filmed


@pytest.mark.parametrize(("joints", "millions"), [(17, 41.951), (22, 41.958)])
def test_published_number_of_parameters(joints, millions):
    with torch.device("meta"):
        net = M3CN(joints, 32)
    assert round(sum(p.numel() for p in net.parameters()) / 1e6, 3) == millions


@pytest.mark.parametrize(("block", "millions"), [(Bottleneck3d, 31.634), (Res2NetBottleneck3d, 36.856)])
def test_rgb_pathway_alone_has_the_published_number_of_parameters(block, millions):
    with torch.device("meta"):
        backbone = RGBBackbone(block=block)
    assert round(sum(p.numel() for p in backbone.parameters()) / 1e6, 3) == millions


def test_splits_are_26_channels_wide_for_64_planes():
    widths = {planes: Res2NetBottleneck3d(8, planes).conv2.width for planes in (4, 32, 64, 128, 512)}
    assert widths == {4: 1, 32: 13, 64: 26, 128: 52, 512: 208}


@pytest.mark.parametrize("is_first", [True, False])
def test_the_block_is_that_of_the_paper(is_first):
    """Against the equation written out, with the passed-through split last and no sums in a stage's first block."""
    torch.manual_seed(0)
    stride = (1, 2) if is_first else (1, 1)
    block = Res2NetBottleneck3d(32, 8, stride, temporal=True, shortcut=is_first).eval()  # 3 channels a split
    fill_by_name(block)
    x = torch.randn(2, 32, 4, 6, 6)

    def norm(y, bn):
        return F.batch_norm(y, bn.running_mean, bn.running_var, bn.weight, bn.bias)

    def convolve(i, y):
        y = F.conv3d(y, block.conv2.branches[i].conv.weight, stride=(1, stride[1], stride[1]), padding=(0, 1, 1))
        return norm(y, block.conv2.branches[i].bn).relu()

    with torch.no_grad():
        inner = norm(F.conv3d(x, block.conv1.conv.weight, padding=(1, 0, 0)), block.conv1.bn).relu()
        x1, x2, x3, x4 = inner.split(3, dim=1)
        if is_first:
            y1, y2, y3 = convolve(0, x1), convolve(1, x2), convolve(2, x3)
            padded = F.pad(x4, (1, 1, 1, 1))
            y4 = sum(padded[..., i : i + 6 : 2, j : j + 6 : 2] for i in range(3) for j in range(3)) / 9
            shortcut = norm(F.conv3d(x, block.downsample.conv.weight, stride=(1, 2, 2)), block.downsample.bn)
        else:
            y1 = convolve(0, x1)
            y2 = convolve(1, x2 + y1)
            y3, y4, shortcut = convolve(2, x3 + y2), x4, x
        joined = torch.cat((y1, y2, y3, y4), dim=1)
        expected = (norm(F.conv3d(joined, block.conv3.conv.weight), block.conv3.bn) + shortcut).relu()
        torch.testing.assert_close(block(x), expected, rtol=1e-5, atol=1e-5)


def filled_2d(network: torch.nn.Module) -> torch.nn.Module:
    """Weights, norms and their averages all at work."""
    torch.manual_seed(0)
    with torch.no_grad():
        for key, tensor in network.state_dict().items():
            if key.endswith("running_var"):
                tensor.uniform_(0.5, 1.5)
            elif key.endswith(("running_mean", "bias")):
                tensor.normal_(0, 0.1)
            elif tensor.ndim > 1:
                tensor.normal_(0, math.sqrt(2 / tensor[0].numel()))
            elif tensor.is_floating_point():
                tensor.uniform_(0.7, 1.3)
    return network.eval()


@pytest.mark.parametrize("name", ["res2net50_26w_4s", "small resnet"])
def test_an_inflated_network_sees_in_a_still_video_what_the_2d_one_sees_in_the_picture(name, tmp_path):
    """In the middle frame, whose features no padding in time has reached."""
    if name == "res2net50_26w_4s":
        flat, block, blocks, base = timm.create_model(name), Res2NetBottleneck3d, (3, 4, 6, 3), 64
    else:
        flat = ResNet(Bottleneck, [1, 1, 2, 1], num_classes=5)
        block, blocks, base = Bottleneck3d, (1, 1, 2, 1), 64
    filled_2d(flat)
    torch.save({"state_dict": flat.state_dict()}, tmp_path / "flat.pth")
    net = PathwayNet(RGBBackbone(base, blocks, block=block), 5).eval()
    report = start_from_pictures(net, str(tmp_path / "flat.pth"))
    assert set(report.missing) == {"cls_head.fc_cls.weight", "cls_head.fc_cls.bias"}
    assert set(report.unexpected) == {"backbone.fc.weight", "backbone.fc.bias"} and not report.reshaped
    reach = blocks[2] + blocks[3]  # every block of the last two stages sees one frame further
    picture = torch.randn(1, 3, 32, 32)
    with torch.no_grad():
        video = picture.unsqueeze(2).expand(-1, -1, 2 * reach + 1, -1, -1)
        middle, expected = net.backbone(video)[:, :, reach], flat.forward_features(picture)
    torch.testing.assert_close(middle, expected, rtol=1e-3, atol=1e-4 * expected.abs().max().item())


def test_imagenet_weights_are_asked_for_by_the_block(monkeypatch):
    flats = {
        "res2net50_26w_4s.in1k": ResNet(Bottle2neck, [1, 1, 1, 1], base_width=26, block_args={"scale": 4}),
        "resnet50.tv_in1k": ResNet(Bottleneck, [1, 1, 1, 1]),
    }
    monkeypatch.setattr(inflate, "imagenet_tensors", lambda name, option: filled_2d(flats[name]).state_dict())
    for name, block in (("res2net50_26w_4s.in1k", Res2NetBottleneck3d), ("resnet50.tv_in1k", Bottleneck3d)):
        net = PathwayNet(RGBBackbone(64, (1, 1, 1, 1), block=block), 3)
        assert start_from_pictures(net, "imagenet").share > 0.99
        assert torch.equal(net.backbone.conv1.conv.weight[:, :, 0], flats[name].conv1.weight)


def test_a_2d_network_with_other_blocks_is_refused(tmp_path):
    flat = ResNet(Bottleneck, [1, 1, 1, 1])
    torch.save(flat.state_dict(), tmp_path / "flat.pth")
    with pytest.raises(InputError, match=r"are in this file, expected at least 50%"):
        start_from_pictures(PathwayNet(RGBBackbone(8, (1, 1, 1, 1)), 3), str(tmp_path / "flat.pth"))


def small_m3cn(**changes) -> M3CN:
    torch.manual_seed(0)
    return M3CN(4, 4, 0.0, rgb_base=8, pose_base=8, rgb_blocks=(1, 1, 1, 2), pose_blocks=(1, 2, 1), **changes)


def test_batch_mates_do_not_change_the_logits():
    net = small_m3cn().eval()
    fill_by_name(net)
    rgb, heatmaps = torch.randn(3, 3, 2, 32, 32), torch.rand(3, 4, 8, 8, 8)
    with torch.no_grad():
        alone = torch.cat([net(rgb[i : i + 1], heatmaps[i : i + 1])["logits"] for i in range(3)])
        torch.testing.assert_close(net(rgb, heatmaps)["logits"], alone, rtol=1e-4, atol=1e-5)


def test_eight_clips_can_be_learnt_by_heart():
    net = small_m3cn()
    rgb, heatmaps, labels = torch.randn(8, 3, 2, 32, 32), torch.rand(8, 4, 8, 8, 8), torch.arange(8) % 4
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    for _ in range(20):
        loss = both_cross_entropies(net(rgb, heatmaps), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.2


def test_the_command_writes_the_entry(workdir, monkeypatch):
    monkeypatch.setattr(rgb_build, "NUM_PROCESSES", 1)
    write_clips(filmed(tiny_clips(), workdir / "videos"), "tiny")
    make_folds(["--run", "tiny", "--num-folds", "2"])
    main(["--run", "tiny", "--profile", "smoke", "--jobs", "1"])
    oof = read_oof(oof_npz("tiny", "m3cn"))
    assert oof.logits.shape == (24, 4) and np.isfinite(oof.logits).all()
    assert oof.test_logits.shape == (2, 6, 4) and np.isfinite(oof.test_logits).all()
