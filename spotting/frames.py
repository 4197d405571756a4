"""The plainest member: trees name the class of every frame, runs of one class are its segments.

reads:  clips/<run>/track2/, folds/track2/<run>.csv
writes: spotting/<run>/members/frames.npz, spotting/<run>/members/frames.json

    python -m spotting.frames --run mine

Seconds on two cores. It is the floor of every table of track 2: what ships is never below it out of fold. On few
gestures (a dozen of a class) it is hard to beat.

Source: extremely randomised trees (Geurts et al., Machine Learning 63, 2006) frame by frame are the sanity floor that
data sets of online recognition are given with.
"""

import argparse
import dataclasses
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier

from miga.clips import Clips, load_clips
from miga.errors import run_command
from miga.paths import check_run_name
from miga.training.config import override, parse_overrides
from miga.training.resources import choose_device
from miga.training.versions import device_name
from spotting.candidates import AVERAGE, Member, fingerprint_of_run, folds_of_run, write_member
from spotting.config import SearchConfig
from spotting.frame_features import frame_features
from spotting.job import gestures_of
from spotting.segments import Segments, empty_segments, make_segments
from spotting.thresholds import describe_scores, out_of_fold

NAME = "frames"


@dataclass(frozen=True)
class FramesConfig:
    """Rows are those of a video with the set's median frame rate. Chosen on held-out people of two small sets."""

    trees: int = 100
    min_leaf: int = 2  # rows of a leaf
    max_rows: int = 40_000  # frames that trees are grown on, every n-th; neighbours are alike
    smoothing: int = 25  # rows that probabilities are averaged over
    min_length: int = 10  # rows of the shortest run
    background: float = 0.25  # factor of background's probability: most frames are background, and trees know it
    seed: int = 0


def smoothed(probabilities: NDArray, width: int) -> NDArray[np.float64]:
    """(T, C) mean over `width` frames around each, over fewer at either end."""
    before, after = (width - 1) // 2, width // 2 + 1
    total = np.concatenate([np.zeros((1, probabilities.shape[1])), probabilities.cumsum(0)])
    frames = np.arange(len(probabilities))
    first, last = np.maximum(frames - before, 0), np.minimum(frames + after, len(frames))
    return (total[last] - total[first]) / (last - first)[:, None]


def runs(probabilities: NDArray, min_length: int, background: float) -> Segments:
    """Stretches of frames with one most likely class, scored by its mean probability.

    Args:
        probabilities: (T, K + 1), background last. background: its factor before classes are compared.
    """
    num_classes = probabilities.shape[1] - 1
    weighed = probabilities * np.append(np.ones(num_classes), background)
    label = weighed.argmax(1)
    edges = np.concatenate([[0], np.flatnonzero(np.diff(label)) + 1, [len(label)]])
    start, end = edges[:-1], edges[1:]
    keep = (label[start] < num_classes) & (end - start >= min_length)
    start, end = start[keep], end[keep]
    score = [probabilities[a:b, label[a]].mean() for a, b in zip(start, end, strict=True)]
    return make_segments(start, end, label[start], np.clip(score, 0, 1))


def frame_labels(gestures: Segments, num_frames: int, num_classes: int) -> NDArray[np.int64]:
    """(T,) class of every frame; num_classes = background. Where gestures overlap the later one counts."""
    label = np.full(num_frames, num_classes)
    for start, end, one in zip(gestures.start.astype(int), gestures.end.astype(int), gestures.label, strict=True):
        label[start:end] = one
    return label


