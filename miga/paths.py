"""Every path that a run reads or writes, relative to the current directory. Nothing else builds one.

Everything a run makes carries the run's name, so two runs never touch each other's files.
"""

import re
from pathlib import Path

from miga.errors import InputError

TRACKS = ("track1", "track2")


def check_run_name(run: str) -> str:
    """Return `run` when it can name a folder beside our files; one with a slash, or that of a file, cannot."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}", run):
        raise InputError(
            f"--run {run!r}: expected up to 100 letters, digits, '_', '-' or '.', beginning with a letter or digit"
        )
    if run == "templates":
        raise InputError("--run templates: report/templates/ is a folder of ours; choose another name")
    if run.endswith((".py", ".md", ".csv")):
        raise InputError(f"--run {run!r}: the name of a file, expected one of a data set; leave its ending out")
    return run


def input_dir(run: str) -> Path:
    """Where generated recordings are written; a user's own may lie anywhere."""
    return Path("input") / run


def clips_dir(run: str, track: str) -> Path:
    """The prepared recordings of one track: clips.csv, videos.csv, joints.npy, meta.json."""
    return Path("clips") / run / track


def rgb_store_dir(run: str, size: int, track: str = "track1") -> Path:
    """Pictures cut around the person, of track 1's clips or track 2's videos: pictures_*.bin, index.npy, boxes.npy."""
    return clips_dir(run, track) / f"rgb_{size}"


def folds_csv(run: str, track: str = "track1") -> Path:
    """Track 1's in folds/, another track's in a folder of its own: a suffix could be part of another run's name."""
    return Path("folds") / (f"{run}.csv" if track == "track1" else f"{track}/{run}.csv")


def fold_checkpoint_dir(run: str, name: str, fold: int | None) -> Path:
    """Where a training is kept; fold None stands for the one on every training clip."""
    return Path("checkpoints") / run / name / ("all" if fold is None else f"fold{fold}")


def oof_npz(run: str, name: str) -> Path:
    return Path("oof") / run / f"{name}.npz"


def oof_json(run: str, name: str) -> Path:
    return Path("oof") / run / f"{name}.json"


def refit_npz(run: str, name: str) -> Path:
    """What an entry's network that was trained on every training clip thinks of the test clips."""
    return Path("oof") / run / "refit" / f"{name}.npz"


def refit_json(run: str, name: str) -> Path:
    """How that network was made."""
    return refit_npz(run, name).with_suffix(".json")


def weights_json(run: str) -> Path:
    return Path("ensemble") / run / "weights.json"


def crossfit_npz(run: str) -> Path:
    """Cross-fitted probabilities of every recipe that the blend compared."""
    return Path("ensemble") / run / "crossfit.npz"


def stack_npz(run: str) -> Path:
    """What the stackers say, fold by fold and pair of folds by pair of folds."""
    return Path("ensemble") / run / "stack.npz"


def forecast_json(run: str) -> Path:
    """Every estimate of the run's score, and how sure it is."""
    return Path("ensemble") / run / "forecast.json"


def forecast_txt(run: str) -> Path:
    """The same for a person to read."""
    return Path("ensemble") / run / "forecast.txt"


def spotting_dir(run: str) -> Path:
    """What spotting makes between its steps: frame features, out-of-fold candidates, thresholds."""
    return Path("spotting") / run


def spotting_json(run: str) -> Path:
    """What spotting decided on held-out training people: thresholds, and the F1 there."""
    return spotting_dir(run) / "thresholds.json"


def spotting_settings_json(run: str, member: str) -> Path:
    """The resolved settings that the detectors of a member were trained with."""
    return spotting_dir(run) / "settings" / f"{member}.json"


def spotting_tokens_npy(run: str, stream: str, fold: int, view: int, video_id: str) -> Path:
    """Frame tokens (T, D) of a video in one view, by a fold's extractor of a stream; float32, opened memory-mapped.

    `stream` is its name and the hash of its settings: other settings have other files.
    """
    return spotting_dir(run) / "tokens" / stream / f"fold{fold}" / f"view{view}" / f"{video_id}.npy"


