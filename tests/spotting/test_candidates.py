"""The files of members. Alone: python -m pytest -n 0 tests/spotting/test_candidates.py"""

import json

import numpy as np
import pytest

from folds.make import main as make_folds
from miga.errors import InputError
from miga.paths import spotting_member_json, spotting_member_npz
from spotting.candidates import (
    AVERAGE,
    Member,
    fingerprint_of_run,
    folds_of_run,
    read_member,
    read_members,
    write_member,
)
from spotting.segments import make_segments
from tests.spotting.tiny_videos import write_tiny_videos

FACTS = {"settings": {}, "device": "cpu", "minutes": 0.1, "out_of_fold": {}}


@pytest.fixture
def fold_of(workdir):
    write_tiny_videos()
    make_folds(["--run", "tiny", "--track", "track2", "--num-folds", "2"])
    return folds_of_run("tiny")


def member_of(fold_of: dict[str, int], name: str = "joint") -> Member:
    found = {("0001", fold_of["0001"]): make_segments([10, 45.5], [30, 70.25], [0, 1], [0.9, 0.1])}
    found |= {("0101", model): make_segments([12], [31], [0], [0.5]) for model in (AVERAGE, 0, 1)}
    return Member(name, fold_of, found, {**FACTS, "fingerprint": fingerprint_of_run("tiny")})


def test_what_is_written_is_read(fold_of):
    written = member_of(fold_of)
    write_member("tiny", written)
    first = spotting_member_npz("tiny", "joint").read_bytes()
    (read,) = read_members("tiny")
    assert read.fold_of == fold_of and read.folds == [0, 1] and read.found.keys() == written.found.keys()
    for key, segments in written.found.items():
        for column in ("start", "end", "label", "score"):
            np.testing.assert_array_equal(getattr(read.found[key], column), getattr(segments, column))
    assert len(read.held_out()["0001"]) == 2 and len(read.held_out()["0002"]) == 0
    assert read.held_out().keys() == {"0001", "0002", "0003", "0004"} and list(read.test()) == ["0101", "0102", "0103"]
    write_member("tiny", read)
    assert spotting_member_npz("tiny", "joint").read_bytes() == first


def test_a_member_without_any_candidate(fold_of):
    write_member("tiny", Member("none", fold_of, {}, {**FACTS, "fingerprint": fingerprint_of_run("tiny")}))
    assert not read_member("tiny", "none").found


def test_nothing_wrong_is_written(fold_of):
    good = member_of(fold_of)
    with pytest.raises(ValueError, match="unknown"):
        write_member("tiny", Member("m", fold_of, {("0101", 7): good.found["0101", 0]}, good.facts))
    with pytest.raises(ValueError, match="row 1: expected 0 <= start < end"):
        write_member("tiny", Member("m", fold_of, {("0101", 0): make_segments([5], [5], [0])}, good.facts))


def changed(column: str, value):
    """A change of one column of the npz, with the json told of it."""

    def change():
        path = spotting_member_npz("tiny", "joint")
        arrays = dict(np.load(path))
        if value is None:
            del arrays[column]
        else:
            arrays[column] = value(arrays[column])
        np.savez(path, **arrays)
        _tell_json("sha256", None)

    return change


def _tell_json(key, value):
    from miga.files import file_sha256

    path = spotting_member_json("tiny", "joint")
    facts = json.loads(path.read_text())
    facts[key] = file_sha256(spotting_member_npz("tiny", "joint")) if key == "sha256" and value is None else value
    path.write_text(json.dumps(facts))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda: spotting_member_json("tiny", "joint").unlink(), "joint.json: .*make member joint again"),
        (lambda: spotting_member_npz("tiny", "joint").write_bytes(b"x"), "not an npz"),
        (lambda: _tell_json("sha256", "0"), "not the file that joint.json was written for"),
        (lambda: _tell_json("fingerprint", {}), "made with other folds and other clips"),
        (lambda: _tell_json("videos", {"0001": 0}), "looked at other videos than this run has"),
        (changed("score", None), "expected columns .*, has no score"),
        (changed("score", lambda x: x[:-1]), r"score has shape \(4,\), expected a number for each of 5 rows"),
        (changed("score", lambda x: x + 1), "row 1: expected 0 <= start < end, .*0 <= score <= 1"),
        (changed("start", lambda x: x * np.nan), "row 1: expected 0 <= start < end"),
        (changed("label", lambda x: x + 0.5), "label is .* expected whole numbers"),
        (
            changed("video", lambda x: np.array(["9"] * len(x))),
            "row 1: video 9 of fold . by model ., which this run has",
        ),
        (changed("model", lambda x: x + 5), "by model ., which this run has not"),
        (changed("fold", lambda x: x + 1), "of fold ., by model|of fold . by model"),
    ],
)
def test_a_wrong_file_is_refused_in_a_sentence(fold_of, change, message):
    write_member("tiny", member_of(fold_of))
    change()
    with pytest.raises(InputError, match=message):
        read_members("tiny")


def test_other_folds_make_a_member_stale(fold_of):
    write_member("tiny", member_of(fold_of))
    make_folds(["--run", "tiny", "--track", "track2", "--num-folds", "4", "--overwrite"])
    with pytest.raises(InputError, match="made with other folds than this run has; make member joint again"):
        read_member("tiny", "joint")
