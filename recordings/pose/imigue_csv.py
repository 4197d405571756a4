"""Joints as an iMiGUE folder: NNNN/NNNN_light_hand.csv, which `recordings.readers.imigue` reads."""

import shutil
from pathlib import Path

import numpy as np

from miga.files import replacing
from recordings.pose.joints_npz import PoseFile
from recordings.pose.layout import LEFT_HAND, RIGHT_HAND, TIPS, visible

POINTS = (*range(25), *(LEFT_HAND + tip for tip in TIPS), *(RIGHT_HAND + tip for tip in TIPS))


def write_video(out: Path, name: str, pose: PoseFile, video: Path) -> str:
    """Write the folder of one video, with the label file that lies beside the video.

    Returns:
        what was written, in words.
    """
    if not name.isdigit():
        return f"no iMiGUE folder, since {name} is not a number; python -m recordings.pose.clips takes any name"
    folder = out / name
    folder.mkdir(parents=True, exist_ok=True)
    rows = visible(pose.joints, pose.width, pose.height)[:, POINTS].reshape(len(pose.joints), -1)
    with replacing(folder / f"{name}_light_hand.csv") as temporary:
        table = np.column_stack([np.arange(len(rows)), rows])
        np.savetxt(temporary, table, delimiter=",", fmt=["%d", *["%.3f"] * rows.shape[1]])
    label_csv = video.with_name(f"{name}_label.csv")
    if not label_csv.is_file():
        return f"{folder}, without labels: there is no {label_csv}"
    with replacing(folder / label_csv.name) as temporary:
        shutil.copyfile(label_csv, temporary)
    return f"{folder}, with its labels"
