"""Name the gesture of a clip, or find those of a long recording, with what a run has learnt.

reads:  the video and the joints given; ensemble/<run>/weights.json, oof/<run>/, checkpoints/<run>/, folds/<run>.csv,
        clips/<run>/{track1,track2}/, for --spot spotting/<run>/; with --model FOLDER that folder alone
writes: nothing but what --render and --export name

    python -m predict --run mine clip.mp4 --joints clip.npy --render out.mp4
    python -m predict --run mine clip.csv                        # joints alone: the entries on the skeleton
    python -m predict --run mine clip.mp4                        # a video alone: the entries on pictures alone
    python -m predict --run mine long.npy --spot                 # the segments of a long recording
    python -m predict --run mine --export model                  # what the run ships, in one folder
    python -m predict --model model clip.npy                     # by that folder, without the run
"""

import argparse
import time
from pathlib import Path

import numpy as np

from miga.clips import Clips
from miga.errors import InputError, run_command
from miga.paths import check_run_name
from miga.training.inputs import JOINTS, RGB
from predict.clip import Given, read_given
from predict.shipped import Shipped, load_shipped
from spotting.segments import Segments, make_segments

JOINT_SUFFIXES = (".npy", ".csv")
LONG_SEC = 30.0  # longer than any gesture
SIMULATED = "note: run {} learnt simulated people; what it says of real ones is a guess"


def parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m predict", description=__doc__, allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--run", type=check_run_name, help="a run with a blend")
    source.add_argument("--model", type=Path, metavar="FOLDER", help="a folder made by --export")
    parser.add_argument("source", nargs="?", type=Path, help="a video, a folder of images, or joints (.npy, .csv)")
    parser.add_argument("--joints", type=Path, help=".npy (T, V, 3) or (T, M, V, 3), or .csv of a row a frame")
    parser.add_argument("--joint-size", type=_size, metavar="WxH", help="picture that the joints lie in")
    parser.add_argument("--top", type=int, default=5, help="classes printed (default: 5)")
    parser.add_argument("--spot", action="store_true", help="the source is a long recording: find its gestures")
    parser.add_argument("--render", type=Path, metavar="OUT.mp4", help="draw what was found onto the video")
    parser.add_argument("--export", type=Path, metavar="FOLDER", help="pack what the run ships into a folder")
    args = parser.parse_args(argv)
    if args.source is not None and args.source.suffix.lower() in JOINT_SUFFIXES:
        if args.joints is not None:
            raise InputError(f"{args.source} and --joints {args.joints}: both are joints; give one of them")
        args.source, args.joints = None, args.source
    if args.source is None and args.joints is None and args.export is None:
        raise InputError("nothing to look at; give a video, a file of joints (.npy or .csv), or both")
    if args.top < 1:
        raise InputError(f"--top {args.top}: expected 1 or more")
    if args.model and (args.spot or args.export):
        wrong = "--spot" if args.spot else "--export"
        raise InputError(f"{wrong}: needs --run; a folder made by --export names the gestures of clips")
    if args.render is not None and args.render.suffix.lower() != ".mp4":
        raise InputError(f"--render {args.render}: expected a name that ends in .mp4")
    return args


