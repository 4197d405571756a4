"""The second detector's network. Alone: python -m pytest tests/spotting/actionformer/test_network.py

Golden numbers are of the public code at the sizes here, run on a CPU with these weights copied into it: ActionFormer
(happyharrycn/actionformer_release, commit 61ea7eb) for attention with plain distances, TriDet (dingfengshi/TriDet,
commit 764b816) for SGP with its own head. To make them anew: build its meta architecture (2, 2, 2), width 16, 2 heads,
attention window 5 or SGP window 1 and k 5, hidden 24, 4 bins, 3 classes; `fill` ours, copy parameter by parameter, and
run the backbone, neck and heads on `waves()`, then the whole in training mode, without dropped branches, on the same
gestures, which its grid counts half a frame earlier. Largest difference of any output: 5e-5.
"""

import pytest
import torch

from spotting.actionformer.blocks import SGP, LocalAttention
from spotting.actionformer.detector import TriDet, grid_points
from spotting.actionformer.heads import trident_distances
from spotting.actionformer.losses import tridet_loss
from spotting.actionformer.targets import assign_by_range
from spotting.decode import average_models, decode_window

GESTURES, LABELS = torch.tensor([[[3.5, 9.5], [13.0, 31.5]]]), torch.tensor([[2, 0]])
GOLDEN = {
    "attention": {
        "class": [0.060806, -0.412677, 0.53815, 0.217416, -0.230855, -0.07703, 0.208143],
        "distances": [0.0, 0.0, 0.17569, 0.0],
        "loss": 0.349962,
    },
    "sgp": {
        "class": [0.236409, 0.670916, 0.095227, -0.307723, 0.549874, 0.450166, 0.112493],
        "distances": [
            *(2.137886, 1.908547, 2.040334, 1.993371, 2.065897, 2.172592),
            *(2.103062, 2.130769, 1.918729, 2.118488, 2.058908),
        ],
        "loss": 0.348604,
    },
}


def fill(model):
    """Waves for weights, another frequency each parameter, about 1 for gains."""
    with torch.no_grad():
        for i, (name, p) in enumerate(model.named_parameters()):
            wave = 0.3 * torch.sin(torch.arange(p.numel()) * (0.7 + 0.013 * i))
            p.copy_(wave.view_as(p) + ("norm" in name and name.endswith("weight")))
    return model


def waves():
    return torch.cos(torch.arange(32 * 5) * 0.37).view(1, 32, 5)


def tiny(kind="sgp", **more):
    settings = {"num_heads": 2, "radius": 2, "max_distance": 4 if kind == "sgp" else 0, "dropped": 0.1, **more}
    return fill(TriDet(5, 3, 16, 3, kind, **settings)).eval()


@pytest.mark.parametrize("kind", GOLDEN)
def test_network_and_loss_are_those_of_the_public_code(kind):
    with torch.no_grad():
        outputs = tiny(kind)(waves(), torch.ones(1, 32, dtype=torch.bool))
    golden = GOLDEN[kind]
    assert outputs["class_logits"][0].flatten()[::24].tolist() == pytest.approx(golden["class"], abs=1e-4)
    assert outputs["distances"][0].flatten()[5::31].tolist() == pytest.approx(golden["distances"], abs=1e-4)
    points = grid_points(32, 3)
    targets = assign_by_range(points, GESTURES, LABELS, outputs["is_point"], 3)
    assert tridet_loss(points, outputs, targets).item() == pytest.approx(golden["loss"], abs=1e-4)
    assert int(targets.is_positive.sum()) == 8 and outputs["num_positives"].item() == pytest.approx(90.8)


def test_published_size():
    model = TriDet(512, 17, 512, dropped=0.1).eval()
    with torch.no_grad():
        outputs = model(torch.zeros(1, 64, 512), torch.ones(1, 64, dtype=torch.bool))
    assert outputs["class_logits"].shape == (1, 126, 17) and outputs["distances"].shape == (1, 126, 17, 2)
    torch.testing.assert_close(outputs["class_logits"].sigmoid().mean(), torch.tensor(0.01), atol=0.01, rtol=0)
    with pytest.raises(ValueError, match="multiple of 32"):
        model(torch.zeros(1, 48, 512), torch.ones(1, 48, dtype=torch.bool))


def test_points_stand_where_strided_tokens_do():
    points = grid_points(8, 3)
    assert points.center.tolist() == [0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 0.5, 2.5, 4.5, 6.5, 0.5, 4.5]
    assert (
        points.stride.tolist() == [1] * 8 + [2] * 4 + [4] * 2 and points.level.tolist() == [0] * 8 + [1] * 4 + [2] * 2
    )


