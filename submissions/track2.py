"""The track 2 CSV: `video,class,start,end,score`, a row a segment; classes and frames as in the data's label files."""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from miga.clips import load_clips
from miga.errors import InputError
from miga.frame_base import FrameBase
from miga.paths import check_run_name, clips_dir, submission_csv
from recordings.labels import SMG_FRAME_BASE
from submissions.table import read_table

NUMBERS = ("class", "start", "end")
COLUMNS = ("video", *NUMBERS, "score")  # the score may be left out
MAX_DIGITS = 9  # a year of frames


def read_track2(path: Path, base: FrameBase) -> pd.DataFrame:
    """Read segments and check every row: what is read here is what a scorer takes.

    Args:
        base: how the file numbers frames.
    Returns:
        COLUMNS as in the file: video text, class, start and end int64, both ends inclusive, score float64, 1 where the
        file has no such column. The index is the line in the file.
    Raises:
        InputError: the first row that cannot be: no whole number, a frame before the first, an end before the start, a
            score that is no number.
    """
    table = read_table(path)
    missing = [name for name in COLUMNS[:-1] if name not in table.columns]
    if missing:
        raise InputError(f"{path}: column {missing[0]!r} is missing; expected the header {','.join(COLUMNS)}")
    _refuse(path, table, table.video.str.strip() == "", "the video has no name")
    for name in NUMBERS:
        is_whole = table[name].str.fullmatch(rf"[0-9]{{1,{MAX_DIGITS}}}").astype(bool)
        _refuse(path, table, ~is_whole, f"{name} is {{{name}!r}}, expected a whole number of up to {MAX_DIGITS} digits")
    segments = table.reindex(columns=list(COLUMNS), fill_value="1").astype(dict.fromkeys(NUMBERS, np.int64))
    segments["score"] = pd.to_numeric(segments.score, errors="coerce")
    early = f"start is {{start}}, but frames count from {base.first}; correct it, or give --first-frame"
    _refuse(path, table, segments.start < base.first, early)
    _refuse(path, table, segments.start > segments.end, "start {start} is after end {end}")
    _refuse(path, table, ~np.isfinite(segments.score), "score is {score!r}, expected a number")
    return segments


def add_base_arguments(parser: argparse.ArgumentParser, run_help: str) -> None:
    """`--run` and `--first-frame`, for `wanted_base`."""
    parser.add_argument("--run", type=check_run_name, help=run_help)
    parser.add_argument(
        "--first-frame", type=int, choices=(0, 1), help="number of a video's first frame in the track 2 csv"
    )


def wanted_base(args: argparse.Namespace, path: Path, otherwise: FrameBase = SMG_FRAME_BASE) -> FrameBase:
    """How a track 2 CSV numbers frames: as the command line says, as its run's label files do, or `otherwise`."""
    if args.first_frame is not None:
        return FrameBase(args.first_frame)
    run = args.run or _own_run(path)
    return load_clips(run, "track2").frame_base if run else otherwise


def _own_run(path: Path) -> str | None:
    """The run whose track 2 submission a file is, by its place beside the run's clips; None for any other file."""
    run = path.resolve().parent.name
    is_there = (clips_dir(run, "track2") / "meta.json").exists()
    return run if is_there and submission_csv(run, "track2").resolve() == path.resolve() else None


def _refuse(path: Path, table: pd.DataFrame, wrong: pd.Series, sentence: str) -> None:
    """Raise InputError about the first row that is wrong; `sentence` may name its cells."""
    if wrong.any():
        line = wrong.idxmax()
        raise InputError(f"{path}, row {line}: {sentence.format(**table.loc[line])}")
