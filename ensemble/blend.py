"""Blend the entries of a run and write the track 1 submission.

reads:  oof/<run>/*.npz, folds/<run>.csv, ensemble/<run>/stack.npz, oof/<run>/refit/*.npz where they are asked for
writes: ensemble/<run>/weights.json, ensemble/<run>/crossfit.npz, submissions/<run>/track1.csv, submissions/log.csv

    python -m ensemble.blend --run mine [--objective mix:0.7] [--models posec3d_joint,gecn] [--sample FILE]
    python -m ensemble.blend --run mine --tune                                 # search again: seconds
    python -m ensemble.blend --run mine --tune --study search.log --workers 8  # and the same line on other machines
"""

import argparse
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from ensemble.choose import Step, choose, estimate
from ensemble.evaluate import Objective
from ensemble.facts import blend_facts, print_facts
from ensemble.join import Entries, entry_paths, read_entries
from ensemble.join_parts import read_parts
from ensemble.missing_inputs import describe_missing, missing_inputs
from ensemble.recipes import CrossFit, Material, Recipe
from ensemble.refit_rows import FOLDS, describe_test_rows, refit_paths, with_refits
from ensemble.stack import read_stack
from ensemble.tune import Search
from miga.engine.options import TEST_ROWS
from miga.errors import InputError, run_command
from miga.files import file_sha256, read_json, replacing, write_json
from miga.paths import check_run_name, crossfit_npz, stack_npz, submission_csv, submission_zip, weights_json
from submissions.check import check_submission
from submissions.log import log_submission, submit_line
from submissions.table import read_table
from submissions.track1 import check_same_ids, write_track1, write_zip


def parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Blend the entries of a run and write the track 1 submission.")
    parser.add_argument("--run", required=True, type=check_run_name)
    parser.add_argument(
        "--models", help="names of the entries, joined by commas (default: all of the run, stackers too)"
    )
    parser.add_argument(
        "--objective", default="top1", help="top1, class_average, or mix:0.7 = 0.7 top-1, 0.3 the other"
    )
    parser.add_argument("--trials", type=int, default=200, help="of one search; there is one a fold and recipe")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--study", type=Path, help="journal file of the trials, which processes and machines share")
    parser.add_argument("--workers", type=int, default=1, help="processes that search; more than one needs --study")
    parser.add_argument("--sample", type=Path, help="sample_submission.csv: its header, ids and order are kept")
    parser.add_argument(
        "--test-rows", default=FOLDS, choices=TEST_ROWS,
        help="whose test rows are blended: of the networks of folds, of those on every training clip "
        "(ensemble.refit), or of both, each network alike; weights and estimates are of folds always (default: folds)",
    )  # fmt: skip
    parser.add_argument("--zip", action="store_true", help="write Submission.zip, the 2023 form, as well")
    parser.add_argument("--overwrite", "--tune", action="store_true", help="search again from the npz files")
    args = parser.parse_args(argv)
    if args.workers > 1 and args.study is None:
        raise InputError(f"--workers {args.workers}: processes share a journal file; add --study FILE")
    if args.trials < 1 or args.workers < 1:
        raise InputError(f"--trials {args.trials} --workers {args.workers}: expected 1 or more of each")
    if args.sample is not None:
        read_table(args.sample)  # one that cannot be read is told of first
    return args


def read_material(args: argparse.Namespace) -> tuple[Material, dict, dict]:
    """Everything there is to blend, what it was made from (hashes and options), and facts for weights.json."""
    paths, part_paths = entry_paths(args.run, args.models)
    entries = read_entries(paths, args.run)
    parts = read_parts(part_paths, entries, args.run)
    stack = read_stack(args.run, entries, paths) if args.models is None else None
    made_from: dict[str, Any] = {path.stem: file_sha256(path) for path in (*paths, *part_paths)}
    if stack is not None:
        made_from["stack"] = file_sha256(stack_npz(args.run))
    sample = file_sha256(args.sample) if args.sample else ""
    made_from["options"] = [args.objective, args.trials, args.seed, sample, args.zip]
    facts: dict = {"missing_inputs": missing_inputs(entries, paths)}
    if args.test_rows != FOLDS and len(entries.test_clip_id):
        refits = refit_paths(args.run, entries)
        entries = with_refits(entries, refits, args.run, args.test_rows)
        made_from["refit"] = [args.test_rows, {name: file_sha256(path) for name, path in refits.items()}]
        facts["test_rows"] = {"by": args.test_rows, "refit": [*refits], "estimates": "of the folds' networks"}
    return Material(entries, parts, stack), made_from, facts