def test_trident_worked_example():
    """R = 2. At token 2 the start score of token 1 stands out, at t - 1; the end score of token 4, at t + 2."""
    start, end, offsets = torch.zeros(1, 1, 5), torch.zeros(1, 1, 5), torch.zeros(1, 5, 2, 3)
    flat = trident_distances(start, end, offsets)
    torch.testing.assert_close(flat, torch.ones(1, 5, 1, 2))  # uniform over 0, 1, 2, also beyond the window
    start[0, 0, 1] = end[0, 0, 4] = 100
    left, right = trident_distances(start, end, offsets)[0, :, 0].unbind(1)
    assert left.tolist() == pytest.approx([1, 0, 1, 2, 1]) and right.tolist() == pytest.approx([1, 1, 2, 1, 0])
    offsets[0, 0] = torch.tensor([[0.0, 0.0, 1.0], [0.0, 0.0, 1.0]])  # left: last bin is nearest; right: farthest
    e = 2.718281828
    left, right = trident_distances(torch.zeros(1, 1, 5), torch.zeros(1, 1, 5), offsets)[0, 0, 0].tolist()
    assert (left, right) == pytest.approx((3 / (2 + e), (1 + 2 * e) / (2 + e)))


def test_time_reversed_start_is_end():
    generator = torch.Generator().manual_seed(0)
    start, end = torch.randn(2, 2, 3, 11, generator=generator)
    offsets = torch.randn(2, 11, 2, 5, generator=generator)
    plain = trident_distances(start, end, offsets)
    mirrored = trident_distances(end.flip(-1), start.flip(-1), offsets.flip(1).flip(2).flip(3))
    torch.testing.assert_close(mirrored, plain.flip(1).flip(3))


@pytest.mark.parametrize("kind", GOLDEN)
def test_padding_is_not_looked_at(kind):
    model, generator = tiny(kind, context_layers=2), torch.Generator().manual_seed(0)
    tokens, is_frame = torch.randn(2, 32, 5, generator=generator), torch.ones(2, 32, dtype=torch.bool)
    is_frame[1, 20:] = False
    other = torch.where(is_frame[..., None], tokens, torch.randn(2, 32, 5, generator=generator))
    together, again = model(tokens, is_frame), model(other, is_frame)
    for key in ("class_logits", "distances", "logits"):
        torch.testing.assert_close(together[key], again[key])
        torch.testing.assert_close(together[key][1:], model(tokens[1:], is_frame[1:])[key], atol=1e-3, rtol=1e-3)
    assert together["is_point"][1].sum() == 20 + 10 + 5
    assert together["frame_logits"].shape == (2, 32, 4)


@pytest.mark.parametrize("kind", GOLDEN)
def test_gradient_reaches_every_weight(kind):
    torch.manual_seed(0)
    model = TriDet(5, 3, 16, 3, kind, 2, 2, 4, 0.1, context_layers=2).train()
    outputs = model(torch.randn(3, 32, 5), torch.ones(3, 32, dtype=torch.bool))
    total = outputs["class_logits"].square().mean() + outputs["distances"].square().mean()
    (total + outputs["frame_logits"].square().mean()).backward()
    still = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    # Keys are compared with each other only, a common shift changes nothing but rounding.
    assert [name for name in still if "attention" not in name] == []


def test_sgp_reaches_its_wide_kernel_and_attention_its_radius():
    ones = torch.ones(1, 40, dtype=torch.bool)
    for block, reach in ((SGP(16, 24, 1, 0.0, window=3, ratio=2.0), 4), (LocalAttention(16, 2, 6, 1), 7)):
        x = torch.randn(1, 16, 40, requires_grad=True)
        if isinstance(block, SGP):  # without what sees the whole window: the mean, and the norm over groups
            for parameter in block.convs["instant"].parameters():
                torch.nn.init.zeros_(parameter)
            block.norm_mlp = torch.nn.Identity()
            y = block(x, ones, ones)
        else:
            y = block(x, ones)
        y[0, :, 20].sum().backward()
        seen = torch.nonzero(x.grad[0].abs().sum(0))[:, 0]
        assert (seen.min(), seen.max()) == (20 - reach, 20 + reach)


def test_the_distance_of_the_best_class_is_taken():
    points, outputs = grid_points(8, 1), {}
    outputs["class_logits"] = torch.full((1, 8, 2), -9.0)
    outputs["class_logits"][0, 4, 1] = 3.0
    outputs["distances"] = torch.zeros(1, 8, 2, 2)
    outputs["distances"][0, 4, 1] = torch.tensor([2.0, 3.0])
    probabilities, distances = average_models([outputs, outputs])
    found = decode_window(points, probabilities[0], distances[0], torch.ones(8, dtype=torch.bool), 100, 200)
    assert (found.start.tolist(), found.end.tolist(), found.label.tolist()) == ([102.5], [107.5], [1])
