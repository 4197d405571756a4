"""What every reader hands over: recordings with their labelled segments, and the list of what is wrong with them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from datasets.errors import InputError
from datasets.skeletons import Skeleton

MAX_LISTED_PROBLEMS = 20


@dataclass(frozen=True)
class Options:
    """What a person may say about the recordings of one track on the command line."""

    train_split: tuple[str, ...] = ()
    test_split: tuple[str, ...] = ()
    test_videos: tuple[str, ...] = ()
    skeleton: Path | None = None
    subjects: Path | None = None
    subjects_are_shared: bool = False
    sided_classes: tuple[tuple[int, int], ...] | None = None  # pairs of codes; () = some, but no pairs; None = none
    joint_size: tuple[int, int] | None = None  # (width, height) of the picture that the joints are given in
    skip_bad_clips: bool = False


@dataclass(frozen=True)
class Segment:
    """One gesture in a recording; `label` is zero-based, -1 when unknown; frames count from 0."""

    clip_id: str
    label: int
    start_frame: int
    num_frames: int


@dataclass(frozen=True)
class Recording:
    """One video: `joints` (T, M, V, 3) float32 as in datasets.clips; `size` (width, height) where the data says it."""

    video_id: str
    split: str
    source_split: str
    joints: np.ndarray
    segments: list[Segment]
    fps: float
    size: tuple[int, int] | None = None


@dataclass(frozen=True)
class Source:
    """A data set on disk, opened but not read: `recordings` streams it, one video in memory at a time.

    codes: the number that stands for each class in the data's own label files.
    first_frame: the number that those files give to the first frame.
    """

    kind: str
    skeleton: Skeleton
    classes: tuple[str, ...]
    codes: tuple[int, ...]
    first_frame: int
    num_persons: int
    recordings: Callable[[], Iterator[Recording]]
    subject_is_video: bool = False
    fingers_may_be_swapped: bool = False
    # False where the frame numbers of the video are lost: RGB cannot be matched to such clips.
    frames_are_true: bool = True


@dataclass
class Problems:
    """Everything found wrong, in the order found, so that a person sees all of it at once.

    `bad` can be left out on request; `fatal` (ids that clash, splits that overlap) cannot. `notes` are legal oddities.
    """

    bad: list[tuple[str, str]] = field(default_factory=list)
    fatal: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def leave_out(self, what: str, sentence: str) -> None:
        """Report a clip or a file that cannot be used; `what` is its id or its path."""
        self.bad.append((what, sentence))

    def stop_if_any(self, skip_bad_clips: bool) -> None:
        """Raise one InputError that lists the problems, unless all of them may be left out."""
        sentences = list(self.fatal) + ([] if skip_bad_clips else [sentence for _, sentence in self.bad])
        if not sentences:
            return
        listed = sentences[:MAX_LISTED_PROBLEMS]
        more = len(sentences) - len(listed)
        if more:
            listed.append(f"... and {more} more")
        if len(sentences) > 1:
            listed.insert(0, f"{len(sentences)} things are wrong with the recordings, nothing was written:")
        if self.bad and not self.fatal:
            listed.append("(or repeat with --skip-bad-clips to count these, list them and leave them out)")
        raise InputError("\n  ".join(listed))


def clean_joints(x: np.ndarray, y: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Stack to (..., 3) float32; a point with a non-finite value, no score, or at 0, 0 becomes 0, 0, 0.

    Scores are cut to [0, 1]: pose estimators overshoot 1 by rounding.
    """
    joints = np.stack([x, y, np.clip(score, 0, 1)], axis=-1).astype(np.float32, copy=False)
    is_missing = ~np.isfinite(joints).all(-1) | (joints[..., 2] <= 0) | ((joints[..., 0] == 0) & (joints[..., 1] == 0))
    joints[is_missing] = 0
    return joints