def spotting_tokens_json(run: str, stream: str, fold: int) -> Path:
    """That the tokens of a fold are there, and what they were made with."""
    return spotting_dir(run) / "tokens" / stream / f"fold{fold}" / "made_with.json"


def spotting_members_dir(run: str) -> Path:
    """Candidate segments by every member, before suppression and threshold."""
    return spotting_dir(run) / "members"


def spotting_member_npz(run: str, member: str) -> Path:
    return spotting_members_dir(run) / f"{member}.npz"


def spotting_member_json(run: str, member: str) -> Path:
    """How a member was made, and which videos it looked at."""
    return spotting_members_dir(run) / f"{member}.json"


def spotting_out_of_fold_npz(run: str) -> Path:
    """Final segments of the training videos, cross-fitted, by every way to blend the members."""
    return spotting_dir(run) / "out_of_fold.npz"


def spotting_forecast_json(run: str) -> Path:
    """What F1 to expect of track 2 on new people, and how sure that is."""
    return spotting_dir(run) / "forecast.json"


def spotting_errors_json(run: str) -> Path:
    """What the segments of track 2 get wrong, and what repairing each kind would gain."""
    return spotting_dir(run) / "errors.json"


def submission_csv(run: str, track: str) -> Path:
    return Path("submissions") / run / f"{track}.csv"


def submission_zip(run: str) -> Path:
    """The form that the 2023 server took: one Submission.csv without header."""
    return Path("submissions") / run / "Submission.zip"


def submissions_log() -> Path:
    """One row for every submission file made, of all runs."""
    return Path("submissions") / "log.csv"


def report_dir(run: str) -> Path:
    return Path("report") / run


def receipt_json(run: str, task: str) -> Path:
    """That a task of the run is finished, what it read and wrote, and how long it took."""
    return report_dir(run) / "receipts" / f"{task}.json"


def log_txt(run: str, task: str) -> Path:
    """What a task of the run printed the last time."""
    return report_dir(run) / "log" / f"{task}.txt"


def options_json(run: str) -> Path:
    """The options that the run was last started with."""
    return report_dir(run) / "options.json"


def check_txt(run: str) -> Path:
    """What the run will need, looked at before the first training."""
    return report_dir(run) / "check.txt"


def report_html(run: str) -> Path:
    """The report that one looks at."""
    return report_dir(run) / "index.html"


def report_against(run: str, other: str) -> Path:
    """The run beside another."""
    return report_dir(run) / f"against_{other}.txt"


def start_dir(run: str, name: str, fold: int | None) -> Path:
    """A training that several entries begin with: a pathway alone."""
    return fold_checkpoint_dir(run, f"starts/{name}", fold)


def rehearsal_txt(run: str) -> Path:
    """Seconds and memory of one training step of every entry."""
    return report_dir(run) / "rehearsal.txt"


def paper_json(run: str, paper: str) -> Path:
    """The tables of a paper, published figures beside those that the run reaches."""
    return report_dir(run) / "papers" / f"{paper}.json"


def paper_txt(run: str, paper: str) -> Path:
    """The same for a person to read."""
    return report_dir(run) / "papers" / f"{paper}.txt"


def class_distribution_png(run: str) -> Path:
    """Training clips of each class, with the parts A to D."""
    return report_dir(run) / "class_distribution.png"


def image_level_report_json(run: str) -> Path:
    """What the image-level baseline reaches on single frames, trained as its report did."""
    return report_dir(run) / "image_level_report.json"


def image_level_curves_png(run: str) -> Path:
    """Its loss and accuracy over the epochs."""
    return report_dir(run) / "image_level_curves.png"


def weights_files_dir() -> Path:
    """Files that others trained, as `weights.fetch` and `recordings.pose.install` bring them."""
    return Path("weights") / "files"


def weights_toml() -> Path:
    """What public files there are, and which entry takes them."""
    return Path("weights") / "weights.toml"


def pose_models_dir() -> Path:
    """The networks of `recordings.pose`, .tflite files."""
    return weights_files_dir() / "mediapipe"
