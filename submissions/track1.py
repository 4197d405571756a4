"""Write the track 1 CSV: one row a test clip, in the sample file's form when there is one; and the zip of 2023."""

import zipfile
from pathlib import Path

import numpy as np
import pandas as pd

from miga.errors import InputError
from miga.files import replacing
from miga.ids import natural_key
from submissions.table import has_header, read_table

DEFAULT_HEADER = ("Id", "Target")


def write_track1(path: Path, clip_ids: np.ndarray, labels: np.ndarray, sample_path: Path | None = None) -> None:
    """Write predicted classes.

    Args:
        clip_ids: (M,) text. labels: (M,) zero-based classes.
        sample_path: its header (or that it has none), ids and row order are kept and its second column is filled.
            Without it the header is `Id,Target` and ids go in numeric order (0187_2 before 0187_10).
    Raises:
        InputError: the sample's ids are not exactly the predicted clips.
    """
    label_of = dict(zip(clip_ids.tolist(), labels.tolist(), strict=True))
    if sample_path is None:
        ids = sorted(label_of, key=natural_key)
        table = pd.DataFrame({DEFAULT_HEADER[0]: ids, DEFAULT_HEADER[1]: [label_of[id_] for id_ in ids]})
    else:
        table = read_table(sample_path)
        ids = table.iloc[:, 0]
        check_same_ids(ids, list(label_of), str(sample_path), "the predicted test clips")
        table[table.columns[1]] = [label_of[id_] for id_ in ids]
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False, header=has_header(table), lineterminator="\n")


def write_zip(path: Path, clip_ids: np.ndarray, labels: np.ndarray) -> None:
    """Write predicted classes as the 2023 server took them: Submission.csv alone in a zip, `name,class`, no header.

    Args:
        clip_ids: (M,) text. labels: (M,) zero-based classes. Lines go in numeric order of the names.
    Source: the organisers' 2023 starter kit (github.com/mikecheninoulu/SMG).
    """
    rows = sorted(zip(clip_ids.tolist(), labels.tolist(), strict=True), key=lambda row: natural_key(row[0]))
    content = "".join(f"{id_},{label}\n" for id_, label in rows)
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as file:
        # A ZipInfo of its own carries a fixed date, so that the same content gives the same bytes.
        file.writestr(zipfile.ZipInfo("Submission.csv"), content, zipfile.ZIP_DEFLATED)


def check_same_ids(ids: pd.Series, expected: list[str], source: str, expected_source: str) -> None:
    """Raise InputError naming the first id that comes twice, is unknown, or is missing.

    Args:
        ids: their index is the row in the file, as `read_table` gives it.
    """
    seen: set[str] = set()
    known = set(expected)
    for row, id_ in ids.items():
        if id_ in seen:
            raise InputError(f"{source}, row {row}: id {id_!r} comes twice; expected each clip once")
        if id_ not in known:
            raise InputError(f"{source}, row {row}: id {id_!r} is not among {expected_source} {_example(known)}")
        seen.add(id_)
    missing = known - seen
    if missing:
        raise InputError(f"{source}: {len(missing)} ids of {expected_source} are missing, first {min(missing)!r}")


def _example(known: set[str]) -> str:
    return f"(e.g. {min(known)!r})" if known else "(there are none)"
