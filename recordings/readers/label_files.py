"""Label files of iMiGUE and SMG: `class,start,end` a line, no header, both ends inclusive.

The clip on line i (from 0) is called `<video>_<i>`, so a bad line is left out without renumbering the others.
"""

from dataclasses import dataclass
from pathlib import Path

from miga.frame_base import FrameBase
from miga.ids import clip_id_of
from miga.text_files import read_text
from recordings.recording import LONGEST, Problems, Segment


@dataclass(frozen=True)
class LabelRow:
    """One line: `index` from 0, the three numbers as written, or what is wrong with it."""

    index: int
    code: int = -1
    start: int = 0
    end: int = -1
    fault: str = ""


def read_label_file(path: Path) -> list[LabelRow]:
    """Read every line; one that is not three integers has a fault. Blank lines at the end are nothing."""
    lines = [[cell.strip() for cell in line.split(",")] for line in read_text(path).splitlines()]
    while lines and not any(lines[-1]):
        lines.pop()
    rows = []
    for index, cells in enumerate(lines):
        try:
            code, start, end = map(int, cells)
        except ValueError:
            got = ",".join(cells)[:60]
            rows.append(LabelRow(index, fault=f"expected three integers class,start,end, got {got!r}; correct it"))
            continue
        rows.append(LabelRow(index, code, start, end))
    return rows


def read_labels(
    label_csv: Path, is_there: bool, video_id: str, split: str, problems: Problems
) -> list[LabelRow] | None:
    """The label rows of a recording, None when it cannot be used.

    A test recording may be without labels (it then has no clips); a training recording may not.
    """
    rows = read_label_file(label_csv) if is_there else []
    if rows or split == "test":
        return rows
    if not is_there:
        problems.leave_out(video_id, f"{label_csv}: missing beside a training recording; add the label file")
    else:
        problems.leave_out(
            video_id, f"{label_csv}: the label file is empty, expected a row class,start,end a gesture; fill it"
        )
    return None


def known_labels(
    codes: tuple[int, ...], test_rows: list[LabelRow], problems: Problems
) -> dict[str, dict[int, int] | None]:
    """Split -> (code -> zero-based label); None for a test whose class column is not a label.

    What that column holds in unlabelled test folders is not known, so one impossible code makes all untrusted.
    """
    code2label = {code: label for label, code in enumerate(codes)}
    has_test_labels = all(row.code in code2label for row in test_rows if not row.fault)
    if not has_test_labels:
        problems.notes.append(
            "the class column of the test recordings holds impossible codes: their labels are unknown"
        )
    return {"train": code2label, "test": code2label if has_test_labels else None}


def segments_of(
    rows: list[LabelRow],
    path: Path,
    video_id: str,
    split: str,
    num_frames: int,
    base: FrameBase,
    code2label: dict[int, int] | None,
    problems: Problems,
) -> list[Segment]:
    """Turn label rows into segments of a recording of `num_frames` frames, reporting the bad ones.

    A bad row of a training recording gives no segment; one of a test recording gives a segment without frames.

    Args:
        num_frames: 0 for a test recording without a usable skeleton: its length is not known.
        base: how the file numbers frames.
        code2label: None when the classes are unknown (test); every label is then -1.
    """
    first, last = base.to_file(0, num_frames or LONGEST)
    segments = []
    for row in rows:
        clip_id = clip_id_of(video_id, row.index)
        label = -1 if code2label is None else code2label.get(row.code, -1)
        fault = row.fault or _fault_of(row, int(first), int(last), code2label)
        if not fault:
            start, end = base.from_file(row.start, row.end)
            segments.append(Segment(clip_id, label, int(start), int(end - start)))
            continue
        problems.unusable(split, clip_id, f"{path} line {row.index + 1}: {fault}")
        if split == "test":
            segments.append(Segment(clip_id, label, -1, 0))
    return segments


def _fault_of(row: LabelRow, first: int, last: int, code2label: dict[int, int] | None) -> str:
    """What keeps a label row from being a gesture in the frames `first` to `last`, or ''."""
    if code2label is not None and row.code not in code2label:
        return f"class {row.code} is not a class, expected {ranges_text(sorted(code2label))}; correct it"
    if row.start > row.end:
        return f"start {row.start} is after end {row.end}; correct the row"
    if row.start < first or row.end > last:
        return f"frames {row.start} to {row.end}, but the recording has frames {first} to {last}; correct the row"
    return ""


def ranges_text(numbers: list[int]) -> str:
    """[1, 2, 3, 99] -> '1..3, 99'."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ", ".join(str(p[0]) if len(p) == 1 else f"{p[0]}..{p[-1]}" for p in parts)
