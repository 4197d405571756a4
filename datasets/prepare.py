"""Check recordings of any known kind and index them for a run.

reads:  the recordings given by --track1 and --track2, their RGB, subjects.csv
writes: clips/<run>/track1/ and clips/<run>/track2/: clips.csv, videos.csv, joints.npy, meta.json
"""

import argparse
import json
import time
from pathlib import Path

from datasets.errors import InputError, run_command
from datasets.listing import fingerprint, list_files
from datasets.paths import check_run_name, clips_dir
from datasets.recordings import Options

# Raise when what this room writes changes, so that older preparations are made again.
FORMAT = 1


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
    parser.add_argument("--skip-bad-clips", action="store_true", help="count, list and leave out what is wrong")
    parser.add_argument("--overwrite", action="store_true", help="prepare again although nothing changed")
    return parser.parse_args(argv)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    check_run_name(args.run)
    if not (args.track1 or args.track2):
        raise InputError("nothing to prepare: give --track1 PATH, --track2 PATH or both")
    for track, root, rgb in (("track1", args.track1, args.rgb1), ("track2", args.track2, args.rgb2)):
        if root is None:
            continue
        takes_test_videos = track == "track2" or args.track2 is None
        options = Options(
            train_split=args.train_split,
            test_split=args.test_split,
            test_videos=args.test_videos if takes_test_videos else (),
            skeleton=args.skeleton,
            subjects=args.subjects,
            rgb=rgb,
            skip_bad_clips=args.skip_bad_clips,
        )
        prepare_track(args.run, track, root, options, args.overwrite)


def prepare_track(run: str, track: str, root: Path, options: Options, overwrite: bool) -> None:
    """Prepare one track, or say that nothing has changed since it was prepared."""
    folder = clips_dir(run, track)
    entries = list_files(root)
    rgb_entries = list_files(options.rgb) if options.rgb else entries
    others = [path for path in (options.subjects, options.skeleton) if path]
    if root.is_file():
        others += [
            path for path in (root.parent / "subjects.csv", root.with_name(f"{root.stem}_meta.json")) if path.exists()
        ]
    everything = entries + (rgb_entries if options.rgb else []) + [e for path in others for e in list_files(path)]
    made_from = {"source": str(root), "fingerprint": fingerprint(everything, (FORMAT, options))}
    if not overwrite and _is_up_to_date(folder, made_from):
        print(f"{track}: {folder} is up to date, skipped (--overwrite repeats it)")
        return
    # Imported only now: a skipped step must not wait for pandas and the video library.
    from datasets.open_source import open_and_write

    started = time.monotonic()
    print(open_and_write(track, root, entries, rgb_entries, options, folder, made_from))
    print(f"  {'written':<15}{folder} in {time.monotonic() - started:.1f} s", flush=True)


def _is_up_to_date(folder: Path, made_from: dict) -> bool:
    meta_json = folder / "meta.json"
    if not all((folder / name).exists() for name in ("clips.csv", "videos.csv", "joints.npy", "meta.json")):
        return False
    meta = json.loads(meta_json.read_text())
    return all(meta.get(key) == value for key, value in made_from.items())


if __name__ == "__main__":
    run_command(main)
