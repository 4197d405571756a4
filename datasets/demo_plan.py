"""Who is filmed, which recordings there are, and which gesture happens when: everything but the motion itself."""

from dataclasses import dataclass

import numpy as np

from datasets.demo_people import Person, make_person

TRACK1_FPS = 25.0  # iMiGUE
TRACK2_FPS = 28.0  # SMG: about 28 frames per second

# Mean length of a gesture in seconds, before a person's pace and chance; by zero-based class.
IMIGUE_SECONDS = {
    **{0: 1.4, 7: 1.9, 8: 1.7, 10: 2.1, 11: 1.9, 12: 2.0, 16: 2.9, 19: 1.8},
    **{21: 2.0, 22: 2.5, 23: 2.6, 27: 1.4, 28: 1.5, 29: 2.6, 30: 1.4, 31: 2.3},
}
SMG_SECONDS = {0: 1.2, 2: 1.8, 4: 1.3, 7: 1.8, 8: 1.9, 9: 1.6, 10: 1.4, 11: 1.4, 12: 1.4, 16: 1.5}
SHORTEST_SEC, LONGEST_SEC = 0.6, 4.0
SEQUENCE_GAP_SEC = 0.9


@dataclass(frozen=True)
class Profile:
    """How much to make. Counts are clips by zero-based class; SMG shares are chances by zero-based class."""

    name: str
    train_people: int
    test_people: int
    most_videos: int  # per person; the fewest is one less than 3, or this
    train_counts: dict[int, int]
    test_counts: dict[int, int]
    train_sequences: int
    test_sequences: int
    gestures_per_sequence: tuple[int, int]
    smg_shares: dict[int, float]


# The shape of the real counts (datasets.labels.IMIGUE_TRAIN_COUNTS) over 16 of the classes: the largest is 29 %.
DEMO = Profile(
    name="demo",
    train_people=10,
    test_people=4,
    most_videos=4,
    train_counts={
        **{31: 117, 30: 70, 28: 42, 19: 34, 7: 32, 23: 25, 22: 24, 21: 14},
        **{16: 12, 10: 11, 11: 6, 12: 5, 8: 4, 27: 3, 0: 3, 29: 2},
    },
    test_counts={
        **{31: 42, 30: 25, 28: 15, 19: 12, 7: 12, 23: 10, 22: 9, 21: 6},
        **{16: 5, 10: 4, 11: 3, 12: 2, 8: 2, 27: 1, 0: 1, 29: 1},
    },
    train_sequences=8,
    test_sequences=3,
    gestures_per_sequence=(25, 30),
    smg_shares={7: 0.26, 8: 0.22, 4: 0.13, 9: 0.09, 11: 0.09, 16: 0.07, 2: 0.06, 10: 0.04, 12: 0.02, 0: 0.02},
)
SMOKE = Profile(
    name="smoke",
    train_people=4,
    test_people=2,
    most_videos=2,
    train_counts={31: 13, 30: 9, 22: 7, 7: 5, 16: 4, 29: 2},
    test_counts={31: 5, 30: 4, 22: 3, 7: 2, 16: 1, 29: 1},
    train_sequences=3,
    test_sequences=2,
    gestures_per_sequence=(4, 5),
    smg_shares={7: 0.4, 8: 0.35, 16: 0.25},
)
PROFILES = {profile.name: profile for profile in (DEMO, SMOKE)}


@dataclass(frozen=True)
class Gesture:
    """A motion over frames [start, end), and the frames [label_start, label_end) an annotator gave it. From 0."""

    label: int
    start: int
    end: int
    label_start: int
    label_end: int


@dataclass(frozen=True)
class Recording:
    """One video of track 1 or one sequence of track 2. `seed` feeds everything random about its content."""

    track: int
    video_id: str
    person: Person
    split: str  # 'train', 'validate' or 'test'
    fps: float
    num_frames: int
    gestures: tuple[Gesture, ...]
    distractors: tuple[tuple[int, int], ...]  # [start, end)
    seed: tuple[int, ...]


def plan(profile: Profile, seed: int) -> list[Recording]:
    """All recordings of a profile, track 1 first, each track in the order of its video ids."""
    return plan_track1(profile, seed) + plan_track2(profile, seed)


def plan_track1(profile: Profile, seed: int) -> list[Recording]:
    """Deal the clips of every class to people, then to their videos; train people never appear in test."""
    rng = np.random.default_rng([seed, 1])
    num_people = profile.train_people + profile.test_people
    people = [make_person(f"{i + 1:02d}", False, rng) for i in range(num_people)]
    rng.shuffle(people)
    videos: list[tuple[Person, str, list[int]]] = []
    groups = (("train", people[: profile.train_people]), ("test", people[profile.train_people :]))
    for split, group in groups:
        dealt = deal(profile.train_counts if split == "train" else profile.test_counts, len(group), rng)
        for person, labels in zip(group, dealt, strict=True):
            num_videos = int(rng.integers(min(2, profile.most_videos), profile.most_videos + 1))
            parts = split_evenly(labels, num_videos, rng)
            for i, part in enumerate(parts):
                is_validate = split == "train" and i > 0 and i == len(parts) - 1 and rng.random() < 0.6
                videos.append((person, "validate" if is_validate else split, part))
    numbers = np.sort(rng.choice(np.arange(1, 454), len(videos), replace=False))
    order = rng.permutation(len(videos))
    recordings = []
    for number, which in zip(numbers, order, strict=True):
        person, split, labels = videos[which]
        fps = TRACK1_FPS
        gestures, distractors, num_frames = lay_out(labels, IMIGUE_SECONDS, person, fps, 1.05, rng)
        content = (seed, 1, int(number))
        recordings.append(Recording(1, f"{number:04d}", person, split, fps, num_frames, gestures, distractors, content))
    return recordings


