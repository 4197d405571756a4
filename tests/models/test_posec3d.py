"""PoseC3D: published sizes, agreement with the public network, and independence of batch-mates.

Run alone: python -m pytest tests/models/test_posec3d.py
"""

import math

import pytest
import torch

from models.layers.bottleneck3d import Bottleneck3d
from models.posec3d.model import PoseC3D
from tests.models.formula import fill_by_name, wave

# Outputs of the public PoseC3D (pyskl at 3f6795f257: ResNet3dSlowOnly and I3DHead) in eval mode,
# filled by `fill_by_name` and fed with `formula_clip`. To renew: fill that network the same way and print the numbers.
GOLDEN = {
    "joint-463": (
        {"in_channels": 22, "num_classes": 32},
        [4.041884, 0.128111, 0.279548, 0.295864, 0.321579],
        [7.68336, -5.898121, 2.918438, 0.423381, -4.007578, 6.522747],
    ),
    "stride-1-346": (
        {"in_channels": 17, "num_classes": 16, "blocks": (3, 4, 6), "temporal_strides": (1, 1, 1)},
        [0.0, 0.0, 0.559982, 0.486888, 1.319839],
        [2.197117, -1.305696, 0.143929, 0.821685, -1.949528, 2.422468],
    ),
}


def formula_clip(num_joints: int) -> torch.Tensor:
    return wave("clip", (1, num_joints, 8, 32, 32)).float().square()


@pytest.mark.parametrize("name", GOLDEN)
def test_agrees_with_the_public_network(name):
    arguments, features, logits = GOLDEN[name]
    model = PoseC3D(**arguments).eval()
    fill_by_name(model)
    with torch.no_grad():
        clip = formula_clip(arguments["in_channels"])
        volume = model.backbone(clip)
        torch.testing.assert_close(
            volume.flatten()[:: volume.numel() // 5][:5], torch.tensor(features), rtol=0, atol=1e-4
        )
        torch.testing.assert_close(model(clip)[0, :6], torch.tensor(logits), rtol=0, atol=1e-4)


@pytest.mark.parametrize(("num_joints", "millions"), [(17, 1.994), (22, 2.002)])
def test_backbone_has_the_published_number_of_parameters(num_joints, millions):
    model = PoseC3D(num_joints, num_classes=32)
    assert round(sum(p.numel() for p in model.backbone.parameters()) / 1e6, 3) == millions


def test_features_have_the_published_shape():
    model = PoseC3D(22, num_classes=32).eval()
    with torch.no_grad():
        clip = torch.rand(1, 22, 48, 56, 56)
        assert model.backbone(clip).shape == (1, 512, 24, 7, 7)


def test_key_layout_is_that_of_public_checkpoints():
    keys = set(PoseC3D(17, num_classes=60).state_dict())
    batch_norm = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    expected = {"cls_head.fc_cls.weight", "cls_head.fc_cls.bias"}
    wrappers = ["conv1"]
    for stage, num_blocks in enumerate((4, 6, 3), start=1):
        wrappers += [f"layer{stage}.{b}.conv{c}" for b in range(num_blocks) for c in (1, 2, 3)]
        wrappers.append(f"layer{stage}.0.downsample")
    for wrapper in wrappers:
        expected |= {f"backbone.{wrapper}.conv.weight"} | {f"backbone.{wrapper}.bn.{name}" for name in batch_norm}
    assert keys == expected


def test_kernels_and_strides_sit_where_the_design_says():
    model = PoseC3D(17, num_classes=60)
    for stage, (temporal, stride_t) in enumerate([(False, 1), (True, 1), (True, 2)], start=1):
        first = model.backbone.get_submodule(f"layer{stage}.0")
        assert first.conv1.conv.kernel_size == ((3, 1, 1) if temporal else (1, 1, 1))
        assert first.conv2.conv.kernel_size == (1, 3, 3)
        assert first.conv1.conv.stride == first.conv3.conv.stride == (1, 1, 1)
        assert first.conv2.conv.stride == first.downsample.conv.stride == (stride_t, 2, 2)


def test_a_new_network_starts_as_its_shortcuts():
    torch.manual_seed(0)
    model = PoseC3D(17, num_classes=60)
    blocks = [module for module in model.modules() if isinstance(module, Bottleneck3d)]
    assert len(blocks) == 13
    assert all(block.conv3.bn.weight.eq(0).all() for block in blocks)
    assert model.cls_head.fc_cls.weight.std().item() == pytest.approx(0.01, rel=0.05)
    stem = model.backbone.conv1.conv.weight
    assert stem.std().item() == pytest.approx(math.sqrt(2 / (32 * 49)), rel=0.05)  # fan out: 32 filters of 7x7


def test_batch_mates_and_memory_format_do_not_change_the_logits():
    torch.manual_seed(0)
    model = PoseC3D(5, num_classes=4, base_channels=4, blocks=(1, 1, 1)).eval()
    fill_by_name(model)
    clips = torch.rand(3, 5, 6, 16, 16)
    with torch.no_grad():
        together = model(clips)
        alone = torch.cat([model(clip[None]) for clip in clips])
        model = model.to(memory_format=torch.channels_last_3d)
        channels_last = model(clips.contiguous(memory_format=torch.channels_last_3d))
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(together, channels_last, rtol=1e-5, atol=1e-5)


def test_eight_clips_can_be_learnt_by_heart():
    torch.manual_seed(0)
    model = PoseC3D(4, num_classes=4, base_channels=8, blocks=(1, 1, 1), dropout=0.0)
    clips, labels = torch.rand(8, 4, 4, 16, 16), torch.arange(8) % 4
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for _ in range(25):
        loss = torch.nn.functional.cross_entropy(model(clips), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.1


def test_stages_and_strides_must_agree():
    with pytest.raises(ValueError, match="one entry per stage"):
        PoseC3D(5, num_classes=4, blocks=(1, 1), temporal_strides=(1, 1, 2))


def test_its_heads_are_what_depends_on_the_number_of_classes():
    few, many = (PoseC3D(4, num_classes=k, base_channels=4, blocks=(1, 1, 1)).state_dict() for k in (3, 5))
    differ = {key for key in few if few[key].shape != many[key].shape}
    assert differ == {key for key in few if key.startswith(tuple(f"{head}." for head in PoseC3D.HEADS))}
