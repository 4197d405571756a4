"""Folds: python -m pytest tests/folds"""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folds.make import describe, load_folds, main, make_folds
from miga.errors import InputError
from miga.paths import folds_csv
from tests.tiny import tiny_clips, write_clips


def table_of(subjects: list[str], labels: list[int], num_test: int = 2) -> pd.DataFrame:
    rows = [
        (f"{i:04d}_{i}", f"v{s}", s, label, "train") for i, (s, label) in enumerate(zip(subjects, labels, strict=True))
    ]
    rows += [(f"9{i:03d}_0", "vt", "t", 0, "test") for i in range(num_test)]
    return pd.DataFrame(rows, columns=["clip_id", "video_id", "subject_id", "label", "split"])


@st.composite
def tables(draw):
    num_clips = draw(st.integers(6, 60))
    subjects = [f"p{draw(st.integers(0, 6))}" for _ in range(num_clips)]
    subjects[:2] = ["p0", "p1"]
    return table_of(subjects, [draw(st.integers(0, 4)) for _ in range(num_clips)])


@settings(max_examples=40)
@given(tables(), st.integers(0, 5), st.randoms())
def test_people_never_straddle_and_row_order_does_not_matter(table, seed, random):
    folds = make_folds(table, 2, seed)
    train = folds[folds.fold >= 0]
    assert (train.groupby("subject_id").fold.nunique() == 1).all()
    assert sorted(folds.clip_id) == sorted(table.clip_id) and folds.clip_id.is_unique
    assert set(folds.clip_id[folds.fold == -1]) == set(table.clip_id[table.split == "test"])
    assert (folds.label[folds.fold == -1] == -1).all(), "a test label must not travel further"
    order = list(range(len(table)))
    random.shuffle(order)
    pd.testing.assert_frame_equal(make_folds(table.iloc[order], 2, seed), folds)


def test_every_fold_gets_its_share_of_each_class():
    rng = np.random.default_rng(0)
    subjects = [f"p{i}" for i in range(20) for _ in range(20)]
    folds = make_folds(table_of(subjects, rng.integers(0, 3, 400).tolist()), 4, 0)
    counts = pd.crosstab(folds[folds.fold >= 0].label, folds[folds.fold >= 0].fold)
    assert counts.to_numpy().min() > 20


def test_unknown_subjects_are_grouped_by_video_and_said():
    table = table_of(["a", "a", "b", "b", "c", "c"], [0, 1, 0, 1, 0, 1])
    table.loc[0, "subject_id"] = ""
    folds = make_folds(table, 3, 0)
    assert (folds[folds.fold >= 0].groupby("video_id").fold.nunique() == 1).all()
    assert "subjects are unknown" in describe(folds, ("x", "y"))


def test_a_class_of_one_person_is_named():
    table = table_of(["a", "a", "b", "b", "c", "c"], [0, 1, 0, 0, 0, 0])
    text = describe(make_folds(table, 3, 0), ("common", "rare"))
    assert "all 1 clips of class 1 (rare)" in text


def people_of(counts: list[list[int]]) -> pd.DataFrame:
    """A table of `counts` (people, classes) clips."""
    rows = [(f"p{p}", c) for p, row in enumerate(counts) for c, number in enumerate(row) for _ in range(number)]
    return table_of([person for person, _ in rows], [label for _, label in rows])


@pytest.mark.parametrize("counts", [[[2, 0], [2, 0], [0, 1], [2, 2]], [[1, 0], [2, 2], [0, 2], [0, 2]]])
def test_as_many_folds_as_people_leave_none_empty(counts):
    folds = make_folds(people_of(counts), 4, 0)
    assert set(folds.fold) == {-1, 0, 1, 2, 3}
    assert (folds[folds.fold >= 0].groupby("subject_id").fold.nunique() == 1).all()


