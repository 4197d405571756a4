"""Who does what and when in the simulated recordings: python -m pytest tests/recordings/test_simulation_plan.py"""

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recordings.simulation.gestures import IMIGUE_PROGRAMS, SMG_PROGRAMS
from recordings.simulation.people import make_person
from recordings.simulation.plan import DEMO, SMOKE, TRACK1_TEMPO, deal, lay_out, plan, split_evenly

unhurried = settings(max_examples=60)


@pytest.mark.parametrize("profile", [DEMO, SMOKE], ids=lambda p: p.name)
def test_plan_has_the_promised_clips_and_people(profile):
    for seed in (0, 1):
        track1 = [r for r in plan(profile, seed) if r.track == 1]
        for splits, counts in ((("train", "validate"), profile.train_counts), (("test",), profile.test_counts)):
            owners = defaultdict(list)
            for r in track1:
                for gesture in r.gestures if r.split in splits else ():
                    owners[gesture.label].append(r.person.person_id)
            assert {label: len(people) for label, people in owners.items()} == counts
            assert all(len(set(people)) >= min(2, len(people)) for people in owners.values())
        track2 = [r for r in plan(profile, seed) if r.track == 2]
        assert len({r.person.person_id for r in track2}) == len(track2)
        assert {g.label for r in track2 if r.split == "train" for g in r.gestures} == set(profile.smg_shares)


def test_demo_profile_has_the_shape_of_the_real_counts():
    counts = DEMO.train_counts
    assert set(counts) == set(IMIGUE_PROGRAMS) == set(DEMO.test_counts) and len(counts) == 16
    assert 0.27 < counts[31] / sum(counts.values()) < 0.33
    assert sorted(counts.values())[:3] == [2, 3, 3]
    assert set(DEMO.smg_shares) == set(SMG_PROGRAMS)


@unhurried
@given(
    counts=st.dictionaries(st.integers(0, 31), st.integers(1, 30), min_size=1),
    num_people=st.integers(1, 8),
    seed=st.integers(0, 99),
)
def test_deal_keeps_every_clip(counts, num_people, seed):
    if sum(counts.values()) < 2 * num_people:
        return
    dealt = deal(counts, num_people, np.random.default_rng(seed))
    assert sorted(x for labels in dealt for x in labels) == sorted(k for k, n in counts.items() for _ in range(n))
    assert all(dealt)


@unhurried
@given(num_labels=st.integers(1, 40), num_parts=st.integers(1, 6), seed=st.integers(0, 99))
def test_split_evenly_loses_nothing_and_leaves_no_video_empty(num_labels, num_parts, seed):
    parts = split_evenly(list(range(num_labels)), num_parts, np.random.default_rng(seed))
    assert [x for part in parts for x in part] == list(range(num_labels))
    assert all(parts) and len(parts) == min(num_parts, num_labels)


@unhurried
@given(labels=st.lists(st.sampled_from(sorted(IMIGUE_PROGRAMS)), min_size=1, max_size=12), seed=st.integers(0, 99))
def test_labels_and_motions_lie_inside_the_recording(labels, seed):
    rng = np.random.default_rng(seed)
    gestures, distractors, num_frames = lay_out(labels, TRACK1_TEMPO, 1.0, make_person("1", False, rng), rng)
    assert [g.label for g in gestures] == labels
    for g in gestures:
        assert 0 <= g.start < g.end <= num_frames
        assert g.label_start >= 0 and g.label_end <= num_frames
        assert 0.6 * 25 <= g.label_end - g.label_start <= 4.5 * 25
    assert all(0 <= start < end <= num_frames for start, end in distractors)
