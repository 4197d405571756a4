"""Score a spotting submission against label files: micro F1 at a temporal IoU of 0.3, by two rules.

reads: --truth, SMG folders with *_finelabels.csv, or a csv video,class,start,end; --pred, spotting/<run>'s track2.csv
writes: one JSON line on stdout

The strict rule matches one to one; the organisers' rule lets a prediction serve several gestures, so that one long
segment of a frequent class can collect many. Both count over all videos together.

Source: the organisers' SMG online-recognition kit (mikecheninoulu) for its rule; MiGA 2024 track 2 (NPU), eq. 5-6.
"""

import argparse
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from datasets.errors import InputError, run_command
from datasets.ids import natural_key
from spotting.segments import Segments, empty_segments, from_inclusive, make_segments, temporal_iou, to_inclusive

IOU_THRESHOLD = 0.3
COLUMNS = ("video", "class", "start", "end")


def strict_hits(truth: Segments, predicted: Segments, iou_threshold: float = IOU_THRESHOLD) -> int:
    """Gestures found when every prediction serves at most one.

    Predictions choose by descending score (ties: file order) the free gesture of their class with the largest overlap;
    it counts from an IoU of `iou_threshold` on.
    """
    iou = temporal_iou(predicted.start, predicted.end, truth.start, truth.end)
    iou[predicted.label[:, None] != truth.label[None]] = -1.0
    if len(truth) == 0:
        return 0
    hits = 0
    for i in np.argsort(-predicted.score, kind="stable"):
        best = int(iou[i].argmax())
        if iou[i, best] >= iou_threshold:
            iou[:, best] = -1.0
            hits += 1
    return hits


def organiser_hits(truth: Segments, predicted: Segments, iou_threshold: float = IOU_THRESHOLD) -> int:
    """Gestures found as the organisers' kit counts them: any prediction of the class with IoU strictly above.

    Their IoU is taken on the frame numbers of the files without + 1, and divides by the hull; a prediction that was
    used stays in the list, because the result of the kit's delete call is dropped.
    """
    t_start, t_end = to_inclusive(truth.start, truth.end)
    p_start, p_end = to_inclusive(predicted.start, predicted.end)
    overlap = np.minimum(p_end[:, None], t_end[None]) - np.maximum(p_start[:, None], t_start[None])
    hull = np.maximum(p_end[:, None], t_end[None]) - np.minimum(p_start[:, None], t_start[None])
    iou = np.divide(overlap, hull, out=np.zeros(overlap.shape), where=hull > 0)
    found = (iou > iou_threshold) & (predicted.label[:, None] == truth.label[None])
    return int(found.any(axis=0).sum())


def summarise(hits: int, num_predicted: int, num_truth: int) -> dict[str, float | int]:
    """F1, precision, recall and the counts; 0, never NaN, where nothing was predicted or nothing is there."""
    precision = hits / num_predicted if num_predicted else 0.0
    recall = hits / num_truth if num_truth else 0.0
    f1 = 2 * hits / (num_predicted + num_truth) if num_predicted + num_truth else 0.0
    return {
        "f1": round(f1, 6),
        "precision": round(precision, 6),
        "recall": round(recall, 6),
        "true_positives": hits,
        "false_positives": num_predicted - hits,
        "false_negatives": num_truth - hits,
    }


def score_videos(
    truth: dict[str, Segments], predicted: dict[str, Segments], iou_threshold: float = IOU_THRESHOLD
) -> dict[str, dict]:
    """Both rules over all videos of `truth`; a video without predictions counts as missed throughout."""
    counts = {"strict": 0, "organiser": 0}
    num_truth = num_predicted = 0
    for video_id, gestures in truth.items():
        found = predicted.get(video_id, empty_segments())
        counts["strict"] += strict_hits(gestures, found, iou_threshold)
        counts["organiser"] += organiser_hits(gestures, found, iou_threshold)
        num_truth += len(gestures)
        num_predicted += len(found)
    return {rule: summarise(hits, num_predicted, num_truth) for rule, hits in counts.items()}


