"""The two-pathway trunk: published shapes and sizes, the exchanges, and what the pathways see of each other.

Run alone: python -m pytest tests/models/test_two_pathway.py
"""

import pytest
import torch
from torch import nn

from miga.errors import InputError
from models.layers.pathway_net import PathwayNet
from models.layers.two_pathway import TwoPathwayBackbone, heatmap_size
from models.layers.two_pathway_net import TwoPathwayNet, mean_log_probs

SMALL = {"rgb_base": 8, "pose_base": 4, "rgb_blocks": (1, 1, 1, 1), "pose_blocks": (1, 1, 1)}


def small_net(**changes) -> TwoPathwayNet:
    """A small network in eval mode whose weights, norms included, are all at work."""
    torch.manual_seed(0)
    net = TwoPathwayNet(5, 3, dropout=0.0, **{**SMALL, **changes}).eval()
    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, nn.BatchNorm3d):
                module.weight.uniform_(0.5, 1.5)
                module.running_mean.uniform_(-0.1, 0.1)
    return net


def small_clips(batch: int = 2, size: int = 64) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.randn(batch, 3, 2, size, size), torch.rand(batch, 5, 8, size // 4, size // 4)


@pytest.mark.parametrize(("joints", "millions"), [(17, 36.076), (22, 36.084)])
def test_published_number_of_parameters(joints, millions):
    with torch.device("meta"):
        net = TwoPathwayNet(joints, 32)
    assert round(sum(p.numel() for p in net.parameters()) / 1e6, 3) == millions


def test_features_have_the_published_shapes():
    seen = []

    class Look(nn.Module):
        def forward(self, rgb, pose):
            seen.append((tuple(rgb.shape), tuple(pose.shape)))
            return rgb, pose

    with torch.device("meta"):
        backbone = TwoPathwayBackbone(17, fusions=[Look(), Look()]).eval()
        rgb, pose = backbone(torch.empty(1, 3, 8, 224, 224), torch.empty(1, 17, 32, 56, 56))
    assert seen == [
        ((1, 512, 8, 28, 28), (1, 128, 32, 28, 28)),
        ((1, 1024, 8, 14, 14), (1, 256, 32, 14, 14)),
    ]
    assert rgb.shape == (1, 2048, 8, 7, 7) and pose.shape == (1, 512, 32, 7, 7)


def test_key_layout_is_that_of_public_checkpoints():
    with torch.device("meta"):
        keys = set(TwoPathwayNet(17, 60).state_dict())
    batch_norm = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    expected = {f"cls_head.fc_{path}.{name}" for path in ("rgb", "pose") for name in ("weight", "bias")}
    expected |= {f"backbone.rgb_path.layer{s}_lateral.conv.weight" for s in (2, 3)}
    wrappers = ["rgb_path.conv1", "pose_path.conv1", "pose_path.layer1_lateral", "pose_path.layer2_lateral"]
    for path, blocks in (("rgb_path", (3, 4, 6, 3)), ("pose_path", (4, 6, 3))):
        for stage, num_blocks in enumerate(blocks, start=1):
            wrappers += [f"{path}.layer{stage}.{b}.conv{c}" for b in range(num_blocks) for c in (1, 2, 3)]
            wrappers.append(f"{path}.layer{stage}.0.downsample")
    for wrapper in wrappers:
        expected |= {f"backbone.{wrapper}.conv.weight"} | {f"backbone.{wrapper}.bn.{name}" for name in batch_norm}
    assert keys == expected


@pytest.mark.parametrize("size", [32, 36, 44, 56, 64, 100])
@pytest.mark.parametrize("pool_stride", [1, 2])
def test_every_allowed_picture_size_meets_its_heatmaps(size, pool_stride):
    net = small_net(pool_stride=pool_stride)
    side = heatmap_size(size, pool_stride)
    with torch.no_grad():
        rgb, pose = net.backbone(torch.randn(1, 3, 2, size, size), torch.rand(1, 5, 8, side, side))
    assert rgb.shape[3:] == pose.shape[3:] and pose.shape[2] == 4 * rgb.shape[2]


def test_other_sizes_are_refused():
    with pytest.raises(InputError, match=r"pictures of 58 pixels: expected a multiple of 4.*choose 56"):
        heatmap_size(58)
    with pytest.raises(InputError, match=r"expected a multiple of 4.*choose 4"):
        heatmap_size(0)
    rgb, heatmaps = small_clips()
    with pytest.raises(ValueError, match=r"need heatmaps of \(8, 16.0, 16.0\), got \(7, 16, 16\)"):
        small_net()(rgb, heatmaps[:, :, :7])
    with pytest.raises(ValueError, match=r"got \(8, 15, 16\)"):
        small_net()(rgb, heatmaps[:, :, :, :15])


def test_laterals_carry_each_pathway_into_the_other_and_can_be_off():
    rgb, heatmaps = small_clips()
    for laterals in (True, False):
        net = small_net(laterals=laterals)
        with torch.no_grad():
            plain = net(rgb, heatmaps)
            other_pose, other_rgb = net(rgb, heatmaps.flip(3)), net(rgb.flip(3), heatmaps)
        assert torch.equal(plain["logits_rgb"], other_pose["logits_rgb"]) is not laterals
        assert torch.equal(plain["logits_pose"], other_rgb["logits_pose"]) is not laterals
    assert not any("lateral" in key for key in net.state_dict())


def test_gradients_stop_at_detached_laterals():
    rgb, heatmaps = small_clips()
    for detached in (False, True):
        net = small_net(detach_laterals=detached)
        net(rgb, heatmaps)["logits_rgb"].sum().backward()
        assert net.backbone.rgb_path.layer2_lateral.conv.weight.grad.abs().sum() > 0
        assert (net.backbone.pose_path.conv1.conv.weight.grad is None) is detached


def test_a_dropped_lateral_is_zero_in_training_and_never_in_eval():
    rgb, heatmaps = small_clips()
    net = small_net(lateral_drop=1.0)
    with torch.no_grad():
        assert not torch.equal(net(rgb, heatmaps)["logits_rgb"], net(rgb, heatmaps.flip(3))["logits_rgb"])
        net.train()
        assert torch.equal(net(rgb, heatmaps)["logits_rgb"], net(rgb, heatmaps.flip(3))["logits_rgb"])
        assert torch.equal(net(rgb, heatmaps)["logits_pose"], net(rgb.flip(3), heatmaps)["logits_pose"])


def test_a_fusion_changes_own_features_while_laterals_read_them_before():
    class Silence(nn.Module):
        def forward(self, rgb, pose):
            return rgb * 0, pose

    rgb, heatmaps = small_clips()
    plain, silent = small_net(), small_net(fusions=[Silence(), Silence()])
    with torch.no_grad():
        exchanged = plain.backbone._exchange(0, *_exchange_features(plain, rgb, heatmaps), False, False)
        changed = silent.backbone._exchange(0, *_exchange_features(silent, rgb, heatmaps), False, False)
    own = 8 * 8  # RGB channels at the first exchange
    assert changed[0][:, :own].abs().sum() == 0 and exchanged[0][:, :own].abs().sum() > 0
    assert torch.equal(changed[0][:, own:], exchanged[0][:, own:])
    assert torch.equal(changed[1], exchanged[1])  # the pose pathway's lateral still reads the RGB features
    with pytest.raises(ValueError, match="one for each of the 2 exchanges, got 1"):
        small_net(fusions=[nn.Identity()])


def _exchange_features(net, rgb, heatmaps):
    paths = net.backbone.rgb_path, net.backbone.pose_path
    return paths[0].layer2(paths[0].layer1(paths[0].stem(rgb))), paths[1].layer1(paths[1].stem(heatmaps))


def test_batch_mates_and_memory_format_do_not_change_the_logits():
    net, (rgb, heatmaps) = small_net(), small_clips(3)
    with torch.no_grad():
        together = net(rgb, heatmaps)["logits"]
        alone = torch.cat([net(rgb[i : i + 1], heatmaps[i : i + 1])["logits"] for i in range(3)])
        net = net.to(memory_format=torch.channels_last_3d)
        channels_last = net(rgb.contiguous(memory_format=torch.channels_last_3d), heatmaps)["logits"]
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(together, channels_last, rtol=1e-4, atol=1e-5)


def test_logits_are_the_mean_probability_of_both_pathways():
    rgb, pose = 50 * torch.randn(4, 6), torch.randn(4, 6)
    mean = (rgb.double().softmax(1) + pose.double().softmax(1)) / 2
    torch.testing.assert_close(mean_log_probs(rgb, pose).double().exp(), mean, rtol=1e-5, atol=1e-7)


def test_a_new_network_starts_as_its_shortcuts_with_small_classifiers():
    torch.manual_seed(0)
    net = TwoPathwayNet(5, 30, rgb_base=16, pose_base=8)
    last_norms = [module for name, module in net.named_modules() if name.endswith("conv3.bn")]
    assert len(last_norms) == 16 + 13 and all(norm.weight.eq(0).all() for norm in last_norms)
    assert net.cls_head.fc_rgb.weight.std().item() == pytest.approx(0.01, rel=0.05)
    assert PathwayNet(net.backbone.rgb_path, 30).cls_head.fc_cls.weight.std().item() == pytest.approx(0.01, rel=0.05)
