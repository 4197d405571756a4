"""Check recordings of any known kind and index them for a run.

reads:  the recordings given by --track1 and --track2, their RGB, subjects.csv
writes: clips/<run>/track1/ and clips/<run>/track2/: clips.csv, videos.csv, joints.npy, meta.json
"""

import argparse
import re
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from miga.errors import InputError, run_command
from miga.files import holding, read_json
from miga.paths import check_run_name, clips_dir
from recordings.detect import detect_kind
from recordings.listing import Entry, fingerprint, list_files
from recordings.recording import Options

# Raise when what this room writes changes, so that older preparations are made again.
FORMAT = 5


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", required=True, help="name of this data set and set of choices")
    parser.add_argument("--track1", type=Path, help="clips to classify: folder or pickle of any known kind")
    parser.add_argument("--track2", type=Path, help="long recordings to search for gestures")
    parser.add_argument("--rgb1", type=Path, help="folder with the RGB of track 1, if not below --track1")
    parser.add_argument("--rgb2", type=Path, help="folder with the RGB of track 2, if not below --track2")
    parser.add_argument("--subjects", type=Path, help="csv video_id,subject_id; else subjects.csv beside the data")
    parser.add_argument("--skeleton", type=Path, help="json with joints, skeleton_edges, ... for a pickle")
    parser.add_argument("--train-split", type=_names, default=(), metavar="NAME,..", help="splits of a pickle")
    parser.add_argument("--test-split", type=_names, default=(), metavar="NAME,..", help="splits of a pickle")
    parser.add_argument(
        "--test-videos",
        type=_names,
        default=(),
        metavar="13-20,..",
        help="test videos by number or id instead of the data's own split; for --track2 if both tracks are given",
    )
    parser.add_argument(
        "--sided-classes",
        nargs="?",
        const=(),
        type=_pairs,
        metavar="A:B,..",
        help="classes that mean a left or a right side (iMiGUE and SMG have none; of --track1 if both are given): "
        "a mirrored gesture of class A is one of class B and the other way round, by their codes; without pairs "
        "nothing is ever mirrored",
    )
    parser.add_argument(
        "--joint-size",
        type=_sizes,
        default=(None, None),
        metavar="WxH[,WxH]",
        help="picture that the joints are given in, if it is neither said by the data nor told by the RGB; with a "
        "comma for --track1 and --track2, of which one may be left empty",
    )
    parser.add_argument("--skip-bad-clips", action="store_true", help="count, list and leave out what is wrong")
    parser.add_argument("--overwrite", action="store_true", help="prepare again although nothing changed")
    return parser.parse_args(argv)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _pairs(text: str) -> tuple[tuple[int, int], ...]:
    found = [re.fullmatch(r"(\d+):(\d+)", name) for name in _names(text)]
    pairs = [pair for pair in found if pair]
    if not pairs or len(pairs) < len(found):
        raise argparse.ArgumentTypeError(f"{text}: expected pairs of class codes such as 2:3,7:9")
    return tuple((int(pair[1]), int(pair[2])) for pair in pairs)


