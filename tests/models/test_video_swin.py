"""Video Swin: published sizes, agreement with the public network, windows at small inputs, independence of batch-mates.

Run alone: python -m pytest tests/models/test_video_swin.py
"""

import dataclasses
import math
import zlib

import numpy as np
import pytest
import torch

from miga.training.optimizer import build_optimizer
from models.video_swin.blocks import drop_clips
from models.video_swin.config import BIAS_TABLES, PROFILES, SIZES, recipe_of_size
from models.video_swin.model import VideoSwin
from models.video_swin.windows import (
    FORBIDDEN,
    fit_window,
    from_windows,
    offset_index,
    pad_to_windows,
    region_mask,
    to_windows,
)

# Outputs of the public Video Swin T (SwinTransformer/Video-Swin-Transformer at db018fb889: SwinTransformer3D, mean over
# space and time, linear layer) in eval mode, filled by `fill_by_name` and fed with `formula_clip`: every fifth part's
# first feature, channels first, and the first logits. For "time and space clipped" its index of offsets was replaced by
# the rows and columns of its own full index that belong to the tokens of the clipped window; unchanged it is cut at
# [:N, :N], and the features differ by 0.5. To renew: fill that network the same way and print the numbers.
GOLDEN = {
    "nothing clipped": (
        (2, 2, 2), (8, 64, 64),
        [2.400379, 0.35424, -0.817808, 0.753233, 0.42514],
        [0.213758, -0.451647, 0.032255, 0.037807, 1.139551, 0.545702],
    ),
    "published window, time clipped": (
        (8, 7, 7), (4, 224, 224),
        [1.421941, 1.34621, -0.849113, 1.55453, 0.631179],
        [0.175319, -0.64739, -0.08041, 0.137294, 1.413304, 0.577744],
    ),
    "time and space clipped": (
        (8, 7, 7), (8, 64, 64),
        [2.084136, 1.039219, -0.830012, 1.20072, 0.649146],
        [0.245017, -0.544829, -0.1002, -0.027116, 1.336068, 0.458129],
    ),
    "incomplete patches and windows": (
        (4, 3, 3), (11, 80, 100),
        [1.983651, 2.053384, -0.500266, -0.742132, 0.108276],
        [0.205785, -0.419173, -0.202561, 0.116795, 0.844578, 0.537097],
    ),
}  # fmt: skip


def wave(key: str, shape: tuple[int, ...]) -> torch.Tensor:
    """A fixed chirp in [-1, 1] whose phase depends on the name: the same numbers in any framework.

    (A plain sine would make every matrix of rank two, and attention nearly the same everywhere.)
    """
    steps = torch.arange(math.prod(shape), dtype=torch.float64) % 100003
    return torch.sin(steps.square() * 0.7310585 + zlib.crc32(key.encode()) % 1000).reshape(shape)


@torch.no_grad()
def fill_by_name(model: torch.nn.Module) -> None:
    for key, tensor in model.state_dict().items():
        values = wave(key, tensor.shape)
        if key.endswith("bias"):
            values = 0.1 * values
        elif tensor.ndim == 1:
            values = 1 + 0.3 * values
        elif not key.endswith("table"):
            values = values * math.sqrt(1 / math.prod(tensor.shape[1:]))
        tensor.copy_(values)


def formula_clip(size: tuple[int, int, int]) -> torch.Tensor:
    return wave("clip", (1, 3, *size)).float()


def small(num_classes: int = 4, **changes) -> VideoSwin:
    torch.manual_seed(0)
    arguments = {"embed_dim": 8, "depths": (1, 2), "num_heads": (1, 2), "window": (2, 3, 3), "init_std": 0.2}
    return VideoSwin(num_classes, **(arguments | changes)).eval()


