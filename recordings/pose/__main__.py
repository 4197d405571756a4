"""Find body, hands and face of one person in each video, and write them as iMiGUE folders that `prepare` reads.

    python -m recordings.pose VIDEO... --out input/mine/mine_train [--parts body] [--jobs 2]

Of several people the largest is taken, one at the picture's edge counting half, and followed until lost. Frames with
nobody in view are zeros. A video, and a NNNN_label.csv beside it, named by a number NNNN becomes a folder that
`prepare` reads; all videos, whatever their names, become clips by `python -m recordings.pose.clips`.

reads:  the videos (files or folders of images), NNNN_label.csv beside them, weights/files/mediapipe/
writes: OUT/<name>.npz; for a video named by a number also OUT/NNNN/NNNN_light_hand.csv and NNNN_label.csv
"""

import argparse
import time
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed

from miga.errors import InputError, run_command
from recordings.frames import VideoInfo, probe
from recordings.pose.imigue_csv import write_video
from recordings.pose.joints_npz import PoseFile, read_pose, write_pose
from recordings.pose.person import PARTS, joints_of

FPS = 25.0  # where neither the file nor a person says; matters to the smoothing alone
FORMAT = 1  # raise when the joints of a video change, so that older files are made again


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("videos", type=Path, nargs="+", metavar="VIDEO", help="video files or folders of images")
    parser.add_argument(
        "--out", type=Path, required=True, help="folder; the end of its name, _train or _test, is the split"
    )
    parser.add_argument(
        "--parts", type=_parts, default=PARTS, metavar="body,hands,face", help="what to look for; body alone is fastest"
    )
    parser.add_argument("--fps", type=float, default=0.0, help="frames a second of folders of images")
    parser.add_argument("--jobs", type=int, default=1, help="videos at a time, a CPU core each")
    parser.add_argument("--overwrite", action="store_true", help="look again at videos that did not change")
    return parser.parse_args(argv)


def _parts(text: str) -> tuple[str, ...]:
    names = [name.strip() for name in text.split(",")]
    if "body" not in names or not set(names) <= set(PARTS):
        raise argparse.ArgumentTypeError(f"{text}: expected body, with hands and face if wanted, such as body,hands")
    return tuple(part for part in PARTS if part in names)


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    names = [video.name if video.is_dir() else video.stem for video in args.videos]
    doubles = sorted({name for name in names if names.count(name) > 1})
    if doubles:
        raise InputError(f"two videos are named {doubles[0]}; rename one, their joints would be one file")
    if args.jobs < 1 or args.fps < 0:
        raise InputError("--jobs must be 1 or more, and --fps not negative")
    infos = [probe(video) for video in args.videos]  # what cannot be read is told before an hour is spent
    tasks = [delayed(_one)(args, *task) for task in zip(names, args.videos, infos, strict=True)]
    for text in Parallel(args.jobs, return_as="generator")(tasks):
        print(text, flush=True)


def _one(args: argparse.Namespace, name: str, video: Path, info: VideoInfo) -> str:
    """Do one video; what was done, in words."""
    fps = info.fps or args.fps or FPS
    status = video.stat()
    source = f"{FORMAT} {status.st_size} {status.st_mtime_ns} {fps} {','.join(args.parts)}"
    npz = args.out / f"{name}.npz"
    pose = read_pose(npz) if npz.exists() and not args.overwrite else None
    if pose is not None and pose.source == source:
        text = f"{name}: {npz} is up to date, skipped (--overwrite repeats it)"
    else:
        started = time.monotonic()
        joints = joints_of(video, info, fps, args.parts)
        pose = PoseFile(joints, info.width, info.height, fps, source)
        write_pose(npz, pose)
        text = _summary(name, joints, time.monotonic() - started)
    return f"{text}\n  {write_video(args.out, name, pose, video)}"


def _summary(name: str, joints: np.ndarray, seconds: float) -> str:
    num_frames = len(joints)
    seen = {
        "somebody": joints[:, :25, 2], "left hand": joints[:, 25:46, 2], "right hand": joints[:, 46:67, 2],
        "face": joints[:, 67:, 2],
    }  # fmt: skip
    shares = ", ".join(f"{part} in {(score > 0).any(axis=1).sum()}" for part, score in seen.items())
    nobody = "" if (joints[..., 2] > 0).any() else "; NOBODY IS IN VIEW, all joints are zeros"
    return f"{name}: {num_frames} frames, {shares}; {num_frames / max(seconds, 1e-9):.1f} frames a second{nobody}"


if __name__ == "__main__":
    run_command(main)
