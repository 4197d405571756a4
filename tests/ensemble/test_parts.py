"""Parts of the long tail and their training sets: python -m pytest tests/ensemble/test_parts.py"""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ensemble.parts import (
    OTHERS,
    balanced_rows,
    class_parts,
    describe_parts,
    part_rows,
    spread_evenly,
    tail_trainsets,
)
from recordings.labels import IMIGUE_CLASSES, IMIGUE_TRAIN_COUNTS
from tests.tiny import tiny_clips

COUNTS = st.lists(st.integers(0, 5000), min_size=1, max_size=40)


def test_parts_of_imigue_are_those_of_the_paper():
    """M2HEN (MiGA 2024), figure 2, on the counts of the organisers' train_label.pkl."""
    counts = np.array(IMIGUE_TRAIN_COUNTS)
    parts = class_parts(counts)
    assert [part.tolist() for part in parts] == [
        [31, 30, 28, 19, 7],
        [23, 22, 1, 21, 16, 10, 25, 3, 20, 11],
        [12, 8, 26, 17, 4, 6, 27, 13, 2, 14, 15, 5],
        [24, 0, 29, 9, 18],
    ]
    assert [counts[part].sum() for part in parts] == [9332, 3590, 716, 32]
    assert counts.sum() == 13670


def test_trainsets_of_imigue():
    counts = np.array(IMIGUE_TRAIN_COUNTS)
    sets = tail_trainsets(counts)
    labels = np.repeat(np.arange(32), counts)
    assert [s.number for s in sets] == [3, 2, 1]
    assert [len(s.class_names(IMIGUE_CLASSES)) for s in sets] == [28, 18, 6]
    assert [len(s.head) for s in sets] == [5, 15, 27]
    assert [int(counts[s.tail].sum()) for s in sets] == [4338, 748, 32]
    assert [s.is_degenerate for s in sets] == [False, False, True]
    rows = np.arange(len(labels))
    drawn = [labels[part_rows(s, rows, labels, seed=0)(0)] for s in sets]
    num_others = [int(np.isin(d, s.head).sum()) for d, s in zip(drawn, sets, strict=True)]
    assert num_others == [4338, 748, 54]  # as many as the tail; for i = 1 two of each of 27 head classes
    for d, s in zip(drawn, sets, strict=True):
        each = np.bincount(d, minlength=32)[s.head]
        has_more = counts[s.head] > each  # all 858 clips of class 7 are in set 3
        assert each.max() - each[has_more].min() <= 1


@given(counts=COUNTS)
def test_every_class_with_clips_is_in_one_part(counts):
    counts = np.array(counts)
    parts = class_parts(counts)
    assert len(parts) <= 4
    found = np.concatenate(parts) if parts else np.zeros(0, int)
    assert sorted(found.tolist()) == np.flatnonzero(counts).tolist()
    for part, rarer in pairwise(parts):
        assert 5 * counts[part].min() >= counts[part].max() > 5 * counts[rarer].max()
    assert [s.number for s in tail_trainsets(counts)] == list(range(len(parts) - 1, 0, -1))
    text = describe_parts(counts, [f"class {c}" for c in range(len(counts))])
    assert ("parts instead of 4" in text) == (len(parts) < 4) and ("no training clip of" in text) == (0 in counts)


@given(counts=COUNTS)
def test_an_output_says_which_tail_class_it_is(counts):
    for trainset in tail_trainsets(counts):
        classes = np.arange(-1, len(counts))
        outputs = trainset.output_of(classes)
        back = np.append(trainset.tail, [-1, -1])[outputs]  # OTHERS, which is no class, and unknown are -1
        is_tail = np.isin(classes, trainset.tail)
        assert (back[is_tail] == classes[is_tail]).all() and (back[~is_tail] == -1).all()
        assert outputs[0] == -1 and (outputs[1:][~is_tail[1:]] == len(trainset.tail)).all()
        assert trainset.output_of(trainset.tail).tolist() == list(range(len(trainset.tail)))


