"""The prototype network: fusion at the exchanges, what it starts as, its outputs.

Run alone: python -m pytest tests/models/test_prototype.py
"""

import numpy as np
import pytest
import torch
from torch import nn

from folds.make import main as make_folds
from miga.errors import InputError
from miga.paths import fold_checkpoint_dir, start_dir
from models.layers.two_pathway_net import TwoPathwayNet
from models.prototype.config import PROFILES
from models.prototype.fusion import ChannelAttention, CrossModalFusion
from models.prototype.loss import prototype_loss
from models.prototype.model import PrototypeNet
from models.prototype.train import main
from recordings import rgb_build
from tests.tiny import tiny_clips, write_clips
from tests.tiny_rgb import filmed

SMALL = {"rgb_base": 8, "pose_base": 4, "rgb_blocks": (1, 1, 1, 1), "pose_blocks": (1, 1, 1), "dropout": 0.0}


def small_net(num_classes: int = 3, **changes) -> PrototypeNet:
    """A small network in eval mode whose weights, norms and gates included, are all at work."""
    torch.manual_seed(0)
    net = PrototypeNet(5, num_classes, **{"dims": 8, **SMALL, **changes}).eval()
    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, nn.BatchNorm3d):
                module.weight.uniform_(0.5, 1.5)
                module.running_mean.uniform_(-0.1, 0.1)
        for fusion in net.backbone.fusions:
            fusion.gate_rgb.weight.normal_(std=0.3)
            fusion.gate_pose.weight.normal_(std=0.3)
    return net


