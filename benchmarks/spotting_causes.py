"""What track 2's members lack: the class of a gesture, its boundaries, or either at some frame rates and lengths.

reads:  clips/<run>/track2/, folds/track2/<run>.csv, spotting/<run>/members/
writes: a table on stdout

    python -m benchmarks.spotting_causes --run mine

Each column scores the candidates of every member out of fold, thresholds cross-fitted, after an oracle has changed
them: `classes ignored` gives all gestures and candidates one class; `class repaired` gives a candidate the class of the
gesture that it overlaps most; `boundary repaired` its boundaries, if it overlaps that by 0.1 and has its class.
"""

import argparse
from collections.abc import Callable

import numpy as np

from miga.clips import load_clips
from miga.errors import run_command
from miga.paths import check_run_name
from spotting.candidates import read_members
from spotting.config import SearchConfig
from spotting.errors import NEAR_IOU
from spotting.job import gestures_of
from spotting.segments import Segments, make_segments, temporal_iou
from spotting.thresholds import out_of_fold

Found = dict[str, Segments]


def without_classes(found: Segments) -> Segments:
    return make_segments(found.start, found.end, np.zeros(len(found)), found.score)


def with_true_class(found: Segments, truth: Segments) -> Segments:
    if not len(found) or not len(truth):
        return found
    iou = temporal_iou(found.start, found.end, truth.start, truth.end)
    label = np.where(iou.max(1) > 0, truth.label[iou.argmax(1)], found.label)
    return make_segments(found.start, found.end, label, found.score)


def with_true_boundary(found: Segments, truth: Segments) -> Segments:
    if not len(found) or not len(truth):
        return found
    iou = temporal_iou(found.start, found.end, truth.start, truth.end)
    iou[found.label[:, None] != truth.label] = 0
    nearest, is_near = iou.argmax(1), iou.max(1) >= NEAR_IOU
    start = np.where(is_near, truth.start[nearest], found.start)
    end = np.where(is_near, truth.end[nearest], found.end)
    return make_segments(start, end, found.label, found.score)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="What track 2's members lack.")
    parser.add_argument("--run", required=True, type=check_run_name)
    args = parser.parse_args(argv)
    clips, search = load_clips(args.run, "track2"), SearchConfig()
    fps = clips.videos.set_index("video_id").fps
    for member in read_members(args.run):
        found = member.held_out()
        truth = {video: gestures_of(clips, video) for video in found}

        def f1(found: Found, truth: Found, fold_of: dict[str, int] = member.fold_of) -> float:
            return out_of_fold(found, truth, fold_of, search)["strict"]["f1"]

        def changed(oracle: Callable, found: Found = found, truth: Found = truth) -> Found:
            return {video: oracle(found[video], truth[video]) for video in found}

        one_class, one_truth = ({v: without_classes(one) for v, one in which.items()} for which in (found, truth))
        rows = {
            "as it is": f1(found, truth),
            "classes ignored": f1(one_class, one_truth),
            "class repaired": f1(changed(with_true_class), truth),
            "boundary repaired": f1(changed(with_true_boundary), truth),
        }
        for rate in sorted({float(fps[video]) for video in found}):
            ids = [video for video in found if fps[video] == rate]
            if len({member.fold_of[video] for video in ids}) > 1:
                rows[f"{rate:g} fps alone"] = f1({v: found[v] for v in ids}, {v: truth[v] for v in ids})
        print(f"{member.name:12} " + "   ".join(f"{name} {value:.3f}" for name, value in rows.items()), flush=True)


if __name__ == "__main__":
    run_command(main)
