"""The first thing one sees: what to expect of both leaderboards; and what was said before against what came."""

import altair as alt
import numpy as np

from miga.paths import submissions_log
from report.blocks import Chart, Figures, Section, Table, Text, number, percent
from report.charts import BLUE, GREY, ORANGE, colours, records, spec_of
from report.found_segments import f1_interval
from report.run_files import NotMade, RunFiles
from submissions.log import read_log


def headline(files: RunFiles) -> list:
    """Both tracks; a track that is not done says which step is next."""
    items, notes = [], []
    for track in (_track1, _track2):
        try:
            items += track(files)
        except NotMade as error:
            notes.append(Text(f"Track {track.__name__[-1]}: {error}"))
    return ([Figures(items)] if items else []) + notes


def _track1(files: RunFiles) -> list[tuple[str, str, str]]:
    facts = files.forecast
    low, high = facts["leaderboard"]["interval"]
    people = len(facts["leaderboard"]["new_clips"])
    noun = facts["kind"].replace("subject", "person" if people == 1 else "people")
    how = facts["how"].split(";")[0].replace("subjects", "people")
    items = [
        (
            "Track 1, expected top-1",
            percent(facts["leaderboard"]["expected"]),
            f"95 % interval {100 * low:.1f} to {high * 100:.1f} % for {people} new {noun}; "
            f"{how}, {facts['num_clips']} clips. Ships: {facts['shipped']}.",
        )
    ]
    tested = [row for name, row in files.summary.get("track1", {}).items() if name.startswith("blend (")]
    if tested and tested[0]["test_top1"] is not None:
        said = f"{facts['num_test_clips']} clips whose labels are known here; nothing was chosen by them."
        items.append(("Track 1, test people", percent(tested[0]["test_top1"]), said))
    return items


def _track2(files: RunFiles) -> list[tuple[str, str, str]]:
    strict = files.spotting["out_of_fold"]["strict"]
    truth, found = files.found
    interval = f1_interval(files.clips("track2"), truth, found)
    told = f"95 % interval {interval[0]:.3f} to {interval[1]:.3f} for the test videos' people; " if interval else ""
    items = [
        (
            "Track 2, expected F1",
            number(strict["f1"]),
            f"{told}IoU 0.3, each prediction counted once, out of fold with cross-fitted thresholds: "
            f"precision {strict['precision']:.3f}, "
            f"recall {strict['recall']:.3f} on {len(truth)} videos.",
        )
    ]
    test = files.summary.get("track2", {}).get("test")
    if test:
        said = "The hidden labels are known here; nothing was chosen by them."
        items.append(("Track 2, test people", number(test["strict"]["f1"]), said))
    return items


def leaderboard(files: RunFiles) -> list:
    """What was expected of the files sent in, of all runs, and what the leaderboard said."""
    rows = [row for row in read_log(files.needs(submissions_log(), "blend")) if row["leaderboard"]]
    if not rows:
        how = "python -m submissions.log --file submissions/RUN/track1.csv --score 0.7123"
        return [Text(f"No leaderboard score was typed in yet. Type one in with: {how}")]
    estimate = np.array([float(row["estimate"]) for row in rows])
    score = np.array([float(row["leaderboard"]) for row in rows])
    runs = [row["run"] for row in rows]
    whose = np.where([run == files.run for run in runs], "this run", "another run")
    ends = [0.0, 1.0]
    line = alt.Chart(records(x=ends, y=ends)).mark_line(color=GREY, strokeDash=[4, 4]).encode(x="x:Q", y="y:Q")
    points = (
        alt.Chart(records(estimate=estimate, score=score, run=runs, whose=whose))
        .mark_point(filled=True, size=90, opacity=1)
        .encode(
            x=alt.X("estimate:Q", title="estimate when it was made", scale=alt.Scale(domain=ends)),
            y=alt.Y("score:Q", title="leaderboard", scale=alt.Scale(domain=ends)),
            color=alt.Color("whose:N", title=None, scale=colours(["this run", "another run"], [BLUE, ORANGE])),
            tooltip=["run:N", "estimate:Q", "score:Q"],
        )
    )
    gap = float(np.mean(score - estimate))
    table = Table(
        "Estimate and leaderboard score of each file",
        ["run", "made at", "estimate", "leaderboard"],
        [
            [row["run"], row["made_at"], number(float(row["estimate"])), number(float(row["leaderboard"]))]
            for row in rows
        ],
        is_folded=True,
    )
    told = f"{len(rows)} file{'' if len(rows) == 1 else 's'}; the leaderboard was {abs(gap):.3f} "
    told += f"{'above' if gap >= 0 else 'below'} the estimate on average."
    return [Chart("Estimate against leaderboard", told, spec_of(line + points, 260), table)]


HEADLINE = Section("headline", "What to expect", "Figures for people that no network has seen, with how sure they are.")
LEADERBOARD = Section(
    "leaderboard",
    "Estimate against leaderboard",
    "Points on the dashed line came out as expected. Scores are those that a person typed in.",
)