@pytest.mark.parametrize("name", GOLDEN)
def test_agrees_with_the_public_network(name):
    window, size, features, logits = GOLDEN[name]
    model = VideoSwin(32, window=window).eval()
    fill_by_name(model)
    with torch.no_grad():
        volume = model.backbone(formula_clip(size))  # (1, T, H, W, C)
        scores = model.cls_head(volume)
    flat = volume.permute(0, 4, 1, 2, 3).flatten()
    torch.testing.assert_close(flat[:: len(flat) // 5][:5], torch.tensor(features), rtol=0, atol=1e-4)
    torch.testing.assert_close(scores[0, :6], torch.tensor(logits), rtol=0, atol=1e-4)


@pytest.mark.parametrize(("size", "millions"), [("T", 27.850), ("S", 49.509), ("B", 87.639)])
def test_backbones_have_the_published_number_of_parameters_and_features(size, millions):
    shape = SIZES[size]
    with torch.device("meta"):
        model = VideoSwin(32, shape.embed_dim, shape.depths, shape.num_heads)
        features = model.backbone(torch.empty(1, 3, 32, 224, 224))
    assert round(sum(p.numel() for p in model.backbone.parameters()) / 1e6, 3) == millions
    assert features.shape == (1, 16, 7, 7, shape.embed_dim * 8)


def test_key_layout_is_that_of_public_checkpoints():
    with torch.device("meta"):
        keys = set(VideoSwin(400).state_dict())
    both = ("weight", "bias")
    expected = {f"{name}.{kind}" for name in ("cls_head.fc_cls", "backbone.norm") for kind in both}
    expected |= {f"backbone.patch_embed.{name}.{kind}" for name in ("proj", "norm") for kind in both}
    for stage, depth in enumerate((2, 2, 6, 2)):
        for block in (f"backbone.layers.{stage}.blocks.{number}" for number in range(depth)):
            expected.add(f"{block}.attn.relative_position_bias_table")
            layers = ("norm1", "attn.qkv", "attn.proj", "norm2", "mlp.fc1", "mlp.fc2")
            expected |= {f"{block}.{layer}.{kind}" for layer in layers for kind in both}
        if stage < 3:
            merging = f"backbone.layers.{stage}.downsample"
            expected |= {f"{merging}.norm.weight", f"{merging}.norm.bias", f"{merging}.reduction.weight"}
    assert keys == expected


def test_a_window_is_clipped_to_the_input_and_then_not_shifted():
    assert fit_window((16, 14, 7), (8, 7, 7)) == ((8, 7, 7), (4, 3, 0))
    assert fit_window((4, 2, 9), (8, 7, 7)) == ((4, 2, 7), (0, 0, 3))


def test_windows_and_back_is_the_identity():
    x = torch.rand(2, 4, 6, 9, 5)
    windows = to_windows(x, (2, 3, 3))
    assert windows.shape == (2, 2 * 2 * 3, 18, 5)
    assert torch.equal(windows[1, 0].view(2, 3, 3, 5), x[1, :2, :3, :3])
    assert torch.equal(from_windows(windows, (2, 3, 3), (4, 6, 9)), x)
    assert pad_to_windows(x, (3, 4, 5)).shape == (2, 6, 8, 10, 5)


def test_offsets_do_not_depend_on_how_much_of_the_window_is_used():
    full, used = (4, 3, 5), (2, 3, 2)
    cpu = torch.device("cpu")
    table = torch.arange(7 * 5 * 9)
    where = {(t, h, w): i for i, (t, h, w) in enumerate(np.ndindex(used))}
    bias = table[offset_index(used, full, cpu)]
    for a, i in where.items():
        for b, j in where.items():
            dt, dh, dw = (x - y for x, y in zip(a, b, strict=True))
            assert bias[i, j] == (dt + 3) * 45 + (dh + 2) * 9 + (dw + 4)


def test_the_mask_parts_what_the_shift_brought_together():
    size, window, shift = (4, 6, 3), (2, 3, 3), (1, 1, 0)
    place = torch.stack(torch.meshgrid(*map(torch.arange, size), indexing="ij"), -1)[None]  # (1, T, H, W, 3)
    shifted = place.roll([-step for step in shift], dims=(1, 2, 3))
    tokens = to_windows(shifted, window)[0]  # (windows, N, 3), where each token was before the shift
    # Two tokens of a window belong together when, unshifted, they lie closer than a window along every axis.
    near = ((tokens[:, :, None] - tokens[:, None]).abs() < torch.tensor(window)).all(-1)
    expected = torch.where(near, 0.0, FORBIDDEN)
    assert torch.equal(region_mask(size, window, shift, torch.device("cpu")), expected)
    assert 0 < near.float().mean() < 1


@pytest.mark.parametrize("size", [(1, 8, 8), (2, 33, 20), (7, 64, 4)])
def test_any_input_size_gives_finite_logits(size):
    with torch.no_grad():
        assert small()(torch.rand(2, 3, *size)).isfinite().all()


def test_batch_mates_do_not_change_the_logits():
    model, clips = small(), torch.rand(3, 3, 8, 32, 40)
    with torch.no_grad():
        together = model(clips)
        alone = torch.cat([model(clip[None]) for clip in clips])
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-5)


def test_dropping_a_path_drops_whole_clips_and_keeps_the_mean():
    torch.manual_seed(0)
    x = torch.ones(2000, 3, 2)
    dropped = drop_clips(x, 0.25, is_train=True)
    values = dropped.flatten(1)
    assert torch.equal(values.amin(1), values.amax(1))  # a clip is kept or dropped as a whole
    assert sorted(set(values[:, 0].tolist())) == pytest.approx([0, 4 / 3])
    assert dropped.mean().item() == pytest.approx(1, abs=0.05)
    assert drop_clips(x, 0.25, is_train=False) is x


def test_drop_path_grows_linearly_over_all_blocks():
    model = small(depths=(2, 3), drop_path=0.4)
    rates = [block.drop_path for stage in model.backbone.layers for block in stage.blocks]
    assert rates == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])