def read_submission(path: Path) -> dict[str, Segments]:
    """Segments per video of a csv with the columns video, class, start, end and optionally score (else all 1).

    Frames count from 1, both ends inclusive; the class keeps the number of the label files.

    Raises:
        InputError: the file is missing, a column is missing, or a value is not a whole number in order.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; make it with `python -m spotting.predict --run RUN`")
    table = pd.read_csv(path, dtype={"video": str}, keep_default_na=False, na_values=[])
    missing = [column for column in COLUMNS if column not in table.columns]
    if missing:
        raise InputError(f"{path}: expected the columns video,class,start,end,score; {missing[0]} is missing")
    values = table.reindex(columns=[*COLUMNS[1:], "score"], fill_value=1).apply(pd.to_numeric, errors="coerce")
    whole = values[["class", "start", "end"]]
    wrong = values.isna().any(axis=1) | (whole % 1 != 0).any(axis=1) | (whole.start < 1) | (whole.end < whole.start)
    if wrong.any():
        row = int(np.argmax(wrong.to_numpy()))
        got = ",".join(str(value) for value in table.iloc[row])
        raise InputError(f"{path}: line {row + 2}: expected video,class,start,end with 1 <= start <= end, got {got}")
    start, end = from_inclusive(values["start"].to_numpy(), values["end"].to_numpy())
    everything = make_segments(start, end, values["class"].to_numpy(), values["score"].to_numpy())
    videos = table.video.to_numpy()
    return {str(v): everything[np.flatnonzero(videos == v)] for v in pd.unique(videos)}


def read_truth(path: Path) -> dict[str, Segments]:
    """Gestures per video, of a csv or of every *_finelabels.csv below a folder.

    Raises:
        InputError: nothing there, or a row that is not class,start,end.
    """
    if path.is_file():
        return read_submission(path)
    files = sorted(path.rglob("*_finelabels.csv"), key=lambda file: natural_key(file.name))
    if not files:
        raise InputError(f"{path}: expected a folder with *_finelabels.csv files, or a csv; found none")
    return {file.name.removesuffix("_finelabels.csv"): _read_finelabels(file) for file in files}


def _read_finelabels(file: Path) -> Segments:
    rows = []
    for number, line in enumerate(file.read_text().splitlines(), start=1):
        if not line.strip():
            continue
        parts = line.split(",")
        if len(parts) != 3 or not all(re.fullmatch(r"\s*\d+\s*", part) for part in parts):
            raise InputError(f"{file}: line {number}: expected class,start,end as whole numbers, got {line!r}")
        rows.append([int(part) for part in parts])
    table = np.array(rows, dtype=np.int64).reshape(-1, 3)
    return make_segments(*from_inclusive(table[:, 1], table[:, 2]), table[:, 0])


def select_videos(videos: NDArray[np.str_] | list[str], choice: str) -> list[str]:
    """The videos of a list like `Sample0013,17-20`: whole ids, or the number at their end, single or as a range.

    Raises:
        InputError: a part matches no video.
    """
    number = {video: int(m.group()) for video in videos if (m := re.search(r"\d+$", video))}
    chosen: list[str] = []
    for part in choice.split(","):
        if part in videos:
            matched = [part]
        else:
            bounds = re.fullmatch(r"(\d+)(?:-(\d+))?", part)
            low, high = (int(bounds[1]), int(bounds[2] or bounds[1])) if bounds else (1, 0)
            matched = [video for video in videos if low <= number.get(video, -1) <= high]
        if not matched:
            raise InputError(
                f"--videos {part}: no such video in the truth, which has {', '.join(sorted(videos)[:3])}, ..."
            )
        chosen += [video for video in matched if video not in chosen]
    return chosen


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Score a spotting submission.", allow_abbrev=False)
    parser.add_argument("--truth", type=Path, required=True, help="SMG folders with finelabels, or a csv")
    parser.add_argument("--pred", type=Path, required=True, help="track2.csv: video,class,start,end,score")
    parser.add_argument("--videos", default=None, help="ids or numbers, e.g. 13-16,19 (default: all of the truth)")
    parser.add_argument("--iou", type=float, default=IOU_THRESHOLD)
    args = parser.parse_args(argv)
    truth = read_truth(args.truth)
    if args.videos:
        truth = {video: truth[video] for video in select_videos(list(truth), args.videos)}
    scores = score_videos(truth, read_submission(args.pred), args.iou)
    shown = {key: scores["strict"][key] for key in ("f1", "precision", "recall")}
    print(json.dumps({**shown, "iou": args.iou, "videos": len(truth), **scores}))


if __name__ == "__main__":
    run_command(main)
