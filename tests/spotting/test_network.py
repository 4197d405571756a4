"""Pyramid, local attention, heads. Alone: python -m pytest tests/spotting/test_network.py"""

import pytest
import torch

from spotting.attention import LocalTransformer, banded_attention
from spotting.detector import Detector, decode_boundaries, make_points
from spotting.estimator import Estimator, expected_distance
from spotting.pyramid import Pyramid


def masked_attention(query, key, value, is_frame, radius):
    """The obvious T x T version."""
    query, key, value = (x.transpose(2, 3) for x in (query, key, value))
    length = query.shape[2]
    gap = (torch.arange(length)[:, None] - torch.arange(length)[None]).abs()
    allowed = (gap <= radius)[None, None] & is_frame[:, None, None]
    scores = query @ key.transpose(2, 3) / query.shape[-1] ** 0.5
    return (scores.masked_fill(~allowed, -1e30).softmax(-1) @ value).transpose(2, 3)


@pytest.mark.parametrize(("length", "radius"), [(1, 4), (5, 4), (40, 4), (33, 2)])
def test_banded_attention_equals_the_masked_matrix(length, radius):
    generator = torch.Generator().manual_seed(length)
    query, key, value = (torch.randn(2, 3, 8, length, generator=generator, requires_grad=True) for _ in range(3))
    is_frame = torch.ones(2, length, dtype=torch.bool)
    is_frame[1, max(1, length * 2 // 3) :] = False
    fast, slow = (f(query, key, value, is_frame, radius) for f in (banded_attention, masked_attention))
    real = is_frame[:, None, None]
    torch.testing.assert_close(fast * real, slow * real)
    fast_grad = torch.autograd.grad((fast * real).square().sum(), (query, key, value))
    slow_grad = torch.autograd.grad((slow * real).square().sum(), (query, key, value))
    for a, b in zip(fast_grad, slow_grad, strict=True):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-4)


def test_only_padding_in_reach_stays_finite():
    x = torch.randn(1, 2, 4, 20)
    assert banded_attention(x, x, x, torch.zeros(1, 20, dtype=torch.bool), 4).isfinite().all()


def test_local_transformer_reaches_its_radius_and_one_token_of_convolution():
    block = LocalTransformer(8, num_heads=2, radius=4).eval()
    x = torch.randn(1, 8, 40, requires_grad=True)
    block(x, torch.ones(1, 40, dtype=torch.bool))[0, :, 20].sum().backward()
    seen = torch.nonzero(x.grad[0].abs().sum(0))[:, 0]
    assert (seen.min(), seen.max()) == (15, 25)


def test_pyramid_shapes():
    levels = Pyramid(12, 16, 16)(torch.randn(2, 12, 512))
    assert [tuple(level.shape) for level in levels] == [(2, 16, n) for n in (512, 256, 128, 64)]
    with pytest.raises(ValueError, match="multiple of 8"):
        Pyramid(12, 16, 16)(torch.randn(2, 12, 100))


def test_published_detector_has_one_token_a_frame():
    detector = Detector(512, 17, 512, 512)
    with torch.no_grad():
        outputs = detector(torch.zeros(1, 512, 512), torch.ones(1, 512, dtype=torch.bool))
    assert outputs["class_logits"].shape == (1, 960, 17)
    assert outputs["distance_logits"].shape == (1, 960, 2, 17)
    assert outputs["distances"].shape == (1, 960, 2)


def test_heads_start_as_stated():
    estimator = Estimator(8, 5)
    levels = [torch.randn(2, 8, n) for n in (64, 32, 16, 8)]
    outputs = estimator(levels, [torch.ones(2, n, dtype=torch.bool) for n in (64, 32, 16, 8)])
    probabilities, distances = outputs["class_logits"].sigmoid(), expected_distance(outputs["distance_logits"])
    torch.testing.assert_close(probabilities, torch.full_like(probabilities, 0.01))
    torch.testing.assert_close(distances, torch.full_like(distances, 8.0))  # uniform over 0..16


def test_channel_attention_is_shared_by_the_levels():
    estimator = Estimator(8, 5)
    names = [name for name, _ in estimator.named_parameters()]
    assert sum(name == "attention_cls.fc.weight" for name in names) == 1
    assert sum(name.startswith("cls.") and name.endswith("weight") for name in names) == 4
    level = torch.randn(1, 8, 16)
    mask = torch.ones(1, 16, dtype=torch.bool)
    for head in estimator.cls:
        head.load_state_dict(estimator.cls[0].state_dict())
    torch.nn.init.normal_(estimator.cls[0].weight)
    for head in estimator.cls[1:]:
        head.weight = estimator.cls[0].weight
    logits = estimator([level, level, level, level], [mask] * 4)["class_logits"].unflatten(1, (4, 16))
    torch.testing.assert_close(logits[:, 0], logits[:, 3])


def test_points_and_boundaries():
    points = make_points(32)
    assert len(points.center) == 32 + 16 + 8 + 4
    assert points.center[:2].tolist() == [0.5, 1.5]
    assert points.center[32:34].tolist() == [1.0, 3.0]  # stride 2: (t + 0.5) * 2
    assert points.stride[-1] == 8
    boundary = decode_boundaries(points, torch.full((60, 2), 2.0))
    assert boundary[0].tolist() == [-1.5, 2.5]
    assert (boundary[:, 1] - boundary[:, 0] == 4 * points.stride).all()


def test_a_window_is_scored_alike_alone_and_in_a_batch():
    torch.manual_seed(0)
    detector = Detector(6, 3, 16, 16, dropout=0.3).eval()
    for parameter in detector.estimator.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    tokens, is_frame = torch.randn(3, 64, 6), torch.ones(3, 64, dtype=torch.bool)
    is_frame[2, 40:] = False
    together = detector(tokens, is_frame)
    for i in range(3):
        alone = detector(tokens[i : i + 1], is_frame[i : i + 1])
        for key in ("class_logits", "distances"):
            torch.testing.assert_close(together[key][i], alone[key][0])
    assert not together["is_point"][2, 40:64].any()


def test_padding_is_not_looked_at():
    """What stands in padded frames changes nothing."""
    torch.manual_seed(0)
    detector = Detector(6, 3, 16, 16).eval()
    for parameter in detector.estimator.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    tokens, is_frame = torch.randn(1, 64, 6), torch.arange(64)[None] < 40
    other = torch.where(is_frame[..., None], tokens, torch.randn(1, 64, 6))
    torch.testing.assert_close(detector(tokens, is_frame)["class_logits"], detector(other, is_frame)["class_logits"])
