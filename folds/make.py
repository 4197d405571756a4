"""Decide which clip validates when: people never straddle a fold.

reads:  clips/<run>/<track>/
writes: folds/<run>.csv (track 1), folds/track2/<run>.csv (track 2)

    python -m folds.make --run mine [--track track2] [--num-folds 5] [--seed 0] [--overwrite]
"""

import argparse
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from miga.clips import Clips, load_clips, read_id_csv
from miga.errors import InputError, run_command
from miga.files import replacing
from miga.ids import natural_key
from miga.paths import TRACKS, check_run_name, folds_csv

TEST_FOLD = -1
COLUMNS = ("clip_id", "video_id", "subject_id", "label", "fold")


def grouping_column(train: pd.DataFrame) -> str:
    """`subject_id` when every training clip has one, else `video_id`."""
    return "subject_id" if (train.subject_id != "").all() else "video_id"


def make_folds(table: pd.DataFrame, num_folds: int, seed: int) -> pd.DataFrame:
    """Give every training clip a fold from 0, every test clip -1; independent of the order of the rows.

    Args:
        table: clip table (miga.clips.CLIP_COLUMNS); groups are subjects, or videos where a subject is unknown.
    Returns:
        COLUMNS sorted by clip id; the label of a test clip is -1, so that no test label travels further.
    Raises:
        InputError: fewer groups than folds, or a single group.
    """
    # Imported here: every training reads folds through this module, and scikit-learn takes a second to load.
    from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

    order = sorted(range(len(table)), key=lambda row: natural_key(table.clip_id.iloc[row]))
    folds = table.iloc[order][["clip_id", "video_id", "subject_id", "label", "split"]].reset_index(drop=True)
    is_train = (folds.split == "train").to_numpy()
    train = folds[is_train]
    column = grouping_column(train)
    _check_number(num_folds, train[column], column.removesuffix("_id"))
    fold = np.full(len(folds), TEST_FOLD)
    # scikit-learn cannot stratify where no class has a clip for each fold; people are then dealt out alone.
    can_stratify = train.label.value_counts().max() >= num_folds
    kind = StratifiedGroupKFold if can_stratify else GroupKFold
    splitter = kind(num_folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # A class with fewer clips than folds is legal here and named by `describe`.
        warnings.filterwarnings("ignore", message="The least populated class")
        for number, (_, held_out) in enumerate(splitter.split(train, train.label, train[column])):
            fold[np.flatnonzero(is_train)[held_out]] = number
    fold[is_train] = _filled(fold[is_train], train[column].to_numpy(), num_folds)
    folds["fold"] = fold
    folds.loc[~is_train, "label"] = -1
    return folds[list(COLUMNS)]


def _check_number(num_folds: int, groups: pd.Series, kind: str) -> None:
    """Raise InputError unless that many folds can be made of whole groups."""
    num_groups = groups.nunique()
    if num_groups < 2:
        cure = "add other people" if kind == "video" else "add other people, or prepare without the table of subjects"
        raise InputError(
            f"all {len(groups)} training clips are of one {kind}, {groups.iloc[0]!r}, and a {kind} is never divided: "
            f"there is nobody to validate on; {cure}"
        )
    if not 2 <= num_folds <= num_groups:
        raise InputError(f"--num-folds {num_folds}: expected 2 to {num_groups}, the number of {kind}s to keep whole")


def _filled(fold: np.ndarray, groups: np.ndarray, num_folds: int) -> np.ndarray:
    """(N,) folds of which none is empty: StratifiedGroupKFold may leave one so, although there are groups enough.

    An empty fold gets the smallest group of the fold that has most groups.
    """
    fold = fold.copy()
    for empty in np.setdiff1d(np.arange(num_folds), fold):
        names, first, sizes = np.unique(groups, return_index=True, return_counts=True)
        donor = np.bincount(fold[first]).argmax()
        smallest = min(np.flatnonzero(fold[first] == donor), key=lambda group: sizes[group])
        fold[groups == names[smallest]] = empty
    return fold


def load_folds(run: str, track: str = "track1") -> pd.DataFrame:
    """Read folds/<run>.csv and check that nobody straddles a fold.

    Raises:
        InputError: it does not exist, is no such table, has a fold without clips, or puts a subject into two folds.
    """
    path = folds_csv(run, track)
    if not path.exists():
        raise InputError(f"{path}: no folds yet; run `python -m folds.make --run {run} --track {track}` first")
    try:
        folds = read_id_csv(path, ("clip_id", "video_id", "subject_id"))
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise InputError(f"{path}: expected a csv with the columns {', '.join(COLUMNS)} ({error})") from error
    missing = [column for column in COLUMNS if column not in folds.columns]
    if missing:
        raise InputError(f"{path}: column {missing[0]!r} is missing; expected {', '.join(COLUMNS)}")
    _check_rows(path, folds)
    known = folds[folds.subject_id != ""]
    num_folds_of = known.groupby("subject_id").fold.nunique()
    if (num_folds_of > 1).any():
        subject = num_folds_of.index[num_folds_of > 1][0]
        raise InputError(
            f"{path}: subject {subject!r} is in {num_folds_of[subject]} folds, expected one; make it again"
        )
    return folds


def _check_rows(path: Path, folds: pd.DataFrame) -> None:
    """Raise InputError about a clip that comes twice, a label or fold that is no number, or a fold without clips."""
    twice = folds.clip_id[folds.clip_id.duplicated()]
    if len(twice):
        raise InputError(f"{path}: clip {twice.iloc[0]!r} comes twice, expected once; make it again")
    for column in ("label", "fold"):
        numbers = pd.to_numeric(folds[column], errors="coerce")
        wrong = ~((numbers % 1 == 0) & (numbers >= TEST_FOLD))
        if wrong.any():
            row = int(wrong.to_numpy().argmax())
            got = folds[column].iloc[row]
            raise InputError(f"{path}, row {row + 2}: {column} is '{got}', expected a whole number from -1 on")
        folds[column] = numbers.astype(int)
    numbers = sorted(set(folds.fold) - {TEST_FOLD})
    if len(numbers) < 2 or numbers != list(range(len(numbers))):
        got = ", ".join(map(str, numbers)) or "none"
        raise InputError(f"{path}: expected folds 0, 1, ... without a gap, two or more, got {got}; make it again")


def describe(folds: pd.DataFrame, classes: tuple[str, ...]) -> str:
    """A table of clips a class and fold, and a sentence for every class that some fold cannot learn."""
    train = folds[folds.fold >= 0]
    counts = pd.crosstab(train.label, train.fold)
    lines = ["  class".ljust(36) + "".join(f"fold {fold}".rjust(8) for fold in counts.columns) + "   total"]
    for label, row in counts.iterrows():
        name = f"{label} {classes[label]}"[:32]
        lines.append(f"  {name:34}" + "".join(f"{n:8d}" for n in row) + f"{row.sum():8d}")
    lines.append("  all".ljust(36) + "".join(f"{n:8d}" for n in counts.sum()) + f"{len(train):8d}")
    column = grouping_column(train)
    kind = "subject" if column == "subject_id" else "video (subjects are unknown: expect less on new people)"
    lines.append(
        f"  {len(counts.columns)} folds, stratified by class, grouped by {kind}; {sum(folds.fold < 0)} test clips"
    )
    for label, row in counts.iterrows():
        alone = row[row == row.sum()]
        if len(alone):
            lines.append(
                f"  note: all {row.sum()} clips of class {label} ({classes[label]}) are in fold {alone.index[0]}: "
                "the model of that fold never sees this class"
            )
    return "\n".join(lines)


def write_folds(run: str, track: str, clips: Clips, num_folds: int, seed: int) -> Path:
    path = folds_csv(run, track)
    folds = make_folds(clips.table, num_folds, seed)
    with replacing(path) as temporary:
        folds.to_csv(temporary, index=False, lineterminator="\n")
    print(describe(folds, clips.classes))
    return path


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Decide which clip validates when: people never straddle a fold.")
    parser.add_argument("--run", required=True, type=check_run_name)
    parser.add_argument("--track", default="track1", choices=TRACKS)
    parser.add_argument("--num-folds", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--overwrite", action="store_true")
    args = parser.parse_args(argv)
    clips = load_clips(args.run, args.track)
    path = folds_csv(args.run, args.track)
    if path.exists() and not args.overwrite:
        present = set(load_folds(args.run, args.track).clip_id)
        if present == set(clips.table.clip_id):
            print(f"{path}: already made, nothing to do")
            return
        raise InputError(f"{path}: made for other clips than those prepared now; add --overwrite to make it again")
    print(f"wrote {write_folds(args.run, args.track, clips, args.num_folds, args.seed)}")


if __name__ == "__main__":
    run_command(main)
