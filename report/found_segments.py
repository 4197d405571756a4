"""What spotting finds in the training videos, each by networks that never saw its person, beside what is there."""

import numpy as np
from scipy.stats import t

from miga.clips import Clips, load_clips
from miga.errors import InputError
from miga.files import read_json
from miga.paths import spotting_json
from spotting.blend import read_search
from spotting.candidates import read_member
from spotting.job import gestures_of
from spotting.score import strict_matches
from spotting.segments import Segments
from spotting.thresholds import count, cross_fitted

Found = dict[str, Segments]


def read_found(run: str) -> tuple[Found, Found]:
    """(truth, found) by training video; found ones by the thresholds that the other folds choose.

    Raises:
        InputError: a file that cannot be read, or one that does not name the member that ships.
    """
    again = f"run `python -m spotting.blend --run {run}` again"
    names = read_json(spotting_json(run), again).get("members", [])
    if len(names) != 1:
        raise InputError(f"{spotting_json(run)}: expected one member, got {', '.join(names) or 'none'}; {again}")
    member, clips = read_member(run, names[0]), load_clips(run, "track2")
    search = read_search([member], {})
    candidates = member.held_out()
    truth = {video: gestures_of(clips, video) for video in candidates}
    return truth, cross_fitted(candidates, count(candidates, truth, search), member.fold_of, search)


def matches(truth: Segments, found: Segments) -> tuple[np.ndarray, np.ndarray]:
    """Which gestures are found, and which segments are right, by the strict rule."""
    matched = strict_matches(truth, found)
    return np.isin(np.arange(len(truth)), matched), matched >= 0


def person_values(truth: Found, found: Found, person: np.ndarray) -> np.ndarray:
    """(S,) a person, values whose mean is the F1 of all and which vary as it does, linearised: F1 is a ratio of sums.

    Args:
        person: (V,) whose each video is. A person with several videos counts once.
    """
    _, number = np.unique(person, return_inverse=True)
    hits = np.bincount(number, [matches(truth[video], found[video])[0].sum() for video in truth])
    total = np.bincount(number, [len(truth[video]) + len(found[video]) for video in truth])
    f1 = 2 * hits.sum() / max(total.sum(), 1)
    return f1 + (2 * hits - f1 * total) / max(total.mean(), 1)


def people_of(clips: Clips, videos: list[str]) -> np.ndarray:
    """(V,) whose video each is; the video itself where people are unknown."""
    subject = clips.videos.set_index("video_id").subject_id[videos]
    return np.where(subject == "", videos, subject).astype(str)


def f1_interval(clips: Clips, truth: Found, found: Found) -> tuple[float, float] | None:
    """(low, high) that should hold the F1 of the test people 95 times in 100.

    Student's, `mean +- t(S - 1) s sqrt(1 / S + 1 / M)` for S people seen and M new ones, who are taken to have as many
    gestures each; None with a single person.
    """
    values = person_values(truth, found, people_of(clips, list(truth)))
    if len(values) < 2:
        return None
    test = clips.videos.video_id[clips.videos.split == "test"].tolist()
    num_new = len(np.unique(people_of(clips, test))) if test else 1
    reach = t.ppf(0.975, len(values) - 1) * values.std(ddof=1) * np.sqrt(1 / len(values) + 1 / num_new)
    return max(values.mean() - reach, 0.0), min(values.mean() + reach, 1.0)
