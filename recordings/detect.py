"""Tell which kind of recordings a path holds by what lies in it; a person is never asked."""

import re
from pathlib import Path

from miga.errors import InputError
from recordings.listing import Entry

# First match wins for a file; the name of the kind is what the summary prints.
_PATTERNS = (
    ("smg", re.compile(r"Sample\d+_(skeleton|finelabels|data)\.csv")),
    ("imigue", re.compile(r"\d+_(light_hand|light|label)\.csv")),
    ("processed", re.compile(r"(train|valid|val|test)_data\.npy")),
    ("pyskl", re.compile(r".+\.(pkl|pickle)")),
)


def detect_kind(root: Path, entries: list[Entry]) -> str:
    """Return 'imigue', 'smg', 'processed' or 'pyskl'.

    A label pickle beside processed arrays belongs to them; a pickle counts only where nothing else is found.

    Raises:
        InputError: nothing known is there, or two kinds are.
    """
    examples: dict[str, Path] = {}
    for entry in entries:
        for kind, pattern in _PATTERNS:
            if pattern.fullmatch(entry.name):
                examples.setdefault(kind, entry.path)
                break
    if len(examples) > 1:
        examples.pop("pyskl", None)
    if len(examples) > 1:
        found = " and ".join(f"{kind} ({path})" for kind, path in examples.items())
        raise InputError(f"{root}: holds more than one kind of recordings, {found}; give the folder of one of them")
    if not examples:
        raise InputError(
            f"{root}: no recordings found; expected NNNN_light_hand.csv (iMiGUE folders), SampleNNNN_skeleton.csv (SMG "
            "folders), train_data.npy with train_label.pkl (processed arrays), or a pyskl pickle (.pkl)"
        )
    kind = next(iter(examples))
    if root.is_file() and kind != "pyskl":
        raise InputError(f"{root}: is one file of a data set ({kind}); give its folder")
    return kind
