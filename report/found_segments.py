"""What spotting finds in the training videos, each by networks that never saw its person, beside what is there."""

import numpy as np
from scipy.stats import t

from folds.make import load_folds
from miga.paths import spotting_candidates_npz
from oof.arrays import read_arrays
from report.run_files import RunFiles
from spotting.score import IOU_THRESHOLD
from spotting.segments import Segments, make_segments, temporal_iou
from spotting.stages import gestures_of
from spotting.thresholds import apply

Found = dict[str, Segments]
MAX_SEGMENTS = 200


def read_found(files: RunFiles) -> tuple[Found, Found]:
    """(truth, found) by training video, found ones by the thresholds that ship."""
    clips, facts = files.clips("track2"), files.spotting
    path = files.needs(spotting_candidates_npz(files.run), "spot")
    arrays = read_arrays(path, f"run `python -m pipeline --run {files.run} --only spot --overwrite`")
    folds = load_folds(files.run, "track2")
    truth, found = {}, {}
    for video in clips.videos.video_id[clips.videos.video_id.isin(folds.video_id[folds.fold >= 0])]:
        mine = arrays["video"] == video
        candidates = make_segments(*(arrays[name][mine] for name in ("start", "end", "label", "score")))
        truth[video] = gestures_of(clips, video)
        found[video] = apply(candidates, facts["threshold"], facts["nms_iou"], MAX_SEGMENTS)
    return truth, found


def matches(truth: Segments, found: Segments) -> tuple[np.ndarray, np.ndarray]:
    """Which gestures are found and which segments are right, by the strict rule of `spotting.score`."""
    is_found, is_right = np.zeros(len(truth), bool), np.zeros(len(found), bool)
    iou = temporal_iou(found.start, found.end, truth.start, truth.end)
    iou[found.label[:, None] != truth.label[None]] = -1.0
    for i in np.argsort(-found.score, kind="stable") if len(truth) else ():
        best = int(iou[i].argmax())
        if iou[i, best] >= IOU_THRESHOLD:
            iou[:, best] = -1.0
            is_found[best] = is_right[i] = True
    return is_found, is_right


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


def people_of(files: RunFiles, videos: list[str]) -> np.ndarray:
    """(V,) whose video each is; the video itself where people are unknown."""
    subject = files.clips("track2").videos.set_index("video_id").subject_id[videos]
    return np.where(subject == "", videos, subject).astype(str)


def f1_interval(files: RunFiles, truth: Found, found: Found) -> tuple[float, float] | None:
    """(low, high) that should hold the F1 of the test people 95 times in 100, around the cross-fitted F1.

    Student's, `mean +- t(S - 1) s sqrt(1 / S + 1 / M)` for S people seen and M new ones, who are taken to have as many
    gestures each; None with a single person.
    """
    values = person_values(truth, found, people_of(files, list(truth)))
    if len(values) < 2:
        return None
    videos = files.clips("track2").videos
    test = videos.video_id[videos.split == "test"].tolist()
    num_new = len(np.unique(people_of(files, test))) if test else 1
    mean = files.spotting["out_of_fold"]["strict"]["f1"]
    reach = t.ppf(0.975, len(values) - 1) * values.std(ddof=1) * np.sqrt(1 / len(values) + 1 / num_new)
    return max(mean - reach, 0.0), min(mean + reach, 1.0)
