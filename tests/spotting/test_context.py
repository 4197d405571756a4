"""Frame classes and what they do to candidates. Alone: python -m pytest tests/spotting/test_context.py"""

import numpy as np
import pytest
import torch

from spotting.context import TemporalContext, frame_labels, frame_loss
from spotting.decode import FrameScores
from spotting.detector import Detector
from spotting.segments import empty_segments, make_segments
from spotting.thresholds import apply, threshold_for_count


def test_context_reaches_twice_its_last_dilation_and_padding_stays_out():
    context = TemporalContext(3, 8, num_layers=3, dropout=0.5).eval()
    x = torch.randn(1, 3, 64, requires_grad=True)
    context(x, torch.ones(1, 64, dtype=torch.bool))[0, :, 32].sum().backward()
    seen = torch.nonzero(x.grad[0].abs().sum(0))[:, 0]
    assert (seen.min(), seen.max()) == (32 - 7, 32 + 7)  # 1 + 2 + 4
    is_frame = torch.arange(64)[None] < 40
    other = torch.where(is_frame[:, None], x.detach(), torch.randn(1, 3, 64))
    torch.testing.assert_close(context(x.detach(), is_frame)[..., :40], context(other, is_frame)[..., :40])


def test_frame_labels_against_a_slow_version():
    rng = np.random.default_rng(0)
    gestures = np.sort(rng.uniform(0, 30, (4, 5, 2)), axis=-1).astype(np.float32)
    labels = rng.integers(-1, 6, (4, 5))
    is_frame = np.arange(30)[None] < np.array([30, 30, 20, 1])[:, None]
    fast = frame_labels(*map(torch.from_numpy, (gestures, labels, is_frame)), num_classes=6)
    for b in range(4):
        for t in range(30):
            inside = [g for g in range(5) if gestures[b, g, 0] < t + 0.5 < gestures[b, g, 1] and labels[b, g] >= 0]
            wanted = (labels[b, inside[0]] if inside else 6) if is_frame[b, t] else -100
            assert fast[b, t] == wanted


def test_frame_loss_leaves_padding_out():
    logits = torch.randn(1, 6, 4)
    labels = torch.tensor([[0, 1, 3, 2, -100, -100]])
    torch.testing.assert_close(frame_loss(logits, labels), frame_loss(logits[:, :4], labels[:, :4]))


def test_detector_without_context_is_the_published_one():
    tokens, is_frame = torch.randn(1, 64, 12), torch.ones(1, 64, dtype=torch.bool)
    plain, named = Detector(12, 5, 16, 16).eval(), Detector(12, 5, 16, 16, context_layers=2).eval()
    assert "frame_logits" not in plain(tokens, is_frame)
    assert named(tokens, is_frame)["frame_logits"].shape == (1, 64, 6)
    assert not any("context" in name or "frame_head" in name for name, _ in plain.named_parameters())


def test_rescored_candidates_against_a_slow_version():
    rng = np.random.default_rng(1)
    frames = FrameScores(50, 3)
    logits = torch.randn(2, 1, 40, 4)
    frames.add(0, [{"frame_logits": logits[0]}])
    frames.add(20, [{"frame_logits": logits[1]}])  # ends with padding: only 30 frames are left
    start = rng.uniform(0, 45, 20)
    candidates = make_segments(start, start + rng.uniform(0.2, 9, 20), rng.integers(0, 3, 20), rng.random(20))
    rescored = frames.rescore(candidates)
    total = np.zeros((50, 4))
    total[:40] += logits[0, 0].softmax(-1).numpy()
    total[20:] += logits[1, 0].softmax(-1).numpy()[:30]
    for i in range(20):
        first = min(round(candidates.start[i]), 49)
        last = min(max(round(candidates.end[i]), first + 1), 50)
        mean = np.mean([total[t, candidates.label[i]] / total[t].sum() for t in range(first, last)])
        assert rescored.score[i] == pytest.approx(np.sqrt(candidates.score[i] * mean))


def test_nothing_to_say_leaves_candidates_alone():
    candidates = make_segments([0], [5], [1], [0.5])
    frames = FrameScores(10, 3)
    frames.add(0, [{"class_logits": torch.zeros(1, 10, 3)}])
    assert frames.rescore(candidates) is candidates
    assert len(frames.rescore(empty_segments())) == 0


@pytest.mark.parametrize("count", [0, 1, 7, 10, 99])
def test_the_threshold_keeps_the_count(count):
    rng = np.random.default_rng(count)
    start = 20.0 * np.arange(10)
    videos = {"a": make_segments(start, start + 10, np.zeros(10), rng.random(10)), "b": empty_segments()}
    threshold = threshold_for_count(videos, 0.2, 200, count)
    assert len(apply(videos["a"], threshold, 0.2, 200)) == min(count, 10)
    assert threshold_for_count({"b": empty_segments()}, 0.2, 200, count) == 0
