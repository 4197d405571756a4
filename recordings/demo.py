"""Simulate people, film them, and write the recordings in the layouts of iMiGUE (track 1) and SMG (track 2).

reads:  nothing
writes: input/<run>/imigue, input/<run>/smg, input/<run>/answers, input/<run>/sample_submission_track1.csv,
        input/<run>/demo.json

    python -m recordings.demo                                  # input/demo, about a minute on two cores
    python -m recordings.demo --out some/folder --profile smoke --seed 3

Track 1's joints are pixels of a 1280x720 picture, as in iMiGUE; track 2's of a 1920x1080 one, as in SMG. The videos are
rendered small, at 224x126. People of the test folders are in no other folder, and their labels only in `answers`.
The same seed gives the same bytes. `demo.json` comes last: while it is absent, a rerun makes what is missing.
"""

import argparse
import json
import os
import shutil
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np

from miga.errors import InputError, run_command
from miga.files import replacing, write_json
from miga.paths import check_run_name, input_dir
from recordings.simulation import files, noise, render
from recordings.simulation.act import Act
from recordings.simulation.distractors import play_distractor
from recordings.simulation.gestures import IMIGUE_PROGRAMS, SMG_PROGRAMS
from recordings.simulation.motion import Stage, idle_stage
from recordings.simulation.people import Camera, kinect_camera, table_camera
from recordings.simulation.plan import PROFILES, Recording, plan
from recordings.simulation.pose import Pose, solve
from recordings.simulation.scene import make_scene

GENERATOR = 1  # raise it when the same seed no longer gives the same bytes


def perform(recording: Recording) -> tuple[Stage, Pose, Camera]:
    """Play a recording's gestures and distractors on an idle person, and place the camera."""
    rng = np.random.default_rng([*recording.seed, 0])
    camera = kinect_camera(rng) if recording.person.standing else table_camera(rng)
    stage = idle_stage(recording.person, recording.num_frames, recording.fps, rng)
    for start, end in recording.distractors:
        play_distractor(Act(stage, rng, start, end - start))
    programs = IMIGUE_PROGRAMS if recording.track == 1 else SMG_PROGRAMS
    for gesture in recording.gestures:
        programs[gesture.label](Act(stage, rng, gesture.start, gesture.end - gesture.start))
    return stage, solve(stage), camera


def make_recording(root: Path, recording: Recording) -> str:
    """Simulate, detect, render and encode one recording; skips it when all of its files are there. Returns its id."""
    cv2.setNumThreads(1)
    skeleton, video = files.skeleton_path(root, recording), files.video_path(root, recording)
    files.write_labels(root, recording)
    if skeleton.exists() and video.exists():
        return recording.video_id
    stage, pose, camera = perform(recording)
    detector = noise.openpose if recording.track == 1 else noise.kinect
    joints = detector(pose, camera, recording.fps, np.random.default_rng([*recording.seed, 1]))
    files.write_skeleton(skeleton, recording, joints)
    scene = make_scene(not recording.person.standing, np.random.default_rng([*recording.seed, 2]))
    with replacing(video) as temporary:
        render.encode(temporary, render.frames(recording.person, stage, pose, camera, scene), recording.fps)
    return recording.video_id


def make_demo(root: Path, profile_name: str, seed: int, workers: int, overwrite: bool = False) -> bool:
    """Write all recordings below `root`. Returns False when they were there already.

    Raises:
        InputError: `root` holds recordings of another seed, profile or version of this generator, or something else.
    """
    identity = {"generator": GENERATOR, "profile": profile_name, "seed": seed}
    if overwrite:
        clear(root)
    if is_finished(root, identity):
        return False
    write_json(root / "making.json", identity)
    recordings = plan(PROFILES[profile_name], seed)
    run_all(root, recordings, workers)
    files.write_tables(root, recordings)
    write_json(root / "demo.json", identity | {"counts": count(recordings)})
    (root / "making.json").unlink()
    return True