@settings(max_examples=40)
@given(st.lists(st.lists(st.integers(0, 3), min_size=3, max_size=3).filter(any), min_size=2, max_size=8), st.data())
def test_every_fold_has_clips(counts, data):  # also where no class has a clip for each fold
    num_folds = data.draw(st.integers(2, len(counts)))
    folds = make_folds(people_of(counts), num_folds, data.draw(st.integers(0, 3)))
    train = folds[folds.fold >= 0]
    assert set(train.fold) == set(range(num_folds))
    assert (train.groupby("subject_id").fold.nunique() == 1).all()


@pytest.mark.parametrize(
    ("subjects", "num_folds", "message"),
    [
        ("ab", 3, "--num-folds 3: expected 2 to 2, the number of subjects"),
        ("ab", 1, "--num-folds 1: expected 2 to 2"),
        ("aaa", 2, "all 3 training clips are of one subject, 'a', .* prepare without the table of subjects"),
        ("a", 2, "all 1 training clips are of one subject"),
    ],
)
def test_folds_that_cannot_be_made_say_what_can(subjects, num_folds, message):
    with pytest.raises(InputError, match=message):
        make_folds(table_of(list(subjects), [0] * len(subjects)), num_folds, 0)


def test_runs_whose_names_end_in_a_track_do_not_share_folds():
    paths = {folds_csv(run, track) for run in ("a", "a_track2", "track2") for track in ("track1", "track2")}
    assert len(paths) == 6


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,v,p,0,0\nb,w,q,1,2\n", "expected folds 0, 1, ... without a gap, two or more, got 0, 2"),
        ("a,v,p,0,0\nb,w,q,1,0\n", "two or more, got 0;"),
        ("a,v,p,0,-1\n", "got none"),
        ("a,v,p,0,0\nb,w,q,1,one\n", "row 3: fold is 'one', expected a whole number"),
        ("a,v,p,0,0\nb,w,q,1,0.5\n", "row 3: fold is '0.5'"),
        ("a,v,p,0,0\nb,w,q,-2,1\n", "row 3: label is '-2'"),
        ("a,v,p,0,0\na,v,p,0,0\n", "clip 'a' comes twice"),
        ("a,v,p,0,0\nb,w,q,1,1,7,8\n", "expected a csv with the columns"),
        ("".encode("utf-16"), "expected clip_id, video_id"),
    ],
)
def test_a_table_of_folds_that_cannot_be_is_named(workdir, content, message):
    folds_csv("tiny").parent.mkdir()
    text = content if isinstance(content, bytes) else ("clip_id,video_id,subject_id,label,fold\n" + content).encode()
    folds_csv("tiny").write_bytes(text)
    with pytest.raises(InputError, match=message):
        load_folds("tiny")


def test_command_writes_once_and_refuses_other_clips(workdir, capsys):
    write_clips(tiny_clips(), "tiny")
    main(["--run", "tiny", "--num-folds", "2"])
    before = folds_csv("tiny").read_bytes()
    assert b"clip_id,video_id,subject_id,label,fold\n" in before
    main(["--run", "tiny", "--num-folds", "2"])
    assert "nothing to do" in capsys.readouterr().out
    assert folds_csv("tiny").read_bytes() == before
    folds = load_folds("tiny")
    folds.iloc[1:].to_csv(folds_csv("tiny"), index=False)
    with pytest.raises(InputError, match="other clips"):
        main(["--run", "tiny", "--num-folds", "2"])


def test_a_subject_in_two_folds_is_refused(workdir):
    write_clips(tiny_clips(), "tiny")
    main(["--run", "tiny", "--num-folds", "2"])
    folds = load_folds("tiny")
    subject = folds.subject_id[folds.fold == 0].iloc[0]
    folds.loc[folds.index[folds.subject_id == subject][0], "fold"] = 1
    folds.to_csv(folds_csv("tiny"), index=False)
    with pytest.raises(InputError, match=f"subject '{subject}' is in 2 folds"):
        load_folds("tiny")


def test_people_are_dealt_out_where_no_class_has_a_clip_for_each_fold():
    folds = make_folds(people_of([[0, 0, 1], [0, 1, 0]]), 2, 0)
    assert sorted(folds.fold[folds.fold >= 0]) == [0, 1]
