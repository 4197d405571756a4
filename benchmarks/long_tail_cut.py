"""Write a run with a long tail from a prepared one: fewer training clips of some classes, the test clips as they are.

reads:  clips/<run>/track1/
writes: clips/<out>/track1/

    python -m benchmarks.long_tail_cut --run jhmdb --out jhmdb_tail [--seed 0] [--keep-at-least 3]

The classes are dealt to four groups at random, of which 100, 40, 15 and 5 percent of the training clips are kept.
"""

import argparse
import hashlib
import shutil

import numpy as np

from miga.clips import Clips, load_clips
from miga.errors import InputError, run_command
from miga.files import write_json
from miga.paths import check_run_name, clips_dir
from recordings.write_clips import replacing_folder

SHARES = (1.0, 0.4, 0.15, 0.05)  # of the training clips that the classes of each group keep


def kept_rows(clips: Clips, seed: int, at_least: int) -> np.ndarray:
    """Rows of the clip table that stay, in order: every test clip, and a random choice of training clips a class.

    Args:
        at_least: clips that each class keeps if it has them; the number of folds, so that each fold can have one.
    """
    rng = np.random.default_rng(seed)
    is_train = (clips.table.split == "train").to_numpy()
    label = clips.table.label.to_numpy()
    kept = [np.flatnonzero(~is_train)]
    classes = rng.permutation(np.unique(label[is_train]))
    for share, group in zip(SHARES, np.array_split(classes, len(SHARES)), strict=True):
        for c in group:
            rows = np.flatnonzero(is_train & (label == c))
            number = min(len(rows), max(at_least, round(share * len(rows))))
            kept.append(rng.choice(rows, number, replace=False))
    return np.sort(np.concatenate(kept))


def write_cut(run: str, out: str, seed: int, at_least: int) -> None:
    """Write the run `out`, whole or not at all."""
    clips = load_clips(run, "track1")
    source, table = clips_dir(run, "track1"), clips.table.iloc[kept_rows(clips, seed, at_least)]
    csv = table.to_csv(index=False, lineterminator="\n")
    cut = {"run": run, "seed": seed, "keep_at_least": at_least, "shares": list(SHARES)}
    digest = hashlib.sha256(f"{clips.meta['content_sha256']}{csv}".encode()).hexdigest()
    with replacing_folder(clips_dir(out, "track1")) as folder:
        for name in ("videos.csv", "joints.npy"):
            shutil.copyfile(source / name, folder / name)
        (folder / "clips.csv").write_text(csv)
        write_json(folder / "meta.json", {**clips.meta, "content_sha256": digest, "long_tail_cut": cut})
    counts = table.label[table.split == "train"].value_counts()
    print(f"{clips_dir(out, 'track1')}: {counts.sum()} training clips, {counts.min()} to {counts.max()} a class")


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Write a run with a long tail from a prepared one.")
    parser.add_argument("--run", required=True, type=check_run_name)
    parser.add_argument("--out", required=True, type=check_run_name)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep-at-least", type=int, default=3, help="training clips that a class keeps")
    args = parser.parse_args(argv)
    if args.out == args.run:
        raise InputError(f"--out {args.out}: is the run itself; choose another name")
    write_cut(args.run, args.out, args.seed, args.keep_at_least)


if __name__ == "__main__":
    run_command(main)
