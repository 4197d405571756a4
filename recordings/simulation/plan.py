"""Who is filmed, which recordings there are, and which gesture happens when: everything but the motion itself."""

from dataclasses import dataclass

import numpy as np

from recordings.simulation.people import Person, make_person

# Mean length of a gesture in seconds, before a person's pace and chance; by zero-based class.
IMIGUE_SECONDS = {
    **{0: 1.7, 7: 2.3, 8: 2.1, 10: 2.6, 11: 2.3, 12: 2.4, 16: 3.4, 19: 2.2},
    **{21: 2.4, 22: 3.0, 23: 3.1, 27: 1.7, 28: 1.9, 29: 3.1, 30: 1.8, 31: 2.7},
}
SMG_SECONDS = {0: 1.2, 2: 1.8, 4: 1.3, 7: 1.8, 8: 1.9, 9: 1.6, 10: 1.4, 11: 1.4, 12: 1.4, 16: 1.5}
SHORTEST_SEC, LONGEST_SEC = 0.8, 4.2  # of the motion
SHORTEST_LABEL_SEC = 0.6


@dataclass(frozen=True)
class Tempo:
    """How gestures follow one another in a recording."""

    fps: float
    seconds: dict[int, float]  # mean length of the motion by zero-based class
    pause_sec: float
    hurry: float  # share of gestures that begin while the one before ends
    sloppy: float  # share of a motion that its label may miss at either end


TRACK1_TEMPO = Tempo(fps=25.0, seconds=IMIGUE_SECONDS, pause_sec=1.0, hurry=0.4, sloppy=0.30)  # iMiGUE: 25 fps
TRACK2_TEMPO = Tempo(fps=28.0, seconds=SMG_SECONDS, pause_sec=0.75, hurry=0.0, sloppy=0.10)  # SMG: about 28 fps


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
    time_scale: float  # factor on the lengths of track 1's motions and pauses


# The shape of the real counts (recordings.labels.IMIGUE_TRAIN_COUNTS) over 16 of the classes: the largest is 29 %.
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
    gestures_per_sequence=(25, 29),
    smg_shares={7: 0.26, 8: 0.22, 4: 0.13, 9: 0.09, 11: 0.09, 16: 0.07, 2: 0.06, 10: 0.04, 12: 0.02, 0: 0.02},
    time_scale=1.0,
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
    time_scale=0.65,
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
    num_frames: int
    gestures: tuple[Gesture, ...]
    distractors: tuple[tuple[int, int], ...]  # [start, end)
    seed: tuple[int, ...]

    @property
    def fps(self) -> float:
        return (TRACK1_TEMPO if self.track == 1 else TRACK2_TEMPO).fps


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
        gestures, distractors, num_frames = lay_out(labels, TRACK1_TEMPO, profile.time_scale, person, rng)
        content = (seed, 1, int(number))
        recordings.append(Recording(1, f"{number:04d}", person, split, num_frames, gestures, distractors, content))
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
        gestures, distractors, num_frames = lay_out(list(drawn), TRACK2_TEMPO, 1.0, person, rng)
        split, content = "test" if is_test else "train", (seed, 2, number)
        name = f"Sample{number:04d}"
        recordings.append(Recording(2, name, person, split, num_frames, gestures, distractors, content))
    return recordings


def deal(counts: dict[int, int], num_people: int, rng: np.random.Generator) -> list[list[int]]:
    """Give the clips to people, by personal habit: a rare class to as many as it has clips, others to two or more."""
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
    at_least = np.arange(1, num_parts + 1)
    spare = np.maximum.accumulate(np.clip(cuts - at_least, 0, len(labels) - num_parts))  # never falls: cuts rise
    cuts = spare + at_least
    return [labels[first:last] for first, last in zip([0, *cuts[:-1]], cuts, strict=True)]


def lay_out(
    labels: list[int], tempo: Tempo, time_scale: float, person: Person, rng: np.random.Generator
) -> tuple[tuple[Gesture, ...], tuple[tuple[int, int], ...], int]:
    """Put gestures one after another with pauses between them; long pauses may hold a distractor.

    Returns:
        gestures in time order, distractors as [start, end), and the number of frames. Every label lies inside the
        recording; where one gesture runs into the next, two labels may share a few frames, as in the real files.
    """
    gestures: list[Gesture] = []
    distractors: list[tuple[int, int]] = []
    at, fps = 0, tempo.fps
    for i, label in enumerate(labels):
        pause = draw_pause(tempo, time_scale, rng)
        if i > 0 and rng.random() < tempo.hurry:
            pause = round(rng.uniform(-0.3, 0.1) * fps)
        add_distractor(distractors, at, at + pause, fps, rng)
        start = at + pause
        length_sec = time_scale * tempo.seconds[int(label)] / person.manner.pace**0.5 * rng.lognormal(-0.05, 0.33)
        length = round(float(np.clip(length_sec, SHORTEST_SEC, LONGEST_SEC)) * fps)
        early, late = rng.integers(-3, 4, 2) + np.round(rng.uniform(0, tempo.sloppy * length, 2)).astype(int)
        late = min(late, length - early - round(SHORTEST_LABEL_SEC * fps))
        gestures.append(Gesture(int(label), start, start + length, int(start + early), int(start + length - late)))
        at = start + length
    pause = draw_pause(tempo, time_scale, rng)
    add_distractor(distractors, at, at + pause, fps, rng)
    return tuple(gestures), tuple(distractors), at + pause


def draw_pause(tempo: Tempo, time_scale: float, rng: np.random.Generator) -> int:
    """Frames between two gestures, long ones now and then; never fewer than the slack of the labels."""
    return max(6, round(time_scale * tempo.pause_sec * tempo.fps * float(np.clip(rng.lognormal(-0.2, 0.6), 0.3, 4.0))))


def add_distractor(
    distractors: list[tuple[int, int]], start: int, end: int, fps: float, rng: np.random.Generator
) -> None:
    """Fill most pauses that are long enough to do something."""
    if end - start > 0.6 * fps and rng.random() < 0.7:
        distractors.append((start + 3, end - 3))
