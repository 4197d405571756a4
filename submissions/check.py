"""Check a CSV before it goes to a leaderboard.

reads:  the CSV, and the organisers' sample file when there is one
writes: nothing

    python -m submissions.check track1.csv --sample sample_submission.csv
    python -m submissions.check track2.csv
    python -m submissions.check --run mine --sample sample_submission.csv     # before training: are the ids ours?
"""

import argparse
from pathlib import Path

import pandas as pd

from datasets.clips import load_clips
from datasets.errors import InputError, run_command
from datasets.paths import check_run_name
from submissions.track1 import check_same_ids, read_sample

SEGMENT_COLUMNS = ("video", "class", "start", "end")


def check_submission(path: Path, sample_path: Path | None = None) -> str:
    """Check a track 1 or track 2 CSV, told apart by its columns, and return one line about it.

    Raises:
        InputError: the first thing that is wrong: file, row, expected, got.
    """
    table = read_sample(path)
    if sample_path is not None:
        sample = read_sample(sample_path)
        if list(table.columns) != list(sample.columns):
            raise InputError(f"{path}: header is {','.join(table.columns)}, expected {','.join(sample.columns)}")
    if {"start", "end"} <= set(table.columns):
        return _check_segments(path, table, None if sample_path is None else sample)
    ids = table.iloc[:, 0].tolist()
    if sample_path is not None:
        check_same_ids(ids, sample.iloc[:, 0].tolist(), str(path), str(sample_path))
        if ids != sample.iloc[:, 0].tolist():
            row = next(i for i, (a, b) in enumerate(zip(ids, sample.iloc[:, 0], strict=True), start=2) if a != b)
            raise InputError(f"{path}, row {row}: ids are in another order than in {sample_path}; keep its order")
    else:
        check_same_ids(ids, ids, str(path), "its own ids")
    _check_whole_numbers(path, table.iloc[:, 1], table.columns[1])
    if not ids:
        raise InputError(f"{path}: no rows; expected one a test clip")
    return f"{path}: valid, {len(ids)} clips, {table.iloc[:, 1].nunique()} classes used"


def _check_whole_numbers(path: Path, column: pd.Series, name: str) -> None:
    bad = ~column.str.fullmatch(r"\d+")
    if bad.any():
        row = int(bad.to_numpy().argmax())
        raise InputError(f"{path}, row {row + 2}: {name} is {column.iloc[row]!r}, expected a whole number")


def _check_segments(path: Path, table: pd.DataFrame, sample: pd.DataFrame | None) -> str:
    missing = [column for column in SEGMENT_COLUMNS if column not in table.columns]
    if missing:
        raise InputError(f"{path}: column {missing[0]!r} is missing; expected {','.join(SEGMENT_COLUMNS)}")
    for name in SEGMENT_COLUMNS[1:]:
        _check_whole_numbers(path, table[name], name)
    backwards = table.start.astype(int) > table.end.astype(int)
    if backwards.any():
        row = int(backwards.to_numpy().argmax())
        raise InputError(f"{path}, row {row + 2}: start {table.start[row]} is after end {table.end[row]}")
    if sample is not None:
        unknown = sorted(set(table.video) - set(sample.video))
        if unknown:
            raise InputError(f"{path}: video {unknown[0]!r} is not in the sample file")
    return f"{path}: valid, {len(table)} segments in {table.video.nunique()} videos"


def check_sample(run: str, sample_path: Path) -> str:
    """Check, before any training, that a sample file asks for exactly the run's test clips."""
    table = load_clips(run, "track1").table
    test_ids = table.clip_id[table.split == "test"].tolist()
    ids = read_sample(sample_path).iloc[:, 0].tolist()
    check_same_ids(ids, test_ids, str(sample_path), f"the test clips of run {run}")
    return f"{sample_path}: valid, its {len(ids)} ids are the test clips of run {run}"


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Check a CSV before it goes to a leaderboard.")
    parser.add_argument("csv", type=Path, nargs="?", help="the CSV to check")
    parser.add_argument("--sample", type=Path, help="the organisers' sample file")
    parser.add_argument("--run", type=check_run_name, help="check that the sample's ids are this run's test clips")
    args = parser.parse_args(argv)
    if args.csv is None and (args.run is None or args.sample is None):
        parser.error("give a CSV, or --run and --sample")
    if args.run is not None:
        print(check_sample(args.run, args.sample))
    if args.csv is not None:
        print(check_submission(args.csv, args.sample))


if __name__ == "__main__":
    run_command(main)
