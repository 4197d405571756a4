"""Score a spotting submission against label files: micro F1 at a temporal IoU of 0.3, by two rules.

reads: --truth, folders with *_finelabels.csv (SMG) or NNNN_label.csv (iMiGUE), or a csv video,class,start,end;
       --pred, submissions/<run>/track2.csv
writes: one JSON line on stdout

The predictions number frames as the label files do. Where those are a csv: from 1, unless --first-frame, --run or a
place in submissions/<run>/ says otherwise, and both files alike.

The strict rule matches one to one; the organisers' rule lets a prediction serve several gestures, so that one long
segment of a frequent class can collect many. Both count over all videos together.

Source: the organisers' SMG online-recognition kit (mikecheninoulu) for its rule; MiGA 2024 track 2 (NPU), eq. 5-6.
"""

import argparse
import json
import re
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from miga.errors import InputError, run_command
from miga.frame_base import FrameBase
from spotting.label_files import read_segments, read_truth
from spotting.segments import Segments, empty_segments, temporal_iou
from submissions.track2 import add_base_arguments, wanted_base

IOU_THRESHOLD = 0.3


def strict_matches(truth: Segments, predicted: Segments, iou_threshold: float = IOU_THRESHOLD) -> NDArray[np.int64]:
    """Which gesture every prediction finds when each serves at most one: (N,) index into `truth`, -1 for none.

    Predictions choose by descending score (ties: file order) the free gesture of their class with the largest overlap;
    it counts from an IoU of `iou_threshold` on. So what a prediction finds does not depend on those below it.
    """
    iou = temporal_iou(predicted.start, predicted.end, truth.start, truth.end)
    iou[predicted.label[:, None] != truth.label[None]] = -1.0
    matched = np.full(len(predicted), -1)
    if len(truth) == 0:
        return matched
    for i in np.argsort(-predicted.score, kind="stable"):
        best = int(iou[i].argmax())
        if iou[i, best] >= iou_threshold:
            iou[:, best] = -1.0
            matched[i] = best
    return matched


def strict_hits(truth: Segments, predicted: Segments, iou_threshold: float = IOU_THRESHOLD) -> int:
    """Gestures found when every prediction serves at most one; see `strict_matches`."""
    return int((strict_matches(truth, predicted, iou_threshold) >= 0).sum())


def organiser_hits(truth: Segments, predicted: Segments, iou_threshold: float = IOU_THRESHOLD) -> int:
    """Gestures found as the organisers' kit counts them: any prediction of the class with IoU strictly above.

    Their IoU is taken on the frame numbers of the files without + 1, and divides by the hull; a prediction that was
    used stays in the list, because the result of the kit's delete call is dropped.
    """
    as_in_files = FrameBase(0).to_file  # any base will do, they are only subtracted
    t_start, t_end = as_in_files(truth.start, truth.end)
    p_start, p_end = as_in_files(predicted.start, predicted.end)
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


def check_videos(truth: dict[str, Segments], predicted: dict[str, Segments], truth_path: str, path: Path) -> None:
    """Say which predicted videos the truth does not know; they are not scored.

    Raises:
        InputError: it knows none of them, so that the score would be 0 for want of a name.
    """
    unknown = [video for video in predicted if video not in truth]
    if not unknown:
        return
    if len(unknown) == len(predicted):
        raise InputError(
            f"{path}: not one of its {len(predicted)} videos is in {truth_path}: {unknown[0]!r} here, "
            f"{next(iter(truth), 'nothing')!r} there; write the ids as there"
        )
    print(
        f"note: {path}: {len(unknown)} of its {len(predicted)} videos are not in {truth_path}, ignored: "
        + ", ".join(map(repr, unknown[:5])),
        file=sys.stderr,
    )


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
    parser.add_argument("--truth", type=Path, required=True, help="folder with label files, or a csv")
    parser.add_argument("--pred", type=Path, required=True, help="track2.csv: video,class,start,end,score")
    parser.add_argument("--videos", default=None, help="ids or numbers, e.g. 13-16,19 (default: all of the truth)")
    parser.add_argument("--iou", type=float, default=IOU_THRESHOLD)
    add_base_arguments(parser, "whose frame numbers the csv has")
    args = parser.parse_args(argv)
    truth, base_of_files = read_truth(args.truth, wanted_base(args, args.pred))
    predicted = read_segments(args.pred, wanted_base(args, args.pred, base_of_files))
    check_videos(truth, predicted, str(args.truth), args.pred)
    if args.videos:
        truth = {video: truth[video] for video in select_videos(list(truth), args.videos)}
    scores = score_videos(truth, predicted, args.iou)
    shown = {key: scores["strict"][key] for key in ("f1", "precision", "recall")}
    print(json.dumps({**shown, "iou": args.iou, "videos": len(truth), **scores}))


if __name__ == "__main__":
    run_command(main)
