"""Make one pyskl pickle, which `prepare` reads, of the joints of videos that hold one gesture each.

    python -m recordings.pose.clips DIR --labels labels.csv [--keypoints 22]

labels.csv has a header and the columns name, label (a number from 0), split (train, valid or test); other columns are
left alone. DIR is the --out of recordings.pose.

reads:  DIR/<name>.npz of every row, labels.csv
writes: DIR/pose.pkl
"""

import argparse
import pickle
from pathlib import Path

import numpy as np
import pandas as pd

from miga.errors import InputError, run_command
from miga.files import replacing
from miga.skeletons import IMIGUE_22, OPENPOSE_137
from recordings.pose.joints_npz import read_pose
from recordings.pose.layout import IMIGUE, visible

JOINTS = {IMIGUE_22.num_joints: list(IMIGUE), OPENPOSE_137.num_joints: list(range(OPENPOSE_137.num_joints))}
SPLITS = ("train", "valid", "test")


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--labels", type=Path, required=True)
    parser.add_argument("--keypoints", type=int, choices=sorted(JOINTS), default=IMIGUE_22.num_joints)
    args = parser.parse_args(argv)
    table = read_labels(args.labels)
    annotations = [annotation(args.folder, row, args.keypoints) for row in table.itertuples(index=False)]
    split = {name: table["name"][table["split"] == name].tolist() for name in SPLITS}
    content = {"split": {name: ids for name, ids in split.items() if ids}, "annotations": annotations}
    with replacing(args.folder / "pose.pkl") as temporary:
        temporary.write_bytes(pickle.dumps(content, protocol=4))
    print(f"{args.folder / 'pose.pkl'}: {len(annotations)} clips of {args.keypoints} joints")


def read_labels(path: Path) -> pd.DataFrame:
    """name, label, split of every clip.

    Raises:
        InputError: no such file, a column or a value is missing, a label is no number from 0, a name is there twice.
    """
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not a table that can be read ({error}); check the path") from error
    for column in ("name", "label", "split"):
        if column not in table:
            raise InputError(f"{path}: no column {column}, expected name, label and split; add it")
    for number, row in enumerate(table.itertuples(), start=2):
        if not row.name or not row.label.isdecimal() or row.split not in SPLITS:
            raise InputError(
                f"{path}, line {number}: {row.name!r}, {row.label!r}, {row.split!r}, expected a name, a label from 0 "
                f"and one of {', '.join(SPLITS)}; correct the line"
            )
    if table["name"].duplicated().any():
        raise InputError(f"{path}: {table['name'][table['name'].duplicated()].iloc[0]} is there twice; remove a line")
    return table[["name", "label", "split"]].astype({"label": int})


def annotation(folder: Path, row, keypoints: int) -> dict:
    """One clip as pyskl writes it."""
    pose = read_pose(folder / f"{row.name}.npz")
    joints = visible(pose.joints, pose.width, pose.height)[None, :, JOINTS[keypoints]]  # one person
    return {
        "frame_dir": row.name,
        "label": int(row.label),
        "total_frames": len(pose.joints),
        "img_shape": (pose.height, pose.width),
        "original_shape": (pose.height, pose.width),
        "keypoint": np.ascontiguousarray(joints[..., :2]),
        "keypoint_score": np.ascontiguousarray(joints[..., 2]),
    }


if __name__ == "__main__":
    run_command(main)
