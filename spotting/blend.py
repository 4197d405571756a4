"""The members' candidates to a submission: thresholds on held-out people, then the test videos.

reads:  clips/<run>/track2/, folds/track2/<run>.csv, spotting/<run>/members/
writes: spotting/<run>/thresholds.json, submissions/<run>/track2.csv

    python -m spotting.blend --run mine [--search.nms_iou 0.2 ...]
"""

import argparse

import numpy as np
import pandas as pd

from miga.clips import Clips, load_clips
from miga.errors import run_command
from miga.files import replacing, write_json
from miga.paths import check_run_name, spotting_json, submission_csv
from miga.training.config import parse_overrides
from spotting.candidates import Member, read_members
from spotting.config import PROFILES, SearchConfig, config_from_dict, override_parts
from spotting.job import gestures_of
from spotting.score import score_videos
from spotting.segments import Segments
from spotting.thresholds import apply, choose, count, cross_fitted, describe_scores, threshold_for_count, thresholds_of
from spotting.unseen import describe_unseen
from submissions.track2 import COLUMNS


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


def out_of_fold_f1(member: Member) -> float:
    """Strict F1 on held-out people, at cross-fitted thresholds."""
    return member.facts["out_of_fold"]["strict"]["f1"]


def blend(run: str, members: list[Member], search: SearchConfig) -> None:
    """Choose the member and the thresholds, print the out-of-fold score, write the submission."""
    clips = load_clips(run, "track2")
    member = max(members, key=out_of_fold_f1)
    candidates = member.held_out()
    truth = {video: gestures_of(clips, video) for video in candidates}
    counts = count(candidates, truth, search)
    choice = choose(counts, search)
    rest = (choice.nms_iou, search.max_segments)
    out_of_fold = score_videos(truth, cross_fitted(candidates, counts, member.fold_of, search))

    of_each = [one for fold in member.folds for one in member.test(fold).values()]
    mean_count = sum(len(apply(one, choice.threshold, *rest)) for one in of_each) / len(member.folds)
    threshold = threshold_for_count(member.test(), *rest, mean_count)
    found = {video: apply(one, threshold, *rest) for video, one in member.test().items()}
    table = submission_table(clips, found)
    with replacing(submission_csv(run, "track2")) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")
    write_json(
        spotting_json(run),
        {
            "members": [member.name],
            "out_of_fold_of": {member.name: out_of_fold_f1(member) for member in members},
            "threshold": choice.threshold,
            "test_threshold": threshold,
            "nms_iou": choice.nms_iou,
            "curve": curve(choice, search),
            "out_of_fold": out_of_fold,
            "fingerprint": member.facts["fingerprint"],
        },
    )
    print(f"spotting: {describe_scores(out_of_fold)}")
    print(
        f"  threshold {choice.threshold:g} on single models, {threshold:.3g} on their average over the test videos, "
        f"suppression IoU {choice.nms_iou:g}"
    )
    print(f"  {len(table)} segments in {len(found)} test videos -> {submission_csv(run, 'track2')}")
    for line in describe_unseen(clips):
        print(f"  note: {line}")


def curve(choice, search: SearchConfig) -> dict:
    """Strict F1 on the held-out people at every threshold, one list for each overlap of suppression."""
    by_iou = dict(zip(map(str, search.nms_iou), choice.strict_f1.tolist(), strict=True))
    return {"thresholds": thresholds_of(search).tolist(), "strict_f1_by_nms_iou": by_iou}


def read_search(members: list[Member], changes: dict[str, str]) -> SearchConfig:
    """What is tried: as the first member that was trained says, else the defaults; changed."""
    trained = [member.facts["settings"] for member in members if "search" in member.facts["settings"]]
    config = config_from_dict(trained[0]) if trained else PROFILES["demo"]
    return override_parts(config, changes).search


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description="Thresholds and submission of spotting.",
        epilog="What is tried can be changed, `--search.setting value`: `python -m spotting.train --help` lists it.",
        allow_abbrev=False,
    )
    parser.add_argument("--run", required=True, type=check_run_name)
    args, unknown = parser.parse_known_args(argv)
    members = read_members(args.run)
    blend(args.run, members, read_search(members, parse_overrides(unknown)))


if __name__ == "__main__":
    run_command(main)