def test_clips_are_named_as_the_set_names_them():
    clips = tiny_clips()
    trainset = tail_trainsets([100, 10, 0, 11])[0]
    part = trainset.relabelled(clips)
    assert part.classes == (clips.classes[1], clips.classes[3], OTHERS) and part.num_classes == 3
    for before, after in zip(clips.table.label, part.table.label, strict=True):
        assert after == {-1: -1, 0: 2, 1: 0, 2: 2, 3: 1}[before]
    assert clips.table.label.max() == 3, "the clips that came in stay as they were"


def test_mirror_images_within_the_tail_change_places_and_others_stay():
    trainset = tail_trainsets([100, 10, 0, 11])[0]  # the tail is classes 1 and 3
    assert trainset.mirror_of(np.array([0, 3, 2, 1])).tolist() == [1, 0, 2]
    assert trainset.mirror_of(np.arange(4)).tolist() == [0, 1, 2]
    assert trainset.mirror_of(np.array([1, 0, 2, 3])) is None, "the mirror image of class 1 is one of many others"
    assert trainset.mirror_of(None) is None


@given(
    available=st.lists(st.integers(0, 30), min_size=1, max_size=12),
    total=st.integers(0, 200),
    seed=st.integers(0, 9),
)
def test_spread_is_even_and_complete(available, total, seed):
    available = np.array(available)
    shares = spread_evenly(total, available, np.random.default_rng(seed))
    assert (shares <= available).all() and shares.sum() == min(total, available.sum())
    free = shares[shares < available]
    assert not len(free) or shares.max() <= free.min() + 1  # nobody has two more than one who could take another


@given(seed=st.integers(0, 99), sizes=st.lists(st.integers(1, 60), min_size=2, max_size=8))
def test_others_are_drawn_anew_and_the_tail_is_always_whole(seed, sizes):
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))
    rows = np.arange(0, len(labels))[labels != len(sizes)]
    for trainset in tail_trainsets(sizes):
        draw = part_rows(trainset, rows, labels, seed)
        epochs = [draw(epoch) for epoch in range(4)]
        assert len({len(epoch) for epoch in epochs}) == 1 and (draw(2) == epochs[2]).all()
        for epoch in epochs:
            assert len(np.unique(epoch)) == len(epoch)
            assert np.isin(labels[epoch], trainset.tail).sum() == np.isin(labels, trainset.tail).sum()
            assert set(trainset.head) <= set(labels[epoch]), "no head class is unknown to the tail model"


def test_other_epochs_have_other_others():
    labels = np.repeat([0, 1], [500, 20])
    draw = part_rows(tail_trainsets([500, 20])[0], np.arange(520), labels, seed=0)
    assert not np.array_equal(draw(0), draw(1))


def test_a_fold_draws_from_its_own_rows_only():
    labels = np.repeat([0, 1, 2], [100, 100, 10])
    rows = np.arange(0, 210, 3)
    trainset = tail_trainsets([100, 100, 10])[0]
    assert np.isin(part_rows(trainset, rows, labels, 0)(0), rows).all()
    assert np.isin(balanced_rows(rows, labels, 0)(0), rows).all()


@given(seed=st.integers(0, 99), sizes=st.lists(st.integers(1, 60), min_size=1, max_size=8))
def test_balanced_rows_show_every_class_equally_often(seed, sizes):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    draw = balanced_rows(np.arange(len(labels)), labels, seed)
    for epoch in (0, 1):
        drawn = draw(epoch)
        counts = np.bincount(labels[drawn], minlength=len(sizes))
        assert len(drawn) == len(labels) and counts.max() - counts.min() <= 1
        for c in range(len(sizes)):
            times = np.bincount(drawn[labels[drawn] == c], minlength=len(labels))[labels == c]
            assert times.max() - times.min() <= 1


def test_what_is_degenerate():
    def found(counts):
        return [trainset.is_degenerate for trainset in tail_trainsets(counts)]

    assert found([5000, 800, 100, 15]) == [False, False, True], "the fourth part alone"
    assert found([5000, 800, 100]) == [False, False] and found([30, 5, 4]) == [True] and found([30, 5, 5]) == [False]


@pytest.mark.parametrize("counts", [[0, 0], [7], [10, 10, 9]])
def test_evenly_frequent_classes_have_no_tail(counts):
    assert len(class_parts(counts)) == (1 if sum(counts) else 0) and not tail_trainsets(counts)
