"""Turn trained folds into a submission: thresholds on held-out people, then the test videos.

reads:  clips/<run>/track2/, folds/track2/<run>.csv, spotting/<run>/,
        checkpoints/<run>/spotting_extractor/, checkpoints/<run>/spotting_detector/
writes: spotting/<run>/candidates.npz, spotting/<run>/thresholds.json, submissions/<run>/track2.csv

    python -m spotting.predict --run mine [--search.nms_iou 0.2 ...]

A test video is seen by the detectors of all folds; their probabilities and distances at the same points are averaged.
"""

import argparse

import numpy as np
import pandas as pd
import torch

from folds.make import load_folds
from miga.clips import Clips, load_clips
from miga.errors import InputError, run_command
from miga.files import read_json, replacing, write_json
from miga.paths import (
    check_run_name,
    spotting_candidates_npz,
    spotting_json,
    spotting_settings_json,
    spotting_tokens_npy,
    submission_csv,
)
from miga.training.checkpoint import load_checkpoint
from miga.training.config import parse_overrides
from miga.training.resources import choose_device
from miga.training.seeding import make_deterministic
from miga.training.versions import in_all
from spotting.config import SpottingConfig, config_from_dict, override_parts
from spotting.decode import FrameScores, average_models, decode_window, pool_windows
from spotting.detector import Detector, make_points
from spotting.samples import padded_window
from spotting.score import score_videos
from spotting.segments import Segments, empty_segments
from spotting.stages import NUM_TEST_VIEWS, SpottingJob, build_detector, gestures_of, videos_of_fold
from spotting.thresholds import apply, choose, threshold_for_count, thresholds_of
from spotting.train import is_done, make_jobs
from spotting.unseen import describe_unseen
from spotting.windows import window_starts
from submissions.track2 import COLUMNS


@torch.no_grad()
def find_candidates(clips: Clips, video_id: str, jobs: list[SpottingJob], detectors: list[Detector]) -> list[Segments]:
    """Candidates of a video by the average of the detectors and, where they are several, then by each alone.

    There are none where nobody is ever in view.
    """
    num_views = NUM_TEST_VIEWS if jobs[0].config.search.mirror else 1
    alone = [slice(i * num_views, (i + 1) * num_views) for i in range(len(jobs))]  # of the outputs: a detector's views
    groups = [slice(None), *(alone if len(jobs) > 1 else [])]
    if not clips.is_seen(video_id):
        return [empty_segments() for _ in groups]
    config, device = jobs[0].config, jobs[0].device
    tokens = [[read_tokens(job, view, video_id) for view in range(num_views)] for job in jobs]
    num_frames, window = len(tokens[0][0]), config.detector.window
    points = make_points(window, device)
    parts = [[] for _ in groups]
    frames = [FrameScores(num_frames, clips.num_classes) for _ in groups]
    for start in window_starts(num_frames, window, window // 2).tolist():
        outputs = []
        for detector, of_fold in zip(detectors, tokens, strict=True):
            for of_view in of_fold:
                padded, is_frame = padded_window(of_view, start, window)
                tensors = (torch.from_numpy(array)[None].to(device) for array in (padded, is_frame))
                outputs.append(detector(*tensors))
        is_point = outputs[0]["is_point"][0]
        for group, part, frame in zip(groups, parts, frames, strict=True):
            probabilities, distances = average_models(outputs[group])
            frame.add(start, outputs[group])
            part.append(decode_window(points, probabilities[0], distances[0], is_point, start, num_frames))
    return [frame.rescore(pool_windows(part)) for part, frame in zip(parts, frames, strict=True)]


def read_tokens(job: SpottingJob, view: int, video_id: str) -> np.ndarray:
    path = spotting_tokens_npy(job.run, job.fold, view, video_id)
    if not path.exists():
        raise InputError(f"{path}: no frame tokens; run `python -m spotting.train --run {job.run} --overwrite`")
    return np.load(path, mmap_mode="r", allow_pickle=False)


def how_trained(jobs: list[SpottingJob]) -> dict[str, dict[str, str]]:
    """Device and number format of each stage's trainings."""
    made = {
        stage: [load_checkpoint(job.folder(stage) / "weights.pt").get("made", {}) for job in jobs]
        for stage in ("extractor", "detector")
    }
    return {stage: in_all(facts, ("device", "number_format")) for stage, facts in made.items()}


def load_detector(job: SpottingJob, num_classes: int, video_id: str) -> Detector:
    """The trained detector of a fold."""
    detector = build_detector(read_tokens(job, 0, video_id).shape[1], num_classes, job.config)
    detector.load_state_dict(load_checkpoint(job.folder("detector") / "weights.pt", job.device)["model"])
    return detector.to(job.device).eval()


def cross_fitted(
    candidates: dict[str, Segments], truth: dict[str, Segments], fold_of: dict[str, int], config: SpottingConfig
) -> dict[str, Segments]:
    """Segments of every held-out video at the thresholds that the other folds' videos choose."""
    found = {}
    for fold in sorted(set(fold_of.values())):
        others = [video for video in candidates if fold_of[video] != fold]
        choice = choose({v: candidates[v] for v in others}, {v: truth[v] for v in others}, config.search)
        for video in candidates:
            if fold_of[video] == fold:
                found[video] = apply(candidates[video], choice.threshold, choice.nms_iou, config.search.max_segments)
    return found


def write_candidates(path, candidates: dict[str, Segments], fold_of: dict[str, int]) -> None:
    """One array a column, a row a candidate, videos one after another."""
    videos = [video for video, found in candidates.items() for _ in range(len(found))]
    columns = {
        name: np.concatenate([getattr(found, name) for found in candidates.values()])
        for name in ("start", "end", "label", "score")
    }
    fold = np.array([fold_of[video] for video in videos], np.int8)
    with replacing(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, video=np.array(videos, dtype=np.str_), fold=fold, **columns)


def submission_table(clips: Clips, found: dict[str, Segments]) -> pd.DataFrame:
    """Columns video, class, start, end, score in the codes and the frame base of the data's own label files."""
    parts = [pd.DataFrame(columns=list(COLUMNS))]
    codes = np.array(clips.meta["codes"])
    for video_id, segments in found.items():
        start, end = clips.frame_base.to_file(segments.start, segments.end)
        columns = {"video": video_id, "class": codes[segments.label], "start": start, "end": end}
        table = pd.DataFrame({**columns, "score": np.round(segments.score, 4)})
        parts.append(table.sort_values(["start", "end", "class"], kind="stable"))
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True) if filled else parts[0]