def plan_track2(profile: Profile, seed: int) -> list[Recording]:
    """One sequence a person; test people's numbers begin at 36, as in SMG."""
    rng = np.random.default_rng([seed, 2])
    labels, shares = np.array(list(profile.smg_shares)), np.array(list(profile.smg_shares.values()))
    recordings = []
    for i in range(profile.train_sequences + profile.test_sequences):
        is_test = i >= profile.train_sequences
        number = 36 + i - profile.train_sequences if is_test else i + 1
        person = make_person(f"{100 + number}", True, rng)
        habit = shares * rng.gamma(4.0, 0.25, len(shares))
        count = int(rng.integers(profile.gestures_per_sequence[0], profile.gestures_per_sequence[1] + 1))
        drawn = rng.choice(labels, count, p=habit / habit.sum())
        # Every class at least once somewhere in train: the classes take turns in the first place of a sequence.
        own = [label for j, label in enumerate(labels) if not is_test and j % profile.train_sequences == i]
        drawn[: len(own)] = own
        rng.shuffle(drawn)
        fps = TRACK2_FPS
        gestures, distractors, num_frames = lay_out(list(drawn), SMG_SECONDS, person, fps, SEQUENCE_GAP_SEC, rng)
        split, content = "test" if is_test else "train", (seed, 2, number)
        name = f"Sample{number:04d}"
        recordings.append(Recording(2, name, person, split, fps, num_frames, gestures, distractors, content))
    return recordings


def deal(counts: dict[int, int], num_people: int, rng: np.random.Generator) -> list[list[int]]:
    """Give the clips to people: by personal habit, a rare class to as many people as it has clips, others to two at least."""
    dealt: list[list[int]] = [[] for _ in range(num_people)]
    for label, count in counts.items():
        habit = rng.dirichlet(np.full(num_people, 2.5))
        distinct = min(count if count <= 4 else 2, num_people)
        owners = list(rng.permutation(num_people)[:distinct])
        owners += list(rng.choice(num_people, count - distinct, p=habit))
        for owner in owners:
            dealt[owner].append(label)
    for poor in dealt:
        while len(poor) < 2:
            poor.append(max(dealt, key=len).pop())
    for labels in dealt:
        rng.shuffle(labels)
    return dealt


def split_evenly(labels: list[int], num_parts: int, rng: np.random.Generator) -> list[list[int]]:
    """Cut into at most `num_parts` lists of uneven length, none of them empty."""
    num_parts = min(num_parts, len(labels))
    shares = rng.uniform(0.6, 1.4, num_parts)
    cuts = np.round(np.cumsum(shares) / shares.sum() * len(labels)).astype(int)
    cuts = np.maximum.accumulate(np.maximum(cuts, np.arange(1, num_parts + 1)))
    cuts[-1] = len(labels)
    return [labels[first:last] for first, last in zip([0, *cuts[:-1]], cuts, strict=True)]


def lay_out(
    labels: list[int], seconds: dict[int, float], person: Person, fps: float, gap_sec: float, rng: np.random.Generator
) -> tuple[tuple[Gesture, ...], tuple[tuple[int, int], ...], int]:
    """Put gestures one after another with pauses between them; long pauses may hold a distractor.

    Returns:
        gestures in time order, distractors, and the number of frames. Labels are off the motion by a few frames, as an
        annotator's are, never overlap, and lie inside the recording.
    """
    gestures, distractors = [], []
    at = 0
    for i in range(len(labels) + 1):
        pause = gap_sec * float(np.clip(rng.lognormal(-0.2, 0.6), 0.3, 4.0))
        until = at + max(6, round(pause * fps))
        if until - at > 1.0 * fps and rng.random() < 0.7:
            distractors.append((at + 3, until - 3))
        if i == len(labels):
            return tuple(gestures), tuple(distractors), until
        length_sec = seconds[int(labels[i])] / person.manner.pace**0.5 * rng.lognormal(-0.05, 0.33)
        length = round(float(np.clip(length_sec, SHORTEST_SEC, LONGEST_SEC)) * fps)
        early, late = rng.integers(-2, 4, 2)
        gestures.append(Gesture(int(labels[i]), until, until + length, int(until + early), int(until + length - late)))
        at = until + length
    raise AssertionError("unreachable")
