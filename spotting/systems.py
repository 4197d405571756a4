"""Final segments of the training videos, cross-fitted, by every system: what ships, each recipe, each member alone.

spotting/<run>/out_of_fold.npz    a row a segment: system, video (text), start, end, label, score as in `candidates`
"""

import numpy as np

from miga.clips import Clips, load_clips
from miga.errors import InputError
from miga.files import replacing
from miga.paths import spotting_out_of_fold_npz
from oof.arrays import read_arrays
from spotting.candidates import folds_of_run
from spotting.job import gestures_of
from spotting.segments import Segments, concatenate, empty_segments, make_segments

SHIPPED = "as shipped"  # the whole procedure, the choice of the recipe held out too
COLUMNS = ("start", "end", "label", "score")


def write_systems(run: str, systems: dict[str, dict[str, Segments]]) -> None:
    """Segments per system and training video."""
    rows = [(name, video, one) for name, found in systems.items() for video, one in found.items()]
    counts = [len(one) for _, _, one in rows]
    joined = concatenate([one for _, _, one in rows])
    text = [np.repeat(np.array([row[i] for row in rows], np.str_), counts) for i in range(2)]
    columns = {name: getattr(joined, name) for name in COLUMNS}
    with replacing(spotting_out_of_fold_npz(run)) as temporary, open(temporary, "wb") as file:
        np.savez(file, systems=np.array(list(systems), np.str_), system=text[0], video=text[1], **columns)


def read_systems(run: str) -> tuple[dict[str, dict[str, Segments]], dict[str, Segments], dict[str, str]]:
    """Segments per system and training video, the gestures that are there, and whose video each is.

    Raises:
        InputError: there is no blend yet, or it was made from other videos.
    """
    path, cure = spotting_out_of_fold_npz(run), f"run `python -m spotting.blend --run {run}`"
    arrays, clips = read_arrays(path, cure), load_clips(run, "track2")
    videos = [video for video, fold in folds_of_run(run).items() if fold >= 0]
    if missing := [name for name in ("systems", "system", "video", *COLUMNS) if name not in arrays]:
        raise InputError(f"{path}: has no {', '.join(missing)}; {cure}")
    if unknown := sorted(set(arrays["video"].tolist()) - set(videos)):
        raise InputError(f"{path}: has video {unknown[0]}, which is no training video of this run; {cure}")
    systems = {name: dict.fromkeys(videos, empty_segments()) for name in arrays["systems"].tolist()}
    for name, found in systems.items():
        for video in videos:
            rows = (arrays["system"] == name) & (arrays["video"] == video)
            found[video] = make_segments(*(arrays[column][rows] for column in COLUMNS))
    return systems, {video: gestures_of(clips, video) for video in videos}, persons_of(clips)


def persons_of(clips: Clips) -> dict[str, str]:
    """Video -> its person; the video itself where persons are unknown."""
    videos = clips.videos
    known = bool((videos.subject_id[videos.split == "train"] != "").all())
    return dict(zip(videos.video_id, videos.subject_id if known else videos.video_id, strict=True))
