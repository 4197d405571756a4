"""The table that a preparation prints: what was found, how much of it, and what is odd about it."""

import numpy as np
import pandas as pd

MAX_LISTED = 10


def summary_text(track: str, clips: pd.DataFrame, videos: pd.DataFrame, meta: dict) -> str:
    """A few lines for a person."""
    counts = clips.split.value_counts()
    video_counts = videos.split.value_counts()
    subjects = sorted(set(videos.subject_id) - {""})
    fingers = {True: "exchanged by measurement", False: "as in the files"}[meta["fingers_swapped"]]
    votes = meta["finger_votes"]
    num_rgb = int((clips.frames_path != "").sum())
    sizes = sorted({f"{w}x{h}" for w, h in zip(videos.width, videos.height, strict=True)})
    lines = [
        ("kind", f"{meta['kind']}, {len(meta['skeleton']['joints'])} joints ({meta['skeleton']['name']})"),
        ("videos", f"{video_counts.get('train', 0)} train, {video_counts.get('test', 0)} test"),
        ("called test", _called_test(meta["folders_called_test"])),
        ("clips", f"{counts.get('train', 0)} train, {counts.get('test', 0)} test, {_lengths(clips)}"),
        ("classes", _classes(clips, meta["classes"])),
        ("test labels", _test_labels(clips)),
        ("without clips", _without_clips(clips, videos)),
        ("subjects", f"{len(subjects)} known" if subjects else "unknown: folds will be made by video"),
        ("rgb", f"{num_rgb} of {len(clips)} clips" if num_rgb else "none found"),
        ("picture", f"{_few(sizes)} from {meta['frame_size_from']}"),
        *(("", reason) for reason in meta["frame_size_evidence"][:MAX_LISTED]),
        (
            "missing joints",
            f"{meta['missing_joints_share']:.1%}; clips with nobody in view: {int((~clips.has_joints).sum())}",
        ),
    ]
    if votes["straight"] + votes["swapped"]:
        lines.append(
            ("fingers", f"{fingers} ({votes['straight']} videos for the files' order, {votes['swapped']} against)")
        )
    lines += [("note", note) for note in meta["notes"][:MAX_LISTED]]
    if len(meta["notes"]) > MAX_LISTED:
        lines.append(("note", f"... and {len(meta['notes']) - MAX_LISTED} more notes in meta.json"))
    lines += _without_input(meta, num_rgb > 0)
    left_out = meta["left_out"]
    if left_out:
        lines.append(("left out", f"{len(left_out)} by --skip-bad-clips, all listed in meta.json"))
        lines += [("", f"{item['what']}: {item['why']}") for item in left_out[:MAX_LISTED]]
    return "\n".join([track, *(f"  {name:<15}{text}" for name, text in lines)])


def _without_input(meta: dict, has_rgb: bool) -> list[tuple[str, str]]:
    """Which test clips lack an input and are answered without it, and what was wrong with the recordings."""
    lines = []
    for name, key in (("joints", "test_clips_without_joints"), ("pictures", "test_clips_without_frames")):
        if meta[key] and (has_rgb or name == "joints"):
            lines.append((f"no {name}", f"{len(meta[key])} test clips, answered without them: {_few(meta[key])}"))
    kept = meta["kept"]
    if kept:
        lines.append(("kept", f"{len(kept)} of the test that cannot be used keep their rows, all listed in meta.json"))
        lines += [("", f"{item['what']}: {item['why']}") for item in kept[:MAX_LISTED]]
    return lines


def _called_test(folders: dict[str, int]) -> str:
    """Whose names made recordings the test: nobody should wonder where recordings went."""
    named = [f"{folder} ({count} recordings)" for folder, count in folders.items()]
    return _few(named) if named else "no folder"


def _lengths(clips: pd.DataFrame) -> str:
    return f"{clips.num_frames.min()} to {clips.num_frames.max()} frames (median {clips.num_frames.median():.0f})"


def _classes(clips: pd.DataFrame, classes: list[str]) -> str:
    """How many there are, the largest and the rarest with their training clips."""
    counts = np.bincount(clips.label[(clips.split == "train")], minlength=len(classes))
    present = np.flatnonzero(counts)
    ordered = present[np.argsort(-counts[present], kind="stable")]
    head = ", ".join(f"{classes[k]} {counts[k]}" for k in ordered[:3])
    tail = ", ".join(f"{classes[k]} {counts[k]}" for k in ordered[3:][-3:])
    return f"{len(present)} of {len(classes)} in training; {head}" + (f" ... {tail}" if tail else "")


def _test_labels(clips: pd.DataFrame) -> str:
    labels = clips.label[clips.split == "test"]
    if not len(labels):
        return "no test clips"
    return f"known for {int((labels >= 0).sum())} of {len(labels)} test clips (used for scoring only)"


def _without_clips(clips: pd.DataFrame, videos: pd.DataFrame) -> str:
    """Recordings with no labelled gesture: legal in a test, which is then searched as a whole."""
    empty = videos[~videos.video_id.isin(clips.video_id)]
    return f"{len(empty)} videos ({_few(list(empty.video_id))})" if len(empty) else "no video"


def _few(texts: list[str]) -> str:
    return ", ".join(texts[:3]) + (f" and {len(texts) - 3} more" if len(texts) > 3 else "")
