"""The members' candidates to a submission: a recipe and thresholds on held-out people, then the test videos.

reads:  clips/<run>/track2/, folds/track2/<run>.csv, spotting/<run>/members/
writes: spotting/<run>/thresholds.json, spotting/<run>/out_of_fold.npz, submissions/<run>/track2.csv

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
from spotting.candidates import AVERAGE, Member, read_members
from spotting.config import SearchConfig, config_from_dict, override_parts
from spotting.job import gestures_of
from spotting.profiles import PROFILES
from spotting.recipes import RECIPES, Blend, Fitted
from spotting.score import score_videos
from spotting.segments import Segments
from spotting.systems import SHIPPED, persons_of, write_systems
from spotting.thresholds import Choice, apply, cross_fitted, describe_scores, threshold_for_count, thresholds_of
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


def blend(run: str, members: list[Member], search: SearchConfig) -> None:
    """Choose the recipe and its thresholds, print the out-of-fold score, write the submission."""
    clips = load_clips(run, "track2")
    truth = {video: gestures_of(clips, video) for video in members[0].held_out()}
    blended = Blend(members, truth, persons_of(clips), search)
    folds = members[0].folds
    recipe, steps = blended.choose_recipe(folds)
    fitted, estimate = blended.fit(recipe, folds), blended.estimate()
    out_of_fold = score_videos(truth, estimate)
    systems = {SHIPPED: estimate}
    systems |= {name: blended.cross_fitted(name) for name in (RECIPES if len(members) > 1 else ())}
    for member, candidates, counts in zip(members, blended.held_out, blended.alone, strict=True):
        systems[member.name] = cross_fitted(candidates, counts, member.fold_of, search)
    write_systems(run, systems)
    by_system = {name: score_videos(truth, one)["strict"]["f1"] for name, one in systems.items()}

    by_model = {model: merged_test(members, fitted, model, search) for model in (AVERAGE, *folds)}
    rest = (fitted.choice.nms_iou, search.max_segments)
    of_each = [one for fold in folds for one in by_model[fold].values()]
    mean_count = sum(len(apply(one, fitted.choice.threshold, *rest)) for one in of_each) / len(folds)
    threshold = threshold_for_count(by_model[AVERAGE], *rest, mean_count)
    found = {video: apply(one, threshold, *rest) for video, one in by_model[AVERAGE].items()}
    table = submission_table(clips, found)
    with replacing(submission_csv(run, "track2")) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")
    weights = dict(zip([member.name for member in members], fitted.weights.tolist(), strict=True))
    write_json(
        spotting_json(run),
        {
            "recipe": recipe,
            "weights": weights,
            "steps": steps,
            "threshold": fitted.choice.threshold,
            "test_threshold": threshold,
            "nms_iou": fitted.choice.nms_iou,
            "curve": curve(fitted.choice, search),
            "out_of_fold": out_of_fold,
            "by_system": by_system,
            "fingerprint": members[0].facts["fingerprint"],
        },
    )
    print(f"spotting: {describe_scores(out_of_fold)}")
    if len(members) > 1:
        for name, f1 in by_system.items():
            print(f"  {name:20} {f1:.3f}")
        print(f"  ships {recipe}: " + ", ".join(f"{name} {weight:.2f}" for name, weight in weights.items() if weight))
    print(
        f"  threshold {fitted.choice.threshold:g} on single models, {threshold:.3g} on their average over the test "
        f"videos, suppression IoU {fitted.choice.nms_iou:g}"
    )
    print(f"  {len(table)} segments in {len(found)} test videos -> {submission_csv(run, 'track2')}")
    for line in describe_unseen(clips):
        print(f"  note: {line}")


def merged_test(members: list[Member], fitted: Fitted, model: int, search: SearchConfig) -> dict[str, Segments]:
    """Candidates of every test video by the models of a fold, or by their averages."""
    by_member = [member.test(model) for member in members]
    return {video: fitted.merge([one[video] for one in by_member], search.max_segments) for video in by_member[0]}


def curve(choice: Choice, search: SearchConfig) -> dict:
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
    parser.add_argument("--members", help="only these, joined by commas (default: all there are)")
    args, unknown = parser.parse_known_args(argv)
    members = read_members(args.run, args.members.split(",") if args.members else None)
    blend(args.run, members, read_search(members, parse_overrides(unknown)))


if __name__ == "__main__":
    run_command(main)