def predict(run: str, config: SpottingConfig, device: torch.device) -> None:
    """Choose the thresholds, print the out-of-fold score, write the submission."""
    make_deterministic(device)
    clips, folds = load_clips(run, "track2"), load_folds(run, "track2")
    jobs = make_jobs(run, config, device)
    missing = [job.fold for job in jobs if not is_done(job)]
    if missing:
        raise InputError(f"spotting fold {missing[0]} is not trained; run `python -m spotting.train --run {run}` first")
    parts = [videos_of_fold(clips.videos, folds, job.fold) for job in jobs]
    detectors = [
        load_detector(job, clips.num_classes, part["held_out"][0]) for job, part in zip(jobs, parts, strict=True)
    ]

    fold_of = {video: job.fold for job, part in zip(jobs, parts, strict=True) for video in part["held_out"]}
    fold_of = {video: fold_of[video] for video in clips.videos.video_id if video in fold_of}
    candidates = {v: find_candidates(clips, v, [jobs[k]], [detectors[k]])[0] for v, k in fold_of.items()}
    truth = {video: gestures_of(clips, video) for video in fold_of}
    choice = choose(candidates, truth, config.search)
    rest = (choice.nms_iou, config.search.max_segments)
    out_of_fold = score_videos(truth, cross_fitted(candidates, truth, fold_of, config))
    write_candidates(spotting_candidates_npz(run), candidates, fold_of)

    test = {v: find_candidates(clips, v, jobs, detectors) for v in parts[0]["test"]}
    by_average = {v: candidates[0] for v, candidates in test.items()}
    of_each = [one for candidates in test.values() for one in candidates[-len(jobs) :]]
    mean_count = sum(len(apply(one, choice.threshold, *rest)) for one in of_each) / len(jobs)
    threshold = threshold_for_count(by_average, *rest, mean_count)
    found = {v: apply(candidates, threshold, *rest) for v, candidates in by_average.items()}
    table = submission_table(clips, found)
    with replacing(submission_csv(run, "track2")) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")
    write_json(
        spotting_json(run),
        {
            "threshold": choice.threshold,
            "test_threshold": threshold,
            "nms_iou": choice.nms_iou,
            "thresholds_tried": thresholds_of(config.search).tolist(),
            "best_strict_f1_by_nms_iou": dict(
                zip(map(str, config.search.nms_iou), choice.strict_f1.max(axis=1).tolist(), strict=True)
            ),
            "out_of_fold": out_of_fold,
            "settings": config.to_dict(),
            "trained": how_trained(jobs),
            "fingerprint": jobs[0].fingerprint,
        },
    )
    strict, lenient = out_of_fold["strict"], out_of_fold["organiser"]
    print(
        f"spotting: out-of-fold, thresholds cross-fitted: strict F1 {strict['f1']:.3f} "
        f"(precision {strict['precision']:.3f}, recall {strict['recall']:.3f}; organisers' rule {lenient['f1']:.3f}); "
        f"threshold {choice.threshold:g} on single models, {threshold:.3g} on their average over the test videos, "
        f"suppression IoU {choice.nms_iou:g}"
    )
    print(f"  {len(table)} segments in {len(found)} test videos -> {submission_csv(run, 'track2')}")
    for line in describe_unseen(clips):
        print(f"  note: {line}")


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description="Thresholds and submission of spotting.",
        epilog="Settings can be changed too, `--search.setting value`: `python -m spotting.train --help` lists them. "
        "Their defaults are those of the training.",
        allow_abbrev=False,
    )
    parser.add_argument("--run", required=True, type=check_run_name)
    parser.add_argument("--device", default=None, help="cpu or cuda (default: cuda when there is one)")
    args, unknown = parser.parse_known_args(argv)
    path = spotting_settings_json(args.run)
    if not path.exists():
        raise InputError(f"{path}: nothing trained yet; run `python -m spotting.train --run {args.run}` first")
    settings = read_json(path, f"run `python -m spotting.train --run {args.run} --overwrite`")
    config = override_parts(config_from_dict(settings), parse_overrides(unknown))
    predict(args.run, config, choose_device(args.device))


if __name__ == "__main__":
    run_command(main)