def _size(text: str) -> tuple[int, int]:
    """WxH as (height, width)."""
    width, cross, height = text.partition("x")
    if not (cross and width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        raise InputError(f"--joint-size {text}: expected WxH in pixels, such as 1920x1080")
    return int(height), int(width)


def export(args: argparse.Namespace, shipped: Shipped) -> None:
    from predict.export import write_export

    num_bytes = write_export(args.export, shipped)
    print(f"wrote {args.export}: {num_bytes / 1e6:.1f} MB; python -m predict --model {args.export} VIDEO")


def name_clip(args: argparse.Namespace, shipped: Shipped) -> tuple[Given, Segments]:
    """Print the most probable classes of a clip; returns the best as a segment from its first frame to its last."""
    from predict.classify import classify  # loads torch

    given = read_given(args.source, args.joints, shipped.skeleton, args.joint_size, shipped.size, shipped.fps)
    started = time.monotonic()
    for note in (*given.notes, *shipped.notes):
        print(f"note: {note}")
    if given.num_frames > LONG_SEC * given.fps:
        print(f"note: {given.num_frames / given.fps:.0f} s are taken as one gesture; --spot finds those of a recording")
    if not shipped.weights_for(given.inputs).any() and (args.joints is None or given.is_seen):
        what = "joints" if args.joints else "pictures"
        cure = "train one (rgb_slowonly, video_swin) or give --joints FILE" if what == "pictures" else "give its video"
        raise InputError(f"no entry of run {shipped.run}'s blend looks at {what} alone; {cure}{_no_pose(what)}")
    probabilities = classify(shipped, given)
    print(_described(shipped, given, args.joints is not None, time.monotonic() - started))
    best = np.argsort(-probabilities, kind="stable")[: args.top]
    width = max(len(shipped.classes[k]) for k in best)
    for place, k in enumerate(best, 1):
        print(f"  {place:2d}  {shipped.classes[k]:{width}}  {probabilities[k]:.3f}")
    return given, make_segments([0], [given.num_frames], [best[0]], [probabilities[best[0]]])


def _no_pose(what: str) -> str:
    return "; no pose estimator is here, so joints are not made from a video" if what == "pictures" else ""


def _described(shipped: Shipped, given: Given, has_file: bool, seconds: float) -> str:
    """What looked at the clip, and how long it took."""
    used = shipped.used(given.inputs)
    frames = f"{given.num_frames} frame{'s' * (given.num_frames != 1)}"
    if not used:
        return f"{frames}; no entry has anything to look at: the class shares of the training clips"
    networks = sum(len(member.weights) for member in used)
    names = ", ".join(member.name for member in used)
    looked = {frozenset({JOINTS}): "joints alone", frozenset({RGB}): "pictures alone"}.get(
        given.inputs, "joints and pictures"
    )
    rows = zip(shipped.members, shipped.blend.weights, shipped.has_input(given.inputs), strict=True)
    missing = [member.name for member, weight, has_input in rows if weight > 0 and not has_input]
    if missing:
        looked += f"; {', '.join(missing)} cannot look, the entries below share the weight"
    if given.inputs == {RGB} and not has_file:
        looked += "; joints must be given as a file, no pose estimator is here"
    return f"{frames}, {looked}\n{names}: {networks} networks, {seconds:.1f} s"


def find_gestures(args: argparse.Namespace) -> tuple[Given, Segments, Clips]:
    """Print the segments of a long recording; the last returned says their classes and the skeleton."""
    from predict.spot import read_recording, spot  # loads torch

    given = read_recording(args.run, args.source, args.joints, args.joint_size)
    for note in given.notes:
        print(f"note: {note}")
    started = time.monotonic()
    found, clips = spot(args.run, given)
    seconds = time.monotonic() - started
    print(f"{given.num_frames} frames at {given.fps:g} a second, {len(found)} gestures, {seconds:.1f} s")
    if len(found):
        print("   start s    end s  frames (from 0)   score  gesture")
    for start, end, label, score in zip(found.start, found.end, found.label, found.score, strict=True):
        frames = f"{start:.0f} to {end - 1:.0f}"
        print(f"  {start / given.fps:8.2f} {end / given.fps:8.2f}  {frames:16}  {score:.3f}  {clips.classes[label]}")
    return given, found, clips


def main(argv: list[str] | None = None) -> None:
    args = parse_arguments(argv)
    if args.spot:
        given, found, clips = find_gestures(args)
        classes, skeleton = clips.classes, clips.skeleton
    else:
        if args.model:
            from predict.export import read_export

            shipped = read_export(args.model)
        else:
            shipped = load_shipped(args.run)
        if shipped.is_simulated:
            print(SIMULATED.format(shipped.run))
        if args.export:
            export(args, shipped)
        if args.source is None and args.joints is None:
            return
        given, found = name_clip(args, shipped)
        classes, skeleton = shipped.classes, shipped.skeleton
    if args.render:
        from predict.render import render  # loads the video library

        render(args.render, given, skeleton, found, classes)
        print(f"wrote {args.render}")


if __name__ == "__main__":
    run_command(main)
