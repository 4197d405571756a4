"""Whether a stated probability comes true, and how right the surest answers are."""

import altair as alt
import numpy as np

from ensemble.calibration import expected_calibration_error
from report.blocks import Chart, Section, Table, percent
from report.charts import BLUE, GREY, ORANGE, records, spec_of
from report.run_files import RunFiles

NUM_BINS = 10
COVERAGES = np.arange(5, 101) / 100


def reliability(files: RunFiles) -> list:
    """Accuracy of the answers by how sure the blend was of them; then accuracy of the surest share of answers."""
    shown = files.shown
    right, confidence = shown.predicted == shown.label, shown.confidence
    ece = expected_calibration_error(shown.probabilities / shown.probabilities.sum(1, keepdims=True), shown.label)
    return [_reliability(confidence, right, ece), _selective(confidence, right)]


def _reliability(confidence: np.ndarray, right: np.ndarray, ece: float) -> Chart:
    bin_of = np.minimum((confidence * NUM_BINS).astype(int), NUM_BINS - 1)
    used = np.unique(bin_of)
    stated = np.array([confidence[bin_of == b].mean() for b in used])
    true = np.array([right[bin_of == b].mean() for b in used])
    clips = np.array([(bin_of == b).sum() for b in used])
    ends = [0.0, 1.0]
    line = alt.Chart(records(x=ends, y=ends)).mark_line(color=GREY, strokeDash=[4, 4]).encode(x="x:Q", y="y:Q")
    unit, share = alt.Scale(domain=ends), alt.Axis(format="%")
    points = (
        alt.Chart(records(stated=stated, true=true, clips=clips))
        .mark_line(color=BLUE, point=alt.OverlayMarkDef(color=BLUE, size=60))
        .encode(
            x=alt.X("stated:Q", title="probability stated", scale=unit, axis=share),
            y=alt.Y("true:Q", title="share right", scale=unit, axis=share),
            tooltip=[alt.Tooltip("stated:Q", format=".1%"), alt.Tooltip("true:Q", format=".1%"), "clips:Q"],
        )
    )
    rows = [
        [f"{b / NUM_BINS:.1f} to {(b + 1) / NUM_BINS:.1f}", str(n), percent(s), percent(t)]
        for b, n, s, t in zip(used, clips, stated, true, strict=True)
    ]
    told = f"On the dashed line a probability comes true. Expected calibration error {ece:.3f}."
    columns = ["stated", "clips", "mean stated", "share right"]
    return Chart("Reliability", told, spec_of(line + points, 240), Table("Reliability", columns, rows, is_folded=True))


def selective(confidence: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, float]:
    """Accuracy of the surest COVERAGES of the answers, and the area under the risk-coverage curve (lower is better).

    Source: Geifman and El-Yaniv, Selective classification for deep neural networks (NeurIPS 2017).
    """
    order = np.argsort(-confidence, kind="stable")
    accuracy = np.cumsum(right[order]) / np.arange(1, len(right) + 1)
    at = np.maximum(np.ceil(COVERAGES * len(right)).astype(int) - 1, 0)
    return accuracy[at], float((1 - accuracy).mean())


def _selective(confidence: np.ndarray, right: np.ndarray) -> Chart:
    accuracy, area = selective(confidence, right)
    axis = alt.Axis(format="%")
    chart = (
        alt.Chart(records(coverage=COVERAGES, accuracy=accuracy))
        .mark_line(color=ORANGE)
        .encode(
            x=alt.X("coverage:Q", title="share of clips answered, the surest first", axis=axis),
            y=alt.Y("accuracy:Q", title="share right", scale=alt.Scale(domain=[0, 1]), axis=axis),
            tooltip=[alt.Tooltip("coverage:Q", format=".0%"), alt.Tooltip("accuracy:Q", format=".1%")],
        )
    )
    rows = [[percent(c, 0), percent(a)] for c, a in zip(COVERAGES, accuracy, strict=True) if round(100 * c) % 10 == 0]
    told = (
        f"If only the surest half were answered, {percent(accuracy[45])} would be right; area of the risk {area:.3f}."
    )
    table = Table("Accuracy of the surest answers", ["answered", "right"], rows, is_folded=True)
    return Chart("Selective accuracy", told, spec_of(chart, 240), table)


RELIABILITY = Section("reliability", "Can one trust it", "Whether it is right as often as it says, out of fold.")
