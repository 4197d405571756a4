"""The image-level report of LUT (MiGA 2024): frames one by one, and its speed.

reads:  report/<run>/options.json, report/<run>/image_level_report.json; what its steps write
writes: report/<run>/papers/s4.{json,txt}; through its steps oof/<run>/ and
        report/<run>/{image_level_report.json,image_level_curves.png}

    python -m papers.s4 --run R
"""

from functools import partial
from pathlib import Path

from miga.engine.options import Options
from miga.engine.steps import Step
from miga.errors import run_command
from miga.files import read_json
from miga.paths import image_level_curves_png, image_level_report_json
from papers.mixture import reached_by
from papers.steps import entry_of_run
from papers.table import Paper, Reached, Row, fill
from pipeline import MINUTES, PICTURE_SIZE, why_no_pictures


def as_reported_step(options: Options) -> Step:
    """Train on every frame as the report did."""
    run = options.run
    return Step(
        "papers_image_level_report", "models.image_level.as_reported", ("--run", run, "--profile", options.profile),
        reads=(f"folds/{run}.csv", f"clips/{run}/track1/rgb_{PICTURE_SIZE[options.profile]}/meta.json"),
        writes=(f"report/{run}/image_level_report.json", f"report/{run}/image_level_curves.png"),
        minutes=2 * MINUTES[options.profile], wants_gpu=True, why_left_out=partial(why_no_pictures, run),
    )  # fmt: skip


def frames(options: Options) -> Reached:
    facts = read_json(image_level_report_json(options.run), "train it again with --overwrite")
    note = (
        f"{facts['frames']} frames of clips held out, of people that were trained on, as the report did it; what the "
        f"training stopped by is what is scored. {facts['epochs']} epochs."
    )
    return Reached(None, None, note, {"top1": facts["top1"], "top5": facts["top5"]})


def speed(options: Options) -> Reached:
    facts = read_json(image_level_report_json(options.run), "train it again with --overwrite")
    note = f"Reading stored pictures and predicting, on {facts['device']}, in the size of this profile."
    return Reached(None, None, note, {"fps": facts["frames_per_second"]})


def rows(options: Options) -> list[Row]:
    step, entry = as_reported_step(options), entry_of_run(options, "image_level")
    return [
        Row("frames", "EfficientNetV2-B0 + keypoints, frames", "section 4", {"top1": 47.08, "top5": 89.26},
            (step,), frames),
        Row("speed", "frames a second, keypoints given", "section 4", {"fps": 130.6}, (step,), speed),
        Row("speed_pose", "frames a second, with MoveNet", "section 4", {"fps": 55.3},
            note="Keypoints come with the recordings; no detector runs in this entry."),
        Row("clips", "our entry: clips, new people", "not published", {}, (entry,), reached_by({entry: 1}),
            "Probabilities of frames averaged over a clip; people held out."),
        Row("winner2023", "Li et al.", "quoted", {"top1": 64.12}, note="python -m papers.winner2023"),
        Row("tsm", "TSM", "quoted", {"top1": 61.10}, note="Another method, not in this repository."),
    ]  # fmt: skip


def figures(options: Options) -> list[Path]:
    path = image_level_curves_png(options.run)
    return [path] if path.exists() else []


PAPER = Paper("s4", "Image-level report (LUT, MiGA 2024)", rows, figures)


def main(argv: list[str] | None = None) -> None:
    fill(PAPER, argv)


if __name__ == "__main__":
    run_command(main)
