"""From recordings of a known kind to a prepared folder: open them with their reader, stream them through the checks."""

import re
from pathlib import Path

from miga.errors import InputError
from recordings.folders import folders_called_test
from recordings.listing import Entry
from recordings.readers.imigue import open_imigue
from recordings.readers.processed import open_processed
from recordings.readers.pyskl_pickle import open_pyskl
from recordings.readers.smg import open_smg
from recordings.recording import Options, Problems, Source
from recordings.rgb_files import RgbFiles
from recordings.subjects import Subjects, find_subjects_file
from recordings.summary import summary_text
from recordings.write_clips import write_clips

# Recordings that are told apart by the folders they lie in.
SKELETONS = re.compile(r"\d+_light_hand\.csv|Sample\d+_skeleton\.csv")


def open_and_write(
    track: str,
    kind: str,
    root: Path,
    entries: list[Entry],
    rgb_entries: list[Entry],
    options: Options,
    temporary: Path,
    made_from: dict,
) -> str:
    """Prepare one track from the files found at `root` into an empty folder; returns the summary to print.

    Raises:
        InputError: anything is wrong with the recordings.
    """
    skeletons = [entry.path for entry in entries if SKELETONS.fullmatch(entry.name)]
    called_test = {} if options.test_videos else folders_called_test(skeletons, root)
    problems = Problems()
    source = open_source(kind, root, entries, options, problems)
    subjects = Subjects(
        find_subjects_file(root, options.subjects), source.subject_is_video, options.subjects_are_shared
    )
    rgb_files = RgbFiles(rgb_entries)
    mirror = mirror_classes(source.codes, options.sided_classes)
    facts = {**made_from, "mirror": mirror, "folders_called_test": called_test}
    written = write_clips(source, temporary, subjects, rgb_files, problems, options, facts)
    return summary_text(track, written.clips, written.videos, written.meta)


def open_source(kind: str, root: Path, entries: list[Entry], options: Options, problems: Problems) -> Source:
    """Open the recordings with the reader of their kind."""
    if kind == "imigue":
        return open_imigue(root, entries, options, problems)
    if kind == "smg":
        return open_smg(root, entries, options, problems)
    if kind == "processed":
        return open_processed(root, entries, options, problems)
    return open_pyskl(root, entries, options, problems)


def mirror_classes(codes: tuple[int, ...], pairs: tuple[tuple[int, int], ...] | None) -> list[int] | None:
    """Class number of the mirror image of each class.

    Args:
        codes: of the classes, in the data's own files.
        pairs: codes of classes that are mirror images of each other; None = every class is its own; () = not known.
    Returns:
        one class number a class, or None where it is not known.
    Raises:
        InputError: a code that no class has, or that comes twice.
    """
    if pairs == ():
        return None
    numbers = list(range(len(codes)))
    named = [code for pair in pairs or () for code in pair]
    for code in named:
        if code not in codes:
            raise InputError(
                f"--sided-classes: no class has code {code}; expected some of {', '.join(map(str, codes))}"
            )
        if named.count(code) > 1:
            raise InputError(f"--sided-classes: code {code} comes twice; a class is the mirror image of one other")
    for a, b in pairs or ():
        numbers[codes.index(a)], numbers[codes.index(b)] = codes.index(b), codes.index(a)
    return numbers
