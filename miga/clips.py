"""The prepared recordings of one track: one table of clips, one memory-mapped array of joints.

    clips/<run>/<track>/clips.csv    one row a clip, in natural order of clip_id
                        videos.csv   one row a video
                        joints.npy   (R, M, V, 3) float32: x, y in pixels, score in [0, 1]; missing = 0, 0, 0
                        meta.json    kind, skeleton, classes, which are mirror images of which, the codes and the first
                                     frame number of the source

A clip is the slice `row_offset : row_offset + num_frames` of joints.npy; nothing is copied until it is sampled. A test
clip that cannot be used keeps its row: its joints are zeros and `has_joints` is false, as where nobody is in view; a
clip without pictures has no `frames_path`.
"""

import json
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from miga.errors import InputError
from miga.frame_base import FrameBase
from miga.paths import clips_dir
from miga.skeleton_file import skeleton_from_dict
from miga.skeletons import Skeleton

FILE_NAME_ERRORS = "surrogateescape"  # as the system has it: bytes of a file's name that are no UTF-8 stay as they are
ID_COLUMNS = ("clip_id", "video_id", "subject_id", "split", "source_split", "frames_path")
VIDEO_COLUMNS = (
    *("video_id", "subject_id", "split", "source_split", "num_frames", "row_offset"),
    *("width", "height", "fps", "frames_path"),
)
CLIP_COLUMNS = (
    *("clip_id", "video_id", "subject_id", "split", "source_split", "label", "start_frame", "num_frames"),
    *("row_offset", "width", "height", "fps", "frames_path", "frames_start", "has_joints"),
)


@dataclass(frozen=True)
class Clips:
    """Clips of one track. `table` has CLIP_COLUMNS, `videos` has VIDEO_COLUMNS, both with text ids."""

    table: pd.DataFrame
    videos: pd.DataFrame
    joints: np.ndarray
    skeleton: Skeleton
    classes: tuple[str, ...]
    meta: dict
    mirror: np.ndarray | None  # (K,) class of the mirror image of each class; None where a clip must not be mirrored
    run: str = ""  # that they were prepared for

    def __len__(self) -> int:
        return len(self.table)

    @property
    def num_classes(self) -> int:
        return len(self.classes)

    @property
    def may_mirror(self) -> bool:
        """Whether the class of a mirrored clip is known."""
        return self.mirror is not None

    @cached_property
    def has_joints(self) -> np.ndarray:
        """(clips,) bool: whether some joint of somebody is seen in a clip."""
        return self.table.has_joints.to_numpy(bool)

    @cached_property
    def has_frames(self) -> np.ndarray:
        """(clips,) bool: whether a clip came with pictures; `recordings.rgb_store` says whether they could be read."""
        return (self.table.frames_path != "").to_numpy()

    @property
    def frame_base(self) -> FrameBase:
        """How the data's own label files, and so its submissions, number frames."""
        return FrameBase(self.meta["first_frame"])

    def joints_of(self, index: int) -> np.ndarray:
        """(T, M, V, 3) float32 of clip number `index`, a view into the memory-mapped array."""
        offset, num_frames = self._clip_slices[index]
        return self.joints[offset : offset + num_frames]

    def num_frames_of(self, index: int) -> int:
        """Frames of clip number `index`."""
        return int(self._clip_slices[index, 1])

    def joints_of_video(self, video_id: str) -> np.ndarray:
        """(T, M, V, 3) float32 of a whole video."""
        offset, num_frames = self._video_slices[video_id]
        return self.joints[offset : offset + num_frames]

    def is_seen(self, video_id: str) -> bool:
        """Whether some joint of somebody is seen in a video."""
        return bool((self.joints_of_video(video_id)[..., 2] > 0).any())

    @cached_property
    def _clip_slices(self) -> np.ndarray:  # a look-up in a data frame takes longer than sampling a clip
        return self.table[["row_offset", "num_frames"]].to_numpy()

    @cached_property
    def _video_slices(self) -> dict[str, tuple[int, int]]:
        rows = zip(self.videos.row_offset.tolist(), self.videos.num_frames.tolist(), strict=True)
        return dict(zip(self.videos.video_id, rows, strict=True))

    def rows_of(self, clip_ids: np.ndarray) -> np.ndarray:
        """Row numbers in `table` of these ids, in their order.

        Raises:
            InputError: an id is not in the table.
        """
        index = pd.Index(self.table.clip_id).get_indexer(clip_ids)
        if (index < 0).any():
            unknown = clip_ids[int(np.argmax(index < 0))]
            raise InputError(f"clip {unknown!r} is not a prepared clip; run recordings.prepare and folds.make again")
        return index


def videos_as_clips(clips: Clips) -> Clips:
    """The same recordings with one clip a video, in the order of `videos`, from its first frame to its last.

    Without the column `has_joints`: to know it, every joint of every video would be read.
    """
    videos = clips.videos
    table = videos.assign(clip_id=videos.video_id, label=-1, start_frame=0, frames_start=0)
    return replace(clips, table=table[[column for column in CLIP_COLUMNS if column != "has_joints"]])


def read_id_csv(path: Path, id_columns: tuple[str, ...]) -> pd.DataFrame:
    """Read a csv whose id columns stay text: no '0054_0' -> 540, no 'NA' -> missing, no '' -> NaN."""
    text_columns = dict.fromkeys(id_columns, str)
    return pd.read_csv(path, dtype=text_columns, keep_default_na=False, na_values={}, encoding_errors=FILE_NAME_ERRORS)


def load_clips(run: str, track: str) -> Clips:
    """Open what `recordings.prepare` made for this run.

    Raises:
        InputError: it has not been made yet.
    """
    folder = clips_dir(run, track)
    if not (folder / "meta.json").exists():
        command = f"python -m recordings.prepare --run {run} --{track} DIR"
        raise InputError(f"{folder}: no prepared recordings; run `{command}` first")
    meta = json.loads((folder / "meta.json").read_text())
    return Clips(
        table=read_id_csv(folder / "clips.csv", ID_COLUMNS),
        videos=read_id_csv(folder / "videos.csv", ID_COLUMNS),
        joints=np.load(folder / "joints.npy", mmap_mode="r", allow_pickle=False),
        skeleton=skeleton_from_dict(meta["skeleton"], str(folder / "meta.json")),
        classes=tuple(meta["classes"]),
        meta=meta,
        mirror=None if meta["mirror"] is None else np.array(meta["mirror"]),
        run=run,
    )
