"""The folders and csv files of the simulated recordings: exactly those of iMiGUE and SMG.

    imigue/subjects.csv                                           video_id,subject_id
    imigue/imigue_skeleton_{train,validate,test}/NNNN/NNNN_light_hand.csv, NNNN_label.csv
    imigue/imigue_rgb_{train,validate,test}/NNNN/NNNN.mp4
    smg/smg_skeleton_{train,test}/SampleNNNN/SampleNNNN_{skeleton,data,finelabels}.csv
    smg/smg_rgb_{train,test}/SampleNNNN/SampleNNNN_color.mp4
    answers/track1.csv, answers/smg/SampleNNNN/SampleNNNN_finelabels.csv   what the test folders leave out
    sample_submission_track1.csv

iMiGUE: `class,start,end`, frames from 0, both inclusive, class 1..31 or 99. SMG: frames from 1, both inclusive, 1..17.
"""

from pathlib import Path

import numpy as np

from miga.files import replacing
from miga.ids import clip_id_of
from recordings.labels import IMIGUE_CODES, SMG_CODES
from recordings.simulation.plan import Recording

MAX_DEPTH_MM = 4500
DUMMY_CLASS = 0  # the class column of the test people's label files


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, newline="\n")


def video_path(root: Path, recording: Recording) -> Path:
    name = recording.video_id
    if recording.track == 1:
        return root / "imigue" / f"imigue_rgb_{recording.split}" / name / f"{name}.mp4"
    return root / "smg" / f"smg_rgb_{recording.split}" / name / f"{name}_color.mp4"


def skeleton_path(root: Path, recording: Recording) -> Path:
    name = recording.video_id
    if recording.track == 1:
        return root / "imigue" / f"imigue_skeleton_{recording.split}" / name / f"{name}_light_hand.csv"
    return root / "smg" / f"smg_skeleton_{recording.split}" / name / f"{name}_skeleton.csv"


def write_skeleton(path: Path, recording: Recording, joints: np.ndarray) -> None:
    """Write (T, V, C) values, a row a frame; track 1 puts the running number of the frame in front.

    Six digits hold the thousandth of a pixel and of a metre; a missing point becomes 0,0,0.
    """
    values = np.round(joints.reshape(len(joints), -1), 3) + 0.0  # + 0.0 turns -0.0 into 0.0
    row_format = ",".join(["%.7g"] * values.shape[1])
    if recording.track == 1:
        rows = [f"{t}," + row_format % tuple(row) for t, row in enumerate(values.tolist())]
    else:
        rows = [row_format % tuple(row) for row in values.tolist()]
    write_text(path, "\n".join(rows) + "\n")


def write_labels(root: Path, recording: Recording) -> None:
    """Write the label files of one recording; those that the challenge keeps back go to the answers."""
    name, folder, is_test = recording.video_id, skeleton_path(root, recording).parent, recording.split == "test"
    if recording.track == 1:
        codes = [DUMMY_CLASS if is_test else IMIGUE_CODES[g.label] for g in recording.gestures]
        spans = [(g.label_start, g.label_end - 1) for g in recording.gestures]
        write_text(folder / f"{name}_label.csv", _label_rows(codes, spans))
        return
    write_text(folder / f"{name}_data.csv", f"{recording.num_frames},{recording.fps:g},{MAX_DEPTH_MM}\n")
    labels = root / "answers" / "smg" / name if is_test else folder
    spans = [(g.label_start + 1, g.label_end) for g in recording.gestures]
    write_text(labels / f"{name}_finelabels.csv", _label_rows([SMG_CODES[g.label] for g in recording.gestures], spans))


def _label_rows(codes: list[int], spans: list[tuple[int, int]]) -> str:
    return "".join(f"{code},{start},{end}\n" for code, (start, end) in zip(codes, spans, strict=True))


def write_tables(root: Path, recordings: list[Recording]) -> None:
    """Write who is in which video, the answers of track 1 and a sample of its submission file."""
    track1 = [r for r in recordings if r.track == 1]
    subjects = "".join(f"{r.video_id},{r.person.person_id}\n" for r in track1)
    write_text(root / "imigue" / "subjects.csv", "video_id,subject_id\n" + subjects)
    answers = [
        (clip_id_of(r.video_id, i), g.label) for r in track1 if r.split == "test" for i, g in enumerate(r.gestures)
    ]
    write_text(root / "answers" / "track1.csv", "Id,Target\n" + "".join(f"{i},{label}\n" for i, label in answers))
    write_text(root / "sample_submission_track1.csv", "Id,Target\n" + "".join(f"{i},0\n" for i, _ in answers))