def grow(features: list[NDArray], labels: list[NDArray], config: FramesConfig) -> ExtraTreesClassifier:
    """Trees on every n-th frame of these videos."""
    step = max(1, -(-sum(map(len, labels)) // config.max_rows))
    trees = ExtraTreesClassifier(
        config.trees, min_samples_leaf=config.min_leaf, max_features="sqrt", n_jobs=-1, random_state=config.seed
    )
    return trees.fit(np.concatenate([x[::step] for x in features]), np.concatenate([y[::step] for y in labels]))


def class_probabilities(trees: ExtraTreesClassifier, features: NDArray, num_classes: int) -> NDArray[np.float64]:
    """(T, K + 1), 0 for a class that no training video has."""
    probabilities = np.zeros((len(features), num_classes + 1))
    trees.set_params(n_jobs=1)  # threads add up in any order, and the last digits differ
    probabilities[:, trees.classes_] = trees.predict_proba(features)
    return probabilities


def propose(clips: Clips, fold_of: dict[str, int], config: FramesConfig) -> dict[tuple[str, int], Segments]:
    """Candidates by (video, model): out of fold, and of test videos by each fold's trees and by their mean."""
    rates = rates_of(clips, fold_of)
    features, present, labels = {}, {}, {}
    for video, fold in fold_of.items():
        features[video], present[video] = frame_features(clips.joints_of_video(video), clips.skeleton, rates[video])
        if fold >= 0:
            labels[video] = frame_labels(gestures_of(clips, video), len(features[video]), clips.num_classes)

    def segments(probabilities: NDArray, video: str) -> Segments:
        if not present[video].any():
            return empty_segments()
        probabilities[~present[video]] = np.eye(clips.num_classes + 1)[-1]  # nobody there: background
        width, shortest = (max(1, round(n * rates[video])) for n in (config.smoothing, config.min_length))
        return runs(smoothed(probabilities, width), shortest, config.background)

    found: dict[tuple[str, int], Segments] = {}
    total: dict[str, Any] = {video: 0.0 for video, fold in fold_of.items() if fold == AVERAGE}
    folds = sorted(set(fold_of.values()) - {AVERAGE})
    for fold in folds:
        others = [video for video, of in fold_of.items() if of not in (fold, AVERAGE)]
        trees = grow([features[v] for v in others], [labels[v] for v in others], config)
        for video, of in fold_of.items():
            if of in (fold, AVERAGE):
                probabilities = class_probabilities(trees, features[video], clips.num_classes)
                if of == AVERAGE:
                    total[video] = total[video] + probabilities / len(folds)
                found[video, fold] = segments(probabilities, video)
    found |= {(video, AVERAGE): segments(mean, video) for video, mean in total.items()}
    return found


def rates_of(clips: Clips, fold_of: dict[str, int]) -> dict[str, float]:
    """Frame rate of each video over the median of the training videos; 1 where either is unknown."""
    fps = clips.videos.set_index("video_id").fps.fillna(0).to_dict()
    known = [fps[video] for video, fold in fold_of.items() if fold >= 0 and fps[video] > 0]
    usual = np.median(known) if known else 0
    return {video: float(fps[video] / usual) if usual and fps[video] > 0 else 1.0 for video in fold_of}


def main(argv: list[str] | None = None) -> None:
    fields = ", ".join(f"--{field.name} {field.default}" for field in dataclasses.fields(FramesConfig))
    parser = argparse.ArgumentParser(
        description="Trees that name the class of every frame.", epilog=f"Settings: {fields}", allow_abbrev=False
    )
    parser.add_argument("--run", required=True, type=check_run_name)
    args, unknown = parser.parse_known_args(argv)
    config = override(FramesConfig(), parse_overrides(unknown))
    started = time.monotonic()
    clips, fold_of = load_clips(args.run, "track2"), folds_of_run(args.run)
    found = propose(clips, fold_of, config)
    held_out = Member(NAME, fold_of, found, {}).held_out()
    truth = {video: gestures_of(clips, video) for video in held_out}
    facts: dict[str, Any] = {
        "settings": dataclasses.asdict(config),
        "fingerprint": fingerprint_of_run(args.run),
        "device": device_name(choose_device("cpu")),
        "minutes": round((time.monotonic() - started) / 60, 2),
        "out_of_fold": out_of_fold(held_out, truth, fold_of, SearchConfig()),
    }
    write_member(args.run, Member(NAME, fold_of, found, facts))
    print(f"member {NAME}: {describe_scores(facts['out_of_fold'])}; {facts['minutes'] * 60:.0f} s")


if __name__ == "__main__":
    run_command(main)