def submission_paths(args: argparse.Namespace, entries: Entries) -> list[Path]:
    """What is to be written for a leaderboard: nothing where there are no test clips.

    Raises:
        InputError: the sample file asks for other clips, or a submission is asked for and there are no test clips.
    """
    test_ids = entries.test_clip_id.tolist()
    if args.sample:
        check_same_ids(read_table(args.sample).iloc[:, 0], test_ids, str(args.sample), "the predicted test clips")
    if args.zip and not test_ids:
        raise InputError(f"--zip: run {args.run} has no test clips, so no submission; prepare test recordings too")
    zip_path = [submission_zip(args.run)] if args.zip else []
    return [submission_csv(args.run, "track1"), *zip_path] if test_ids else []


def blend(material: Material, search: Search, title: str = "blend") -> tuple[CrossFit, Recipe, list[Step]]:
    """Decide which recipe ships."""
    crossfit = CrossFit(material, search, title)
    recipe, steps = choose(crossfit)
    return crossfit, recipe, steps


def write_crossfit(path: Path, crossfit: CrossFit, shipped: Recipe, steps: list[Step], whole: np.ndarray) -> None:
    """Cross-fitted probabilities of every recipe that was compared, of the whole procedure, and without each entry."""
    entries = crossfit.material.entries
    recipes = list(dict.fromkeys([Recipe(), *(step.challenger for step in steps)]))
    names = crossfit.names(shipped) if len(crossfit.names(shipped)) > 1 else ()
    without = [crossfit.without(shipped, name).argmax(1) for name in names]
    with replacing(path) as temporary, open(temporary, "wb") as file:
        np.savez(
            file,
            clip_id=entries.clip_id,
            recipes=np.array([recipe.title for recipe in recipes]),
            probabilities=np.stack([crossfit.probabilities(recipe) for recipe in recipes]).astype(np.float32),
            estimate=whole.astype(np.float32),
            left_out=np.array(names, dtype=np.str_),
            predicted_without=np.array(without, np.int16).reshape(len(names), len(entries.clip_id)),
        )


def main(argv: list[str] | None = None) -> None:
    args = parse_arguments(argv)
    search = Search(Objective.parse(args.objective), args.trials, args.seed, args.study, args.workers)
    material, made_from, more_facts = read_material(args)
    entries, weights_path = material.entries, weights_json(args.run)
    csvs = submission_paths(args, entries)
    if not args.overwrite and all(path.exists() for path in (weights_path, crossfit_npz(args.run), *csvs)):
        facts = read_json(weights_path, "add --overwrite to blend again")
        if facts["made_from"] == made_from:
            print(f"{(csvs or [weights_path])[0]}: already made from these entries, nothing to do")
            return
    print(f"blend of {len(entries.names)} entries over {len(entries.clip_id)} clips")
    digest = hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()[:16]
    crossfit, recipe, steps = blend(material, search, f"{args.run} {digest}")
    whole = estimate(crossfit)
    facts = {**blend_facts(crossfit, recipe, steps, whole), **more_facts, "made_from": made_from}
    print_facts(facts)
    if csvs:
        labels = crossfit.test_probabilities(recipe).argmax(1)
        write_track1(csvs[0], entries.test_clip_id, labels, args.sample)
        check_submission(csvs[0], args.sample)
    if args.zip:
        write_zip(csvs[1], entries.test_clip_id, labels)
    write_crossfit(crossfit_npz(args.run), crossfit, recipe, steps, whole)
    for path in csvs:
        log_submission(path, args.run, len(entries.test_clip_id), facts["estimate"]["top1"])
    write_json(weights_path, facts)  # last: its hashes say that everything else is there
    if not csvs:
        print(f"wrote {weights_path}; run {args.run} has no test clips, so there is no submission")
        return
    print(f"wrote {' and '.join(map(str, csvs))} ({len(entries.test_clip_id)} clips) and {weights_path}")
    if "test_rows" in facts:
        print(f"  note: {describe_test_rows(args.test_rows, [*facts['test_rows']['refit']], entries.names)}")
    for line in describe_missing(facts["missing_inputs"]):
        print(f"  note: {line}")
    print(f"  to submit: {submit_line(csvs[0], facts['estimate']['top1'])}")


if __name__ == "__main__":
    run_command(main)
