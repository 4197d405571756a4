"""Order of classes, wrong labels, strips: python -m pytest -n 0 tests/report/test_confusion.py"""

import base64
from types import SimpleNamespace

import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ensemble.join import Entries
from report.confusion import order_by_likeness, suspects, wrong_clips
from report.run_files import Shown
from report.strips import FRAMES, SIDE, StripMaker
from tests.tiny import tiny_clips, write_clips


@given(st.integers(0, 12).flatmap(lambda k: arrays(int, (k, k), elements=st.integers(0, 50))))
def test_the_order_holds_every_class_once(counts):
    assert sorted(order_by_likeness(counts).tolist()) == list(range(len(counts)))


def test_classes_that_are_confused_become_neighbours():
    counts = 20 * np.eye(6, dtype=int)
    for a, b in ((0, 3), (1, 4), (2, 5)):
        counts[a, b] = counts[b, a] = 15
    place = np.argsort(order_by_likeness(counts))
    assert all(abs(place[a] - place[b]) == 1 for a, b in ((0, 3), (1, 4), (2, 5)))


def entries_that_see(truth: np.ndarray, label: np.ndarray, num_entries: int = 5) -> SimpleNamespace:
    logits = np.stack([6 * np.eye(3)[truth]] * num_entries)
    ids = np.array([f"c{i:03d}" for i in range(len(label))])
    names = tuple(f"e{i}" for i in range(num_entries))
    empty = np.zeros(0, str)
    entries = Entries(names, ids, label * 0, label, logits, np.array(["a", "b", "c"]), empty, ())
    return SimpleNamespace(entries=entries, networks=list(range(num_entries)))


def test_planted_wrong_labels_are_found():
    truth = np.arange(90) % 3
    label = truth.copy()
    label[[4, 40]] = (truth[[4, 40]] + 1) % 3
    assert [one[:4] for one in suspects(entries_that_see(truth, label))] == [("c004", 2, 1, 5), ("c040", 2, 1, 5)]
    assert suspects(entries_that_see(truth, label, num_entries=2)) == []  # two that agree are not several


def test_wrong_clips_come_the_surest_first():
    probabilities = np.array([[0.6, 0.4], [0.9, 0.1], [0.2, 0.8]])
    shown = Shown(np.array(["x", "y", "z"]), np.array([1, 1, 1]), probabilities, "")
    assert wrong_clips(SimpleNamespace(shown=shown)) == {(1, 0): [["y", 0.9, 0.1], ["x", 0.6, 0.4]]}


def test_strips_of_one_frame_and_of_nobody(workdir):
    clips = tiny_clips()
    write_clips(clips, "tiny")
    maker = StripMaker("tiny", clips)
    lengths = clips.table.num_frames
    for row in (int(lengths.argmin()), int(np.argmin(clips.table.has_joints)), 5):
        content = base64.b64decode(maker.strip(clips.table.clip_id[row]).split(",")[1])
        sheet = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
        assert sheet.shape == (SIDE, FRAMES * SIDE, 3)
        assert (sheet.max() > 120) == bool(clips.table.has_joints[row])
