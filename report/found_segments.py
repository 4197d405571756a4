"""What spotting finds in the training videos, each by networks that never saw its person, beside what is there."""

import numpy as np

from miga.clips import Clips
from spotting.forecast import num_new_people
from spotting.people import by_person, f1_of, interval, linearised
from spotting.score import strict_matches
from spotting.segments import Segments
from spotting.systems import SHIPPED, persons_of, read_systems

Found = dict[str, Segments]


def read_found(run: str) -> tuple[Found, Found]:
    """(truth, found) by training video: what ships, the whole procedure cross-fitted.

    Raises:
        InputError: a file that cannot be read.
    """
    systems, truth, _ = read_systems(run)
    return truth, systems[SHIPPED]


def matches(truth: Segments, found: Segments) -> tuple[np.ndarray, np.ndarray]:
    """Which gestures are found, and which segments are right, by the strict rule."""
    matched = strict_matches(truth, found)
    return np.isin(np.arange(len(truth)), matched), matched >= 0


def counts_by_person(truth: Found, found: Found, person: np.ndarray) -> np.ndarray:
    """(S, 3) hits, predicted and true of each person; `person`: (V,) whose each video is."""
    counts = [[matches(truth[v], found[v])[0].sum(), len(found[v]), len(truth[v])] for v in truth]
    return by_person(np.array(counts), person)


def person_values(truth: Found, found: Found, person: np.ndarray) -> np.ndarray:
    """(S,) a person, values whose mean is the F1 of all and which vary as it does, linearised: F1 is a ratio of sums.

    Args:
        person: (V,) whose each video is. A person with several videos counts once.
    """
    counts = counts_by_person(truth, found, person)
    return f1_of(counts) + linearised(counts)


def people_of(clips: Clips, videos: list[str]) -> np.ndarray:
    """(V,) whose video each is; the video itself where people are unknown."""
    person = persons_of(clips)
    return np.array([person[video] for video in videos])


def f1_interval(clips: Clips, truth: Found, found: Found) -> list[float] | None:
    """[low, high] that should hold the F1 of the test people 95 times in 100, as in the forecast of track 2."""
    counts = counts_by_person(truth, found, people_of(clips, list(truth)))
    return interval(counts, num_new_people(clips, len(counts)))