def is_finished(root: Path, identity: dict) -> bool:
    """True when `root` holds the finished recordings of this identity, False else if it holds a part or nothing."""
    for name in ("demo.json", "making.json"):
        if (root / name).exists():
            found = json.loads((root / name).read_text())
            found = {key: found.get(key) for key in identity}
            if found != identity:
                raise InputError(
                    f"{root / name}: the recordings here are of {found}, asked for {identity}; "
                    "choose another --out or --run, or pass --overwrite to make them anew"
                )
            if name == "demo.json":
                return True
            for stale in root.rglob(".*.tmp*"):  # left by a killed run
                stale.unlink()
            return False
    if root.exists() and any(root.iterdir()):
        raise InputError(
            f"{root}: expected an empty or new folder, it holds other files; choose another --out or --run"
        )
    return False


def clear(root: Path) -> None:
    """Remove what an earlier run made, and only where a marker file shows that it did."""
    if (root / "demo.json").exists() or (root / "making.json").exists():
        for folder in ("imigue", "smg", "answers"):
            shutil.rmtree(root / folder, ignore_errors=True)
        for name in ("sample_submission_track1.csv", "demo.json", "making.json"):
            (root / name).unlink(missing_ok=True)


def run_all(root: Path, recordings: list[Recording], workers: int) -> None:
    """Make every recording, longest first, in `workers` processes; one worker stays in this process."""
    order = sorted(recordings, key=lambda r: -r.num_frames)
    if workers == 1:
        for recording in order:
            make_recording(root, recording)
        return
    started, done = time.monotonic(), 0
    total = sum(r.num_frames for r in order)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        future2frames = {pool.submit(make_recording, root, r): r.num_frames for r in order}
        for i, future in enumerate(as_completed(future2frames), start=1):
            future.result()
            done += future2frames[future]
            if i % 10 == 0 or i == len(order):
                left = (time.monotonic() - started) * (total - done) / done
                print(
                    f"simulated {i} of {len(order)} recordings, {done} of {total} frames, {left:.0f} s left", flush=True
                )


def count(recordings: list[Recording]) -> dict:
    """Recordings, people, frames and clips by class, for each track and side of the people split."""
    counts = {}
    for track in (1, 2):
        for side in ("train", "test"):
            own = [r for r in recordings if r.track == track and (r.split == "test") == (side == "test")]
            labels = Counter(g.label for r in own for g in r.gestures)
            counts[f"track{track}_{side}"] = {
                "recordings": len(own),
                "people": len({r.person.person_id for r in own}),
                "frames": sum(r.num_frames for r in own),
                "clips": sum(labels.values()),
                "clips_by_class": {str(label): labels[label] for label in sorted(labels)},
            }
    return counts


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--run", default="demo", help="name of the run; the recordings go to input/<run>")
    parser.add_argument("--out", type=Path, help="folder to write to instead")
    parser.add_argument("--profile", choices=sorted(PROFILES), default="demo")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=min(4, os.cpu_count() or 1), help="processes")
    parser.add_argument("--overwrite", action="store_true", help="make the recordings anew")
    args = parser.parse_args(argv)
    if args.seed < 0 or args.workers < 1:
        raise InputError(f"--seed {args.seed} --workers {args.workers}: expected a seed from 0 and at least one worker")
    root = args.out or input_dir(check_run_name(args.run))
    started = time.monotonic()
    if not make_demo(root, args.profile, args.seed, args.workers, args.overwrite):
        print(f"{root}: recordings of seed {args.seed} are there already; nothing to do")
        return
    print(f"{root}: made in {time.monotonic() - started:.0f} s")
    for name, part in json.loads((root / "demo.json").read_text())["counts"].items():
        shown = ", ".join(f"{part[what]} {what}" for what in ("people", "recordings", "frames", "clips"))
        print(f"  {name}: {shown}")


if __name__ == "__main__":
    run_command(main)
