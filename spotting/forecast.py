"""What F1 to expect of track 2 on new people, and how sure that is.

reads:  clips/<run>/track2/, folds/track2/<run>.csv, spotting/<run>/out_of_fold.npz
writes: spotting/<run>/forecast.json

    python -m spotting.forecast --run mine

Every figure is cross-fitted: each fold of people is scored by networks, thresholds, weights and a recipe of the other
folds. Intervals are over people (`spotting/people.py`), for as many new ones as the test has.
"""

import argparse

import numpy as np

from miga.clips import Clips, load_clips
from miga.errors import run_command
from miga.files import write_json
from miga.paths import check_run_name, spotting_forecast_json
from spotting.people import by_person, chance_of_beating, f1_of, interval
from spotting.score import strict_hits
from spotting.systems import SHIPPED, persons_of, read_systems


def num_new_people(clips: Clips, num_people: int) -> int:
    """People in the test videos; where they are unnamed, as many as have that many videos among the training people."""
    test = clips.videos[clips.videos.split == "test"]
    person = persons_of(clips)
    if test.empty:
        return 1
    if (test.subject_id != "").all():
        return len({person[video] for video in test.video_id})
    num_videos = int((clips.videos.split == "train").sum())
    return max(1, round(len(test) * num_people / num_videos))


def forecast(run: str) -> dict:
    """Plain values of everything that forecast.json holds."""
    systems, truth, person_of = read_systems(run)
    person = np.array([person_of[video] for video in truth])
    counts = {
        name: by_person(np.array([[strict_hits(t, found[v]), len(found[v]), len(t)] for v, t in truth.items()]), person)
        for name, found in systems.items()
    }
    num_people = len(np.unique(person))
    num_new = num_new_people(load_clips(run, "track2"), num_people)
    return {
        "how": "strict micro F1, cross-fitted; intervals are 95 %, Student's, over people",
        "num_people": num_people,
        "num_new_people": num_new,
        "expected": f1_of(counts[SHIPPED]),
        "interval": interval(counts[SHIPPED], num_new),
        "systems": {
            name: {"f1": f1_of(one), "interval_of_mean": interval(one, None), "interval": interval(one, num_new)}
            for name, one in counts.items()
        },
        "chance_of_beating": {
            name: {other: chance_of_beating(one, two, num_new) for other, two in counts.items() if other != name}
            for name, one in counts.items()
        },
        "by_person": {
            name: dict(zip(np.unique(person).tolist(), [f1_of(row[None]) for row in one], strict=True))
            for name, one in counts.items()
        },
    }


def format_forecast(facts: dict) -> str:
    def ends(pair: list[float] | None) -> str:
        return "unknown: one person" if pair is None else f"{pair[0]:.3f} to {pair[1]:.3f}"

    lines = [
        f"track 2, strict F1 on {facts['num_new_people']} new people: {facts['expected']:.3f}, "
        f"95 % {ends(facts['interval'])} ({facts['num_people']} people seen, cross-fitted)",
        f"  {'system':20}    F1  95 % of the mean over people   chance that what ships is better on new people",
    ]
    for name, one in facts["systems"].items():
        chance = facts["chance_of_beating"][SHIPPED].get(name)
        told = "" if chance is None else f"{chance:.2f}"
        lines.append(f"  {name:20} {one['f1']:.3f}  {ends(one['interval_of_mean']):29}  {told}")
    return "\n".join(lines) + "\n"


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="What F1 to expect of track 2 on new people.")
    parser.add_argument("--run", required=True, type=check_run_name)
    args = parser.parse_args(argv)
    facts = forecast(args.run)
    write_json(spotting_forecast_json(args.run), facts)
    print(format_forecast(facts) + f"wrote {spotting_forecast_json(args.run)}")


if __name__ == "__main__":
    run_command(main)