def _sizes(text: str) -> tuple[tuple[int, int] | None, tuple[int, int] | None]:
    """(width, height) for track 1 and for track 2, the same where one is given."""
    names = text.split(",")
    found = [re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", name.strip().lower()) for name in names]
    if (
        len(names) > 2
        or not any(found)
        or any(name.strip() and not size for name, size in zip(names, found, strict=True))
    ):
        raise argparse.ArgumentTypeError(f"{text}: expected WIDTHxHEIGHT such as 1280x720, or two for the two tracks")
    sizes = [(int(size[1]), int(size[2])) if size else None for size in found]
    return sizes[0], sizes[-1]


@dataclass(frozen=True)
class _Task:
    """One track to prepare, looked at from outside."""

    track: str
    kind: str
    root: Path
    folder: Path
    entries: list[Entry]
    rgb_entries: list[Entry]
    options: Options
    made_from: dict


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    check_run_name(args.run)
    tasks = [
        _look_at(args, track, root, rgb)
        for track, root, rgb in (("track1", args.track1, args.rgb1), ("track2", args.track2, args.rgb2))
        if root is not None
    ]
    if not tasks:
        raise InputError("nothing to prepare: give --track1 PATH, --track2 PATH or both")
    if "pyskl" not in (task.kind for task in tasks) and (args.train_split or args.test_split or args.skeleton):
        raise InputError(
            "--train-split, --test-split and --skeleton are for a pickle, and none is given; leave them out"
        )
    if not _stale(args, tasks):
        _say_skipped(tasks)
        return
    room = tasks[0].folder.parent
    room.mkdir(parents=True, exist_ok=True)
    with holding(room):
        stale = _stale(args, tasks)  # another process may have made them while this one waited
        _say_skipped([task for task in tasks if task not in stale])
        if stale:
            _prepare(stale)


def _stale(args: argparse.Namespace, tasks: list["_Task"]) -> list["_Task"]:
    """The tracks to prepare: those of which nothing is there, or something else than was asked for."""
    return [task for task in tasks if args.overwrite or not _is_up_to_date(task.folder, task.made_from)]


def _say_skipped(tasks: list["_Task"]) -> None:
    for task in tasks:
        print(f"{task.track}: {task.folder} is up to date, skipped (--overwrite repeats it)")


def _look_at(args: argparse.Namespace, track: str, root: Path, rgb: Path | None) -> _Task:
    """List the files, tell the kind, take the fingerprint; nothing is opened."""
    entries = list_files(root)
    kind = detect_kind(root, entries)
    takes_test_videos = args.test_videos and (track == "track2" or args.track2 is None)
    if takes_test_videos and kind == "pyskl":
        raise InputError(
            f"--test-videos: {root} is a pickle, its clips have no videos; use --train-split, --test-split"
        )
    options = Options(
        train_split=args.train_split,
        test_split=args.test_split,
        test_videos=args.test_videos if takes_test_videos else (),
        skeleton=args.skeleton,
        subjects=args.subjects,
        subjects_are_shared=None not in (args.subjects, args.track1, args.track2),
        sided_classes=args.sided_classes if track == "track1" or args.track1 is None else None,
        joint_size=args.joint_size[track == "track2"],
        skip_bad_clips=args.skip_bad_clips,
    )
    others = [path for path in (rgb, options.subjects, options.skeleton) if path]
    if root.is_file():
        beside = (root.with_name("subjects.csv"), root.with_name(f"{root.stem}_meta.json"))
        others += [path for path in beside if path.exists()]
    everything = entries + [entry for path in others for entry in list_files(path)]
    made_from = {
        "source": str(root),
        "fingerprint": fingerprint(everything, (FORMAT, options)),
    }
    rgb_entries = list_files(rgb) if rgb else entries
    return _Task(track, kind, root, clips_dir(args.run, track), entries, rgb_entries, options, made_from)


def _prepare(tasks: list[_Task]) -> None:
    """Write all tracks or, when anything is wrong with one, say what is wrong with each and write none."""
    # Imported only now: a skipped step must not wait for pandas and the video library.
    from recordings.open_source import open_and_write
    from recordings.write_clips import replacing_folder

    texts, errors = [], []
    with ExitStack() as stack:
        for task in tasks:
            print(f"{task.track}: reading {task.root} ({task.kind}) ...", flush=True)
            started = time.monotonic()
            temporary = stack.enter_context(replacing_folder(task.folder))
            try:
                text = open_and_write(
                    task.track,
                    task.kind,
                    task.root,
                    task.entries,
                    task.rgb_entries,
                    task.options,
                    temporary,
                    task.made_from,
                )
            except InputError as error:
                errors.append(str(error))
                continue
            texts.append(f"{text}\n  {'written':<15}{task.folder} in {time.monotonic() - started:.1f} s")
        if errors:
            raise InputError("\n".join(errors))
    print("\n".join(texts))


def _is_up_to_date(folder: Path, made_from: dict) -> bool:
    meta_json = folder / "meta.json"
    if not all((folder / name).exists() for name in ("clips.csv", "videos.csv", "joints.npy", "meta.json")):
        return False
    meta = read_json(meta_json, "prepare again with --overwrite")
    return all(meta.get(key) == value for key, value in made_from.items())


if __name__ == "__main__":
    run_command(main)