def test_the_published_recipe_slows_the_backbone_and_spares_the_tables():
    model = small()
    optimizer = build_optimizer(model, recipe_of_size(PROFILES["paper"]))
    found = {id(p): (group["lr"], group["weight_decay"]) for group in optimizer.param_groups for p in group["params"]}
    for name, parameter in model.named_parameters():
        lr, decay = found[id(parameter)]
        assert lr == pytest.approx(1e-4 if name.startswith("backbone.") else 1e-3)
        assert decay == (0.0 if "norm" in name or name.endswith(BIAS_TABLES) else 0.02)


@pytest.mark.parametrize(("size", "decay", "drop_path"), [("T", 0.02, 0.1), ("S", 0.02, 0.1), ("B", 0.05, 0.3)])
def test_a_size_brings_its_recipe(size, decay, drop_path):
    config = recipe_of_size(dataclasses.replace(PROFILES["paper"], size=size))
    assert (config.weight_decay, config.drop_path) == (decay, drop_path)
    chosen = recipe_of_size(dataclasses.replace(PROFILES["paper"], size=size, drop_path=0.0))
    assert (chosen.weight_decay, chosen.drop_path) == (decay, 0.0)


def test_eight_clips_can_be_learnt_by_heart():
    model = small(embed_dim=16, dropout=0.0, drop_path=0.0).train()
    clips, labels = torch.rand(8, 3, 4, 16, 16), torch.arange(8) % 4
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    for _ in range(40):
        loss = torch.nn.functional.cross_entropy(model(clips), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.1


def test_heads_are_named():
    model = small()
    assert all(model.get_submodule(name) for name in model.HEADS)


def test_stages_and_heads_must_agree():
    with pytest.raises(ValueError, match="one entry per stage"):
        small(depths=(1, 1), num_heads=(1,))
    with pytest.raises(ValueError, match="3 heads do not divide"):
        small(num_heads=(1, 3))


def kept_bytes(network: VideoSwin, clip: torch.Tensor) -> tuple[int, torch.Tensor]:
    """Bytes that a forward pass keeps for the way back, and its output."""
    kept: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        logits = network(clip)
    return sum(kept.values()), logits


def test_computing_again_gives_the_same_gradients_from_less_memory():
    """Dropped clips included: the second time they are the same ones."""
    found = []
    for recompute in (False, True):
        torch.manual_seed(0)
        network = VideoSwin(
            5, 24, (2, 4), (2, 4), (2, 3, 3), drop_path=0.5, dropout=0.5, init_std=0.3, recompute=recompute
        ).train()  # fmt: skip
        clip = torch.randn(3, 3, 8, 32, 36)
        torch.manual_seed(1)
        num_bytes, logits = kept_bytes(network, clip)
        logits.square().sum().backward()
        gradients = {name: parameter.grad for name, parameter in network.named_parameters()}
        found.append((num_bytes, logits.detach(), gradients, torch.rand(1)))
    plain, again = found
    assert torch.equal(plain[1], again[1]) and torch.equal(plain[3], again[3])
    assert all(torch.equal(gradient, again[2][name]) for name, gradient in plain[2].items())
    assert any(gradient.abs().max() > 0.1 for gradient in plain[2].values())
    assert again[0] < plain[0] / 5
