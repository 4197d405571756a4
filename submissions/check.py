"""Check a CSV before it goes to a leaderboard.

reads:  the CSV, the organisers' sample file when there is one; of a run clips/<run>/<track>/
writes: nothing

    python -m submissions.check track1.csv --sample sample_submission.csv
    python -m submissions.check track2.csv [--run mine | --first-frame 0]
    python -m submissions.check --run mine --sample sample_submission.csv     # before training: are the ids ours?

Frames of track 2 count from 1, as SMG's; with --run, or in submissions/<run>/, as that run's label files do.
"""

import argparse
from pathlib import Path

import pandas as pd

from miga.clips import load_clips
from miga.errors import InputError, run_command
from miga.frame_base import FrameBase
from recordings.labels import SMG_FRAME_BASE
from submissions.table import has_header, header_text, read_table
from submissions.track1 import check_same_ids
from submissions.track2 import add_base_arguments, read_track2, wanted_base


def check_submission(path: Path, sample_path: Path | None = None, base: FrameBase = SMG_FRAME_BASE) -> str:
    """Check a track 1 or track 2 CSV, told apart by its columns, and return one line about it.

    Args:
        base: how a track 2 CSV numbers frames.
    Raises:
        InputError: the first thing that is wrong: file, row, expected, got.
    """
    table = read_table(path)
    sample = None if sample_path is None else read_table(sample_path)
    if sample is not None and list(table.columns) != list(sample.columns):
        raise InputError(f"{path}: its header is {header_text(table)}, that of {sample_path} is {header_text(sample)}")
    if is_segments(table):
        return _check_segments(path, sample, sample_path, base)
    ids = table.iloc[:, 0]
    if sample is None:
        check_same_ids(ids, ids.tolist(), str(path), "its own ids")
    else:
        wanted = sample.iloc[:, 0].tolist()
        check_same_ids(ids, wanted, str(path), str(sample_path))
        for row, id_, expected in zip(ids.index, ids, wanted, strict=True):
            if id_ != expected:
                raise InputError(f"{path}, row {row}: ids are in another order than in {sample_path}; keep its order")
    _check_whole_numbers(path, table.iloc[:, 1], table.columns[1] if has_header(table) else "the class")
    if table.empty:
        raise InputError(f"{path}: no rows; expected one a test clip")
    form = "" if has_header(table) else ", no header (the form of 2023)"
    return f"{path}: valid, {len(ids)} clips, {table.iloc[:, 1].nunique()} classes used{form}"


def is_segments(table: pd.DataFrame) -> bool:
    """Whether a CSV is one of track 2."""
    return {"start", "end"} <= set(table.columns)


def _check_whole_numbers(path: Path, column: pd.Series, name: str) -> None:
    bad = ~column.str.fullmatch("[0-9]+").astype(bool)
    if bad.any():
        row = bad.idxmax()
        raise InputError(f"{path}, row {row}: {name} is {column[row]!r}, expected a whole number")


def _check_segments(path: Path, sample: pd.DataFrame | None, sample_path: Path | None, base: FrameBase) -> str:
    segments = read_track2(path, base)
    if sample is not None:
        unknown = segments[~segments.video.isin(sample.video)]
        if len(unknown):
            raise InputError(f"{path}, row {unknown.index[0]}: video {unknown.video.iloc[0]!r} is not in {sample_path}")
    videos = segments.video.nunique()
    return f"{path}: valid, {len(segments)} segments in {videos} videos, frames counted from {base.first}"


def check_sample(run: str, sample_path: Path) -> str:
    """Check, before any training, that a sample file asks for exactly the run's test clips."""
    table = load_clips(run, "track1").table
    test_ids = table.clip_id[table.split == "test"].tolist()
    ids = read_table(sample_path).iloc[:, 0]
    check_same_ids(ids, test_ids, str(sample_path), f"the test clips of run {run}")
    return f"{sample_path}: valid, its {len(ids)} ids are the test clips of run {run}"


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Check a CSV before it goes to a leaderboard.")
    parser.add_argument("csv", type=Path, nargs="?", help="the CSV to check")
    parser.add_argument("--sample", type=Path, help="the organisers' sample file")
    add_base_arguments(parser, "whose test clips the sample asks for, whose frames a CSV of track 2 has")
    args = parser.parse_args(argv)
    if args.csv is None and (args.run is None or args.sample is None):
        parser.error("give a CSV, or --run and --sample")
    is_track2 = args.csv is not None and is_segments(read_table(args.csv))
    if args.run is not None and args.sample is not None and not is_track2:
        print(check_sample(args.run, args.sample))
    if args.csv is not None:
        base = wanted_base(args, args.csv) if is_track2 else SMG_FRAME_BASE
        print(check_submission(args.csv, args.sample, base))


if __name__ == "__main__":
    run_command(main)
