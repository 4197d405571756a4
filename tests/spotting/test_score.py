"""Metric of track 2. Alone: python -m pytest tests/spotting/test_score.py"""

import json

import numpy as np
import pytest
from hypothesis import given, settings

from miga.errors import InputError
from miga.frame_base import FrameBase
from spotting.score import main, organiser_hits, score_videos, select_videos, strict_hits, summarise
from spotting.segments import Segments, empty_segments, make_segments, temporal_iou
from tests.spotting.strategies import segment_lists


def organiser_hits_slowly(truth: Segments, predicted: Segments) -> int:
    """The kit's double loop, written out: first prediction of the class with an overlap above 0.3, never used up."""
    hits = 0
    for g in range(len(truth)):
        for p in range(len(predicted)):
            (gs,), (ge,) = FrameBase(1).to_file(truth.start[g : g + 1], truth.end[g : g + 1])
            (ps,), (pe,) = FrameBase(1).to_file(predicted.start[p : p + 1], predicted.end[p : p + 1])
            hull = max(ge, pe) - min(gs, ps)
            if truth.label[g] == predicted.label[p] and hull and (min(ge, pe) - max(gs, ps)) / hull > 0.3:
                hits += 1
                break
    return hits


def strict_hits_slowly(truth: Segments, predicted: Segments) -> int:
    """One prediction after another, best first: whole frames are counted, and a gesture is crossed out once found."""
    free = list(range(len(truth)))
    hits = 0
    for p in sorted(range(len(predicted)), key=lambda p: -predicted.score[p]):
        shown = set(range(int(predicted.start[p]), int(predicted.end[p])))
        best, best_share = None, 0.0
        for g in free:
            if truth.label[g] == predicted.label[p]:
                wanted = set(range(int(truth.start[g]), int(truth.end[g])))
                share = len(wanted & shown) / len(wanted | shown)
                if share > best_share:
                    best, best_share = g, share
        if best is not None and best_share >= 0.3:
            free.remove(best)
            hits += 1
    return hits


def random_segments(rng: np.random.Generator) -> Segments:
    """Up to nine segments in whole frames, crowded enough to compete; scores with ties."""
    count = int(rng.integers(0, 10))
    start = rng.integers(0, 60, count)
    length = rng.integers(1, 30, count)
    return make_segments(start, start + length, rng.integers(0, 2, count), rng.integers(1, 5, count) / 5)


def test_both_rules_equal_their_loops_on_thousands_of_cases():
    rng = np.random.default_rng(0)
    for _ in range(4000):
        truth, predicted = random_segments(rng), random_segments(rng)
        assert strict_hits(truth, predicted) == strict_hits_slowly(truth, predicted)
        assert organiser_hits(truth, predicted) == organiser_hits_slowly(truth, predicted)


def test_overlap_of_the_reference_pair():
    iou = temporal_iou(np.array([0.0]), np.array([10.0]), np.array([5.0]), np.array([15.0]))
    assert iou == pytest.approx(5 / 15)


@given(segment_lists(), segment_lists())
def test_overlap_is_symmetric_and_bounded(a, b):
    iou = temporal_iou(a.start, a.end, b.start, b.end)
    assert iou.shape == (len(a), len(b))
    assert ((iou >= 0) & (iou <= 1)).all()
    assert np.array_equal(iou, temporal_iou(b.start, b.end, a.start, a.end).T)


@given(segment_lists())
def test_perfect_prediction_scores_one(truth):
    result = score_videos({"v": truth}, {"v": truth})
    if len(truth):
        assert result["strict"]["f1"] == 1.0
        assert result["strict"]["true_positives"] == len(truth)


@given(segment_lists(), segment_lists())
def test_strict_never_finds_more_than_there_is(truth, predicted):
    assert strict_hits(truth, predicted) <= min(len(truth), len(predicted))


@given(segment_lists(), segment_lists())
def test_strict_finds_no_more_than_a_matching_that_reuses_predictions(truth, predicted):
    """Off the edge of 0.3, where the two rules round differently, the organisers' rule is never the stricter one."""
    iou = temporal_iou(truth.start, truth.end, predicted.start, predicted.end)
    if not ((iou >= 0.3) & (iou < 0.4)).any():
        assert strict_hits(truth, predicted) <= organiser_hits(truth, predicted) + int(
            (truth.end - truth.start < 8).sum()
        )
    reusing = ((iou >= 0.3) & (truth.label[:, None] == predicted.label[None])).any(axis=1).sum() if len(truth) else 0
    assert strict_hits(truth, predicted) <= reusing


