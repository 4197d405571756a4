"""Which test clips were answered without joints, without pictures, or without anything to look at."""

from pathlib import Path

from ensemble.join import Entries
from miga.files import read_json

IDS_SHOWN = 10
NAMES = {"joints": "joints", "rgb": "pictures"}


def missing_inputs(entries: Entries, paths: list[Path]) -> dict[str, list[str]]:
    """Input -> ids of the test clips that lack it, as the json beside each npz says; `all` -> those that no entry saw.

    A file of another framework has no json: its `test_has_input` counts for `all` alone.
    """
    missing: dict[str, list[str]] = {"all": entries.test_clip_id[~entries.test_has_input.any(0)].tolist()}
    for path in paths:
        facts = path.with_suffix(".json")
        without = read_json(facts, "train it again").get("test_clips_without", {}) if facts.exists() else {}
        for name, ids in without.items():
            missing[name] = sorted({*missing.get(name, []), *ids})
    return missing


def describe_missing(missing: dict[str, list[str]]) -> list[str]:
    """A line for each input that some test clip lacks."""
    unseen = missing["all"]
    lines = []
    for name, all_ids in missing.items():
        ids = [id_ for id_ in all_ids if id_ not in unseen]
        if ids:
            lines.append(f"{_clips(ids)} answered without {NAMES[name]}")
    if unseen:
        lines.append(f"{_clips(unseen)} answered by the class shares: no entry had anything to look at")
    return lines


def _clips(ids: list[str]) -> str:
    more = f" and {len(ids) - IDS_SHOWN} more, all in weights.json" if len(ids) > IDS_SHOWN else ""
    return f"{len(ids)} test clip{'s' if len(ids) > 1 else ''} ({', '.join(ids[:IDS_SHOWN])}{more})"