def small_clips(batch: int = 2, size: int = 64) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.randn(batch, 3, 2, size, size), torch.rand(batch, 5, 8, size // 4, size // 4)


# ------------------------------------------------------------------------------------------ fusion


def slow_attention(module: nn.MultiheadAttention, query: torch.Tensor, source: torch.Tensor) -> torch.Tensor:
    """(T, C) and (T, C) to (T, C), one head and one time step at a time."""
    channels, heads = query.shape[1], module.num_heads
    q, k, v = (
        x @ w.T + b
        for x, w, b in zip(
            (query, source, source), module.in_proj_weight.chunk(3), module.in_proj_bias.chunk(3), strict=True
        )
    )
    mixed = torch.zeros_like(query)
    for head in range(heads):
        own = slice(head * channels // heads, (head + 1) * channels // heads)
        for t in range(len(query)):
            weights = torch.stack([q[t, own] @ k[s, own] for s in range(len(source))]) / (channels // heads) ** 0.5
            mixed[t, own] = sum(w * v[s, own] for s, w in enumerate(weights.softmax(0)))
    return mixed @ module.out_proj.weight.T + module.out_proj.bias


def slow_channel_attention(module: ChannelAttention, query: torch.Tensor, source: torch.Tensor) -> torch.Tensor:
    """(T, C) and (T, C) to (T, C), one channel at a time."""
    q, k, v = (
        x @ w.weight.T + w.bias
        for x, w in zip((query, source, source), (module.to_q, module.to_k, module.to_v), strict=True)
    )
    mixed = torch.zeros_like(query)
    for c in range(query.shape[1]):
        weights = torch.stack([q[:, c] @ k[:, d] for d in range(k.shape[1])]) / len(query) ** 0.5
        mixed[:, c] = sum(w * v[:, d] for d, w in enumerate(weights.softmax(0)))
    return mixed


@pytest.mark.parametrize("tokens", ["time", "channel"])
@torch.no_grad()
def test_the_fusion_equals_a_slow_one(tokens):
    torch.manual_seed(0)
    fusion = CrossModalFusion(6, 5, hidden=8, speed_ratio=2, heads=4, tokens=tokens).eval()
    for parameter in fusion.parameters():
        parameter.normal_(std=0.5)
    rgb, pose = torch.randn(1, 6, 3, 4, 4), torch.randn(1, 5, 6, 4, 4)
    r = torch.einsum("ctyx,hc->thyx", rgb[0], fusion.squeeze_rgb.weight[:, :, 0, 0, 0]).amax((2, 3))
    r = r + fusion.squeeze_rgb.bias
    kernel = fusion.squeeze_pose.weight[..., 0, 0]  # (hidden, pose channels, 2)
    p = [torch.einsum("ckyx,hck->hyx", pose[0, :, 2 * t : 2 * t + 2], kernel).amax((1, 2)) for t in range(3)]
    p = torch.stack(p) + fusion.squeeze_pose.bias
    if tokens == "time":
        r = slow_attention(fusion.attend_rgb, r, p)
        p = slow_attention(fusion.attend_pose, p, r)
    else:
        r = slow_channel_attention(fusion.attend_rgb, r, p)
        p = slow_channel_attention(fusion.attend_pose, p, r)
    gate_rgb = r @ fusion.gate_rgb.weight[..., 0, 0, 0].T + fusion.gate_rgb.bias  # (T, rgb channels)
    gate_pose = torch.einsum("th,hck->tkc", p, fusion.gate_pose.weight[..., 0, 0]).flatten(0, 1) + fusion.gate_pose.bias
    expected_rgb = rgb + rgb * gate_rgb.T[None, :, :, None, None]
    expected_pose = pose + pose * gate_pose.T[None, :, :, None, None]
    out_rgb, out_pose = fusion(rgb, pose)
    torch.testing.assert_close(out_rgb, expected_rgb, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(out_pose, expected_pose, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("tokens", ["time", "channel"])
def test_at_the_start_the_network_is_the_merged_one(tokens):
    torch.manual_seed(0)
    ours, merged = PrototypeNet(5, 3, dims=8, tokens=tokens, **SMALL), TwoPathwayNet(5, 3, **SMALL)
    for module in merged.modules():
        if isinstance(module, nn.BatchNorm3d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
    missing, unexpected = ours.load_state_dict(merged.state_dict(), strict=False)
    assert not unexpected and all("fusions" in key or "refine" in key for key in missing)
    rgb, heatmaps = small_clips()
    for training in (True, False):
        ours.train(training)
        merged.train(training)
        with torch.no_grad():
            outputs, expected = ours(rgb, heatmaps), merged(rgb, heatmaps)
        assert all(torch.equal(outputs[name], value) for name, value in expected.items())


def test_gates_let_each_pathway_hear_the_other_and_learn_from_the_first_step():
    rgb, heatmaps = small_clips()
    net = small_net(laterals=False)
    with torch.no_grad():
        plain = net(rgb, heatmaps)
        assert not torch.equal(plain["logits_rgb"], net(rgb, heatmaps.flip(3))["logits_rgb"])
        assert not torch.equal(plain["logits_pose"], net(rgb.flip(3), heatmaps)["logits_pose"])
    new = PrototypeNet(5, 3, dims=8, **SMALL)
    with torch.no_grad():
        for module in new.modules():
            if isinstance(module, nn.BatchNorm3d):
                module.weight.fill_(1.0)
    prototype_loss(new, new(rgb, heatmaps), torch.tensor([0, 1])).backward()
    for fusion in new.backbone.fusions:
        assert fusion.gate_rgb.weight.grad.abs().sum() > 0 and fusion.gate_pose.weight.grad.abs().sum() > 0


# ------------------------------------------------------------------------------------------ network


def test_parameters_at_the_published_size():
    with torch.device("meta"):
        ours, trunk = PrototypeNet(22, 32), TwoPathwayNet(22, 32)

    def fusion_size(rgb: int, pose: int, hidden: int) -> int:
        squeeze = (rgb + 1) * hidden + (4 * pose + 1) * hidden
        attention = 2 * 4 * (hidden + 1) * hidden
        return squeeze + attention + (hidden + 1) * rgb + (4 * hidden + 1) * pose

    extra = fusion_size(512, 128, 128) + fusion_size(1024, 256, 256) + (2048 + 1) * 256 + (512 + 1) * 256
    assert count(ours) - count(trunk) == extra
    assert round(count(ours) / 1e6, 3) == 38.712
    assert {name: tuple(value.shape) for name, value in ours.named_buffers() if "prototypes" in name} == {
        "refine_rgb.prototypes": (32, 256), "refine_pose.prototypes": (32, 256),
    }  # fmt: skip
    assert all(ours.get_submodule(name) for name in PrototypeNet.HEADS)


def count(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


@pytest.mark.parametrize("factors", [(0.0, 0.0), (5.0, 1.0)])
def test_batch_mates_do_not_change_the_logits(factors):
    net, (rgb, heatmaps) = small_net(prototype_factors=factors), small_clips(3)
    with torch.no_grad():
        together = net(rgb, heatmaps)["logits"]
        alone = torch.cat([net(rgb[i : i + 1], heatmaps[i : i + 1])["logits"] for i in range(3)])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


def test_factors_add_similarities_to_the_logits_at_test_only():
    rgb, heatmaps = small_clips()
    with torch.no_grad():
        plain, raised = small_net()(rgb, heatmaps), small_net(prototype_factors=(5.0, 1.0))(rgb, heatmaps)
        net = small_net(prototype_factors=(5.0, 1.0))
        for name, factor in (("rgb", 5.0), ("pose", 1.0)):
            prototypes = net.get_submodule(f"refine_{name}").prototypes
            similarity = torch.cosine_similarity(plain[f"embedded_{name}"][:, None], prototypes[None], dim=2)
            torch.testing.assert_close(raised[f"logits_{name}"], plain[f"logits_{name}"] + factor * similarity)
        mean = (raised["logits_rgb"].softmax(1) + raised["logits_pose"].softmax(1)) / 2
        torch.testing.assert_close(raised["logits"].exp(), mean)
        in_training = []
        for model in (small_net().train(), net.train()):
            torch.manual_seed(0)  # the attention's dropout
            in_training.append(model(rgb, heatmaps)["logits"])
        assert torch.equal(*in_training)


def test_eight_clips_can_be_learnt_by_heart_and_find_their_prototypes():
    torch.manual_seed(0)
    net = PrototypeNet(5, 4, dims=8, **SMALL)
    rgb, heatmaps = small_clips(8, size=32)
    labels = torch.arange(8) % 4
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    torch.manual_seed(1)
    for _ in range(80):
        outputs = net(rgb, heatmaps)
        loss = prototype_loss(net, outputs, labels)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 40.0)
        optimizer.step()
    assert (outputs["logits"].argmax(1) == labels).all()
    assert (net.refine_rgb.similarity(outputs["embedded_rgb"]).argmax(1) == labels).all()
    assert (net.refine_pose.similarity(outputs["embedded_pose"]).argmax(1) == labels).all()


# ------------------------------------------------------------------------------------------ training


def test_the_command_trains_a_fold_and_keeps_the_prototypes(workdir, monkeypatch):
    """Clip 1 has one frame and clip 2 nobody in view."""
    monkeypatch.setattr(rgb_build, "NUM_PROCESSES", 1)
    write_clips(filmed(tiny_clips(), workdir / "videos"), "tiny")
    make_folds(["--run", "tiny", "--num-folds", "2"])
    command = ["--run", "tiny", "--profile", "smoke", "--jobs", "1"]
    main([*command, "--fold", "1"])
    folder = fold_checkpoint_dir("tiny", "prototype_joint", 1)
    with np.load(folder / "predictions.npz", allow_pickle=False) as predictions:
        assert np.isfinite(predictions["logits"]).all() and predictions["test_logits"].shape == (6, 4)
    state = torch.load(folder / "weights.pt", weights_only=True)["model"]
    assert state["refine_rgb.prototypes"].shape == state["refine_pose.prototypes"].shape == (4, 16)
    (folder / "predictions.npz").unlink()  # made with other settings
    main([*command, "--fold", "0", "--weights", str(folder / "weights.pt")])  # without stages
    assert not start_dir("tiny", "any", 0).parent.parent.joinpath("rgb").exists()


def test_paper_profile_is_the_published_recipe():
    config = PROFILES["paper"]
    assert (config.optimizer, config.momentum, config.weight_decay, config.batch_size) == ("sgd", 0.9, 1e-4, 10)
    assert (config.lr, config.lr_batch_size, config.milestones, config.epochs) == (0.0075, 10, (8, 22), 30)
    assert (config.alpha, config.tau, config.dims, config.hits_only) == (0.2, 0.125, 256, True)
    assert (config.rgb_frames, config.pose_frames, config.num_test_clips) == (8, 32, 10)


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("--tokens", "joint", "--tokens joint: expected time or channel"),
        ("--prototype_factors", "5", "expected two numbers, for RGB and pose"),
        ("--input", "bone", "--input bone: expected joint or limb"),
    ],
)
def test_wrong_settings_stop_the_command_before_any_work(workdir, setting, value, message):
    with pytest.raises(InputError, match=message):
        main(["--run", "tiny", "--profile", "smoke", setting, value])
