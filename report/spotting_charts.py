"""Track 2: what was found beside what is there, what kinds of errors there are, and what a threshold costs."""

import altair as alt

from miga.files import read_json
from miga.paths import spotting_dir
from report.blocks import Chart, Section, Table, number
from report.charts import BLUE, GREEN, GREY, ORANGE, PURPLE, colours, records, spec_of
from report.found_segments import matches
from report.run_files import NotMade, RunFiles

MAX_VIDEOS = 24  # drawn; more bars than that no screen shows
OUTCOMES = ("gesture, found", "gesture, missed", "prediction, right", "prediction, wrong")
OUTCOME_COLOURS = [GREEN, ORANGE, BLUE, GREY]


def timelines(files: RunFiles) -> list:
    """One row a training video, truth above prediction; the worst first."""
    clips = files.clips("track2")
    truth, found = files.found
    fps = clips.videos.set_index("video_id").fps
    flags = {video: matches(truth[video], found[video]) for video in truth}
    f1 = {v: 2 * flags[v][0].sum() / max(len(truth[v]) + len(found[v]), 1) for v in truth}
    shown = sorted(truth, key=lambda video: (f1[video], video))[:MAX_VIDEOS]
    rows = []
    for video in shown:
        is_found, is_right = flags[video]
        for row, segments, good in (("truth", truth[video], is_found), ("found", found[video], is_right)):
            for i in range(len(segments)):
                outcome = OUTCOMES[(0 if row == "truth" else 2) + (0 if good[i] else 1)]
                rate = float(fps[video])
                times = [round(float(end[i]) / rate, 2) for end in (segments.start, segments.end)]
                rows.append((video, row, *times, outcome, clips.classes[segments.label[i]], float(segments.score[i])))
    columns = list(zip(*rows, strict=True)) if rows else [()] * 7
    names = ("video", "row", "start", "end", "outcome", "gesture", "score")
    chart = (
        alt.Chart(records(**dict(zip(names, columns, strict=True))))
        .mark_bar()
        .encode(
            y=alt.Y("video:N", sort=shown, title=None),
            yOffset=alt.YOffset("row:N", sort=["truth", "found"]),
            x=alt.X("start:Q", title="seconds"),
            x2="end:Q",
            color=alt.Color("outcome:N", title=None, scale=colours(list(OUTCOMES), OUTCOME_COLOURS)),
            tooltip=["video:N", "gesture:N", "outcome:N", "start:Q", "end:Q", "score:Q"],
        )
    )
    numbers = [
        [video, str(len(truth[video])), str(len(found[video])), str(int(flags[video][0].sum())), number(f1[video])]
        for video in sorted(truth, key=lambda video: (f1[video], video))
    ]
    told = (
        f"{len(shown)} of {len(truth)} training videos, the worst first, each by a detector that never saw its person"
    )
    told += ", at the thresholds that the other folds choose."
    table = Table("Each video", ["video", "gestures", "predictions", "right", "F1"], numbers, is_folded=True)
    return [Chart("Truth above, prediction below", told, spec_of(chart, 30 * len(shown) + 10), table)]


def error_kinds(files: RunFiles) -> list:
    """What each kind of error costs."""
    _ = files.clips("track2")
    path = spotting_dir(files.run) / "errors.json"
    if not path.exists():
        raise NotMade(f"Not there yet: python -m spotting.errors --run {files.run} makes it.")
    facts = read_json(path, "make it again")
    kinds = facts["kinds"]
    names = list(kinds)
    gain = [kinds[name]["gain"] for name in names]
    chart = (
        alt.Chart(records(kind=names, gain=gain))
        .mark_bar(color=PURPLE)
        .encode(
            y=alt.Y("kind:N", sort="-x", title=None),
            x=alt.X("gain:Q", title="F1 gained if there were none"),
            tooltip=["kind:N", "gain:Q"],
        )
    )
    rows = [[name, str(kinds[name]["number"]), number(kinds[name]["gain"])] for name in names]
    table = Table("Kinds of errors", ["kind", "number", "F1 gained"], rows)
    told = f"F1 is {facts['f1']:.3f}; what it would gain if all errors of a kind were mended, one kind at a time."
    return [Chart("Kinds of errors", told, spec_of(chart, 26 * len(names) + 10), table)]


def thresholds(files: RunFiles) -> list:
    """Strict F1 on the held-out people at every threshold that was tried."""
    facts = files.spotting
    tried, by_iou = facts["curve"]["thresholds"], facts["curve"]["strict_f1_by_nms_iou"]
    rows = [(t, f1, iou) for iou, values in by_iou.items() for t, f1 in zip(tried, values, strict=True)]
    threshold, f1, iou = zip(*rows, strict=True)
    lines = (
        alt.Chart(records(threshold=threshold, f1=f1, iou=iou))
        .mark_line()
        .encode(
            x=alt.X("threshold:Q"),
            y=alt.Y("f1:Q", title="strict F1"),
            color=alt.Color("iou:N", title="overlap kept", scale=alt.Scale(range=[BLUE, ORANGE, GREEN, PURPLE])),
            tooltip=["threshold:Q", "f1:Q", "iou:N"],
        )
    )
    chosen = alt.Chart(records(threshold=[facts["threshold"]])).mark_rule(color=GREY, strokeDash=[4, 4])
    told = f"Chosen on held-out training people: threshold {facts['threshold']:g}, overlap {facts['nms_iou']:g}."
    table = Table(
        "Strict F1 at each threshold",
        ["threshold", *(f"overlap {iou}" for iou in by_iou)],
        [[number(t), *(number(values[i]) for values in by_iou.values())] for i, t in enumerate(tried)],
        is_folded=True,
    )
    return [Chart("F1 against threshold", told, spec_of(lines + chosen.encode(x="threshold:Q"), 240), table)]


TIMELINES = Section(
    "timelines", "Spotting, video by video", "Truth above, prediction below; a bar is a gesture from start to end."
)
ERROR_KINDS = Section("error_kinds", "What spotting gets wrong", "Kinds of errors, and what each costs.")
THRESHOLDS = Section("thresholds", "F1 against threshold", "How much the choice of the threshold matters.")