@given(segment_lists(), segment_lists())
@settings(max_examples=200)
def test_organiser_rule_equals_the_kits_loop(truth, predicted):
    assert organiser_hits(truth, predicted) == organiser_hits_slowly(truth, predicted)


def test_one_prediction_serves_two_gestures_only_for_the_organisers():
    truth = make_segments([0, 10], [10, 20], [4, 4])
    predicted = make_segments([0], [20], [4])
    assert organiser_hits(truth, predicted) == 2
    assert strict_hits(truth, predicted) == 1


def test_organisers_bar_is_strictly_above_and_ours_is_not():
    truth, predicted = make_segments([0], [11], [0]), make_segments([7], [11], [0])  # rows 1-11 and 8-11
    assert organiser_hits(truth, predicted) == 0  # (11 - 8) / (11 - 1) = 0.3 exactly
    truth, predicted = make_segments([0], [10], [0]), make_segments([7], [10], [0])
    assert strict_hits(truth, predicted) == 1  # 3 of 10 frames


def test_nothing_predicted_is_zero_not_nan():
    truth = {"v": make_segments([0], [5], [1])}
    for result in (score_videos(truth, {}), score_videos({"v": empty_segments()}, {})):
        for rule in result.values():
            assert rule["f1"] == rule["precision"] == rule["recall"] == 0.0
    assert summarise(0, 0, 0)["f1"] == 0.0


def test_a_label_must_match():
    truth, wrong = make_segments([0], [10], [1]), make_segments([0], [10], [2])
    assert strict_hits(truth, wrong) == organiser_hits(truth, wrong) == 0


def test_command_prints_one_json_line(tmp_path, capsys):
    for number in (12, 13, 14):
        folder = tmp_path / f"Sample{number:04d}"
        folder.mkdir()
        (folder / f"{folder.name}_finelabels.csv").write_text("1,5,20\n")
    pred = tmp_path / "p.csv"
    pred.write_text("video,class,start,end,score\nSample0013,1,5,20,0.9\nSample0012,1,5,20,0.9\n")
    main(["--truth", str(tmp_path), "--pred", str(pred), "--videos", "13-14"])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    result = json.loads(lines[0])
    assert result["videos"] == 2 and result["precision"] == 1.0 and result["recall"] == 0.5
    assert result["strict"]["false_negatives"] == 1 and result["organiser"]["f1"] == result["f1"]


def test_choosing_videos_by_id_number_and_range():
    videos = [f"Sample{n:04d}" for n in range(1, 21)]
    assert select_videos(videos, "13-14,Sample0002,14") == ["Sample0013", "Sample0014", "Sample0002"]
    with pytest.raises(InputError, match="--videos 33"):
        select_videos(videos, "33")


def test_predicted_videos_that_the_truth_does_not_know(tmp_path, capsys):
    for number in (36, 37):
        (tmp_path / f"Sample00{number}_finelabels.csv").write_text("1,5,20\n")
    pred = tmp_path / "p.csv"

    def scored(*videos: str, only: tuple[str, ...] = ()) -> tuple[float, str]:
        pred.write_text("video,class,start,end,score\n" + "".join(f"{video},1,5,20,0.9\n" for video in videos))
        main(["--truth", str(tmp_path), "--pred", str(pred), *only])
        captured = capsys.readouterr()
        return json.loads(captured.out)["f1"], captured.err

    assert scored("Sample0036", "Sample0037") == (1.0, "")
    assert scored() == (0.0, "")  # nothing predicted is legal
    f1, told = scored("Sample0036", "Sample037")
    assert f1 == pytest.approx(2 / 3, abs=1e-6) and "1 of its 2 videos are not in" in told and "'Sample037'" in told
    assert scored("Sample0036", "Sample0037", only=("--videos", "36")) == (1.0, "")
    for wrong in ("36", "Sample0036 ", "sample0036", "Sample0036_color"):
        with pytest.raises(InputError, match=rf"not one of its 1 videos is in .*: '{wrong}' here, 'Sample0036' there"):
            scored(wrong)
