"""What every reader hands over: recordings with their labelled segments, and the list of what is wrong with them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from miga.errors import InputError
from miga.frame_base import FrameBase
from miga.skeletons import Skeleton

MAX_LISTED_PROBLEMS = 20
LONGEST = 1_000_000  # frames, eleven hours at 25 a second: where a length is not known, no clip goes beyond


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
    """One gesture in a recording; `label` is zero-based, -1 when unknown; frames count from 0.

    A test clip whose frames cannot be has start_frame -1 and num_frames 0: it has neither joints nor pictures.
    """

    clip_id: str
    label: int
    start_frame: int
    num_frames: int


@dataclass(frozen=True)
class Recording:
    """One video: `joints` (T, M, V, 3) float32 as in miga.clips; `size` (width, height) where the data says it.

    A test recording without a usable skeleton has T = 0; its segments say where its clips lie in the video.
    """

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
    frame_base: how those files number frames.
    """

    kind: str
    skeleton: Skeleton
    classes: tuple[str, ...]
    codes: tuple[int, ...]
    frame_base: FrameBase
    num_persons: int
    recordings: Callable[[], Iterator[Recording]]
    subject_is_video: bool = False
    fingers_may_be_swapped: bool = False
    # False where the frame numbers of the video are lost: RGB cannot be matched to such clips.
    frames_are_true: bool = True


@dataclass
class Problems:
    """Everything found wrong, in the order found, so that a person sees all of it at once.

    `bad` can be left out on request; `fatal` (ids that clash, splits that overlap) cannot. `kept` are test clips and
    recordings that cannot be used: a submission needs their rows, so they stay, without input. `notes` are legal
    oddities.
    """

    bad: list[tuple[str, str]] = field(default_factory=list)
    kept: list[tuple[str, str]] = field(default_factory=list)
    fatal: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def leave_out(self, what: str, sentence: str) -> None:
        """Report a clip or a file that cannot be used; `what` is its id or its path."""
        self.bad.append((what, sentence))

    def unusable(self, split: str, what: str, sentence: str) -> None:
        """Report a clip, a recording or its RGB that cannot be used: a test's is kept, a training's left out."""
        (self.kept if split == "test" else self.bad).append((what, sentence))

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


def joints_or_none(
    read: Callable[[Path], np.ndarray], path: Path, split: str, video_id: str, num_joints: int, problems: Problems
) -> np.ndarray | None:
    """What `read` makes of a skeleton file; when it cannot be used, no rows for a test recording, None for training."""
    try:
        if not path.is_file():
            raise InputError(f"{path}: no such file; add the recording")
        return read(path)
    except InputError as error:
        problems.unusable(split, video_id, str(error))
    return np.zeros((0, 1, num_joints, 3), np.float32) if split == "test" else None


def clean_joints(x: np.ndarray, y: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Stack to (..., 3) float32; a point with a non-finite value, no score, or at 0, 0 becomes 0, 0, 0.

    Scores are cut to [0, 1]: pose estimators overshoot 1 by rounding.
    """
    joints = np.stack([x, y, np.clip(score, 0, 1)], axis=-1).astype(np.float32, copy=False)
    is_missing = ~np.isfinite(joints).all(-1) | (joints[..., 2] <= 0) | ((joints[..., 0] == 0) & (joints[..., 1] == 0))
    joints[is_missing] = 0
    return joints
