"""Label files of iMiGUE and SMG: `class,start,end` a line, no header, both ends inclusive.

The clip on line i (from 0) is called `<video>_<i>`, so a bad line is left out without renumbering the others.
"""

from dataclasses import dataclass
from pathlib import Path

from datasets.ids import clip_id_of
from datasets.recordings import Problems, Segment
from datasets.text_files import read_text


@dataclass(frozen=True)
class LabelRow:
    """One line: `index` from 0, the three numbers as written."""

    index: int
    code: int
    start: int
    end: int


def read_label_file(path: Path, video_id: str, problems: Problems) -> list[LabelRow]:
    """Read every line; one that is not three integers is reported and left out. Blank lines at the end are nothing."""
    lines = [[cell.strip() for cell in line.split(",")] for line in read_text(path).splitlines()]
    while lines and not any(lines[-1]):
        lines.pop()
    rows = []
    for index, cells in enumerate(lines):
        try:
            code, start, end = map(int, cells)
        except ValueError:
            got = ",".join(cells)[:60]
            problems.leave_out(
                clip_id_of(video_id, index),
                f"{path} line {index + 1}: expected three integers class,start,end, got {got!r}; correct it",
            )
            continue
        rows.append(LabelRow(index, code, start, end))
    return rows


def read_labels(
    label_csv: Path, is_there: bool, video_id: str, split: str, problems: Problems
) -> list[LabelRow] | None:
    """The label rows of a recording, None when it cannot be used.

    A test recording may be without labels (it then has no clips); a training recording may not.
    """
    num_bad = len(problems.bad)
    rows = read_label_file(label_csv, video_id, problems) if is_there else []
    if rows or split == "test":
        return rows
    if not is_there:
        problems.leave_out(video_id, f"{label_csv}: missing beside a training recording; add the label file")
    elif len(problems.bad) == num_bad:
        problems.leave_out(
            video_id, f"{label_csv}: the label file is empty, expected a row class,start,end a gesture; fill it"
        )
    return None


def known_labels(codes: tuple[int, ...], test_codes: list[int], problems: Problems) -> dict[str, dict[int, int] | None]:
    """Split -> (code -> zero-based label); None for a test whose class column is not a label.

    What that column holds in unlabelled test folders is not known, so one impossible code makes all untrusted.
    """
    code2label = {code: label for label, code in enumerate(codes)}
    has_test_labels = all(code in code2label for code in test_codes)
    if not has_test_labels:
        problems.notes.append(
            "the class column of the test recordings holds impossible codes: their labels are unknown"
        )
    return {"train": code2label, "test": code2label if has_test_labels else None}


def segments_of(
    rows: list[LabelRow],
    path: Path,
    video_id: str,
    num_frames: int,
    first_frame: int,
    code2label: dict[int, int] | None,
    problems: Problems,
) -> list[Segment]:
    """Turn label rows into segments of a recording of `num_frames` frames, reporting the bad ones.

    Args:
        first_frame: number of the first frame in the file's own counting, 0 or 1.
        code2label: None when the classes are unknown (test); every label is then -1.
    """
    last = first_frame + num_frames - 1
    segments = []
    for row in rows:
        clip_id = clip_id_of(video_id, row.index)
        where = f"{path} line {row.index + 1}"
        if code2label is not None and row.code not in code2label:
            known = ranges_text(sorted(code2label))
            problems.leave_out(clip_id, f"{where}: class {row.code} is not a class, expected {known}; correct it")
        elif row.start > row.end:
            problems.leave_out(clip_id, f"{where}: start {row.start} is after end {row.end}; correct the row")
        elif row.start < first_frame or row.end > last:
            problems.leave_out(
                clip_id,
                f"{where}: frames {row.start} to {row.end}, but the recording has frames {first_frame} to {last}; "
                "correct the row",
            )
        else:
            label = -1 if code2label is None else code2label[row.code]
            segments.append(Segment(clip_id, label, row.start - first_frame, row.end - row.start + 1))
    return segments


def ranges_text(numbers: list[int]) -> str:
    """[1, 2, 3, 99] -> '1..3, 99'."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ", ".join(str(p[0]) if len(p) == 1 else f"{p[0]}..{p[-1]}" for p in parts)
