"""Steps beside those of a run: entries with other settings, predictions with other views, tails of both.

What they write lies in oof/<run>/papers/ and checkpoints/<run>/papers/, where no blend looks: filling a table never
changes what is handed in.
"""

from functools import partial

from miga.engine.options import Options
from miga.engine.steps import Step
from pipeline import COST, MINUTES, PICTURE_SIZE, RGB_FOLDERS, entries_of, why_no_pictures

FOLDER = "papers"


def entry_of_run(options: Options, folder: str, *variants: str) -> str:
    """Name of the entry of a folder of models/ that the profile trains: the first variant that it has, else any.

    '' where it has none.
    """
    names = [name for its_folder, name, _ in entries_of(options.profile) if its_folder == folder]
    for variant in variants:
        if f"{folder}_{variant}" in names:
            return f"{folder}_{variant}"
    return names[0] if names else ""


def train_step(options: Options, folder: str, name: str, *settings: str) -> Step:
    """Train an entry of a folder of models/ with other settings than the run's, as papers/<name>."""
    run, pictures = options.run, f"clips/{options.run}/track1/rgb_{PICTURE_SIZE[options.profile]}/meta.json"
    command = ("--run", run, "--profile", options.profile, "--name", f"{FOLDER}/{name}", *settings)
    return _in_folds(
        options, name, f"models.{folder}.train", (*command, *options.settings_of(folder)),
        (f"folds/{run}.csv", *((pictures,) if folder in RGB_FOLDERS else ())), name,
        MINUTES[options.profile] * COST.get(folder, 1), folder,
    )  # fmt: skip


def predict_step(options: Options, entry: str, name: str, *settings: str) -> Step:
    """Let the networks of an entry of the run predict again, as papers/<name>."""
    command = ("--run", options.run, "--entry", entry, "--name", name, *settings)
    return _in_folds(
        options, name, "papers.predict", command, (f"oof/{options.run}/{entry}.json",), name,
        MINUTES[options.profile] * 0.2, _folder_of(options, entry),
    )  # fmt: skip


def tails_step(options: Options, name: str, folder: str) -> Step:
    """Train the tail models of papers/<name>, an entry of this folder of models/."""
    command = ("--run", options.run, "--entries", f"{FOLDER}/{name}")
    reads = (f"oof/{options.run}/{FOLDER}/{name}.json",)
    return _in_folds(
        options, f"{name}_tails", "ensemble.train_parts", command, reads, f"{name}_crt",
        MINUTES[options.profile] * 0.5, folder,
    )  # fmt: skip


def _in_folds(
    options: Options, step: str, module: str, command: tuple[str, ...], reads: tuple[str, ...], name: str,
    minutes: float, folder: str,
) -> Step:  # fmt: skip
    run = options.run
    return Step(
        f"{FOLDER}_{step}", module, command, reads=reads, num_folds=options.num_folds,
        writes=(f"oof/{run}/{FOLDER}/{name}.npz", f"oof/{run}/{FOLDER}/{name}.json"),
        fold_writes=(f"checkpoints/{run}/{FOLDER}/{name}/fold{{fold}}/predictions.npz",),
        minutes=minutes, wants_gpu=True,
        why_left_out=partial(why_no_pictures, run) if folder in RGB_FOLDERS else str,
    )  # fmt: skip


def _folder_of(options: Options, entry: str) -> str:
    return next((folder for folder, name, _ in entries_of(options.profile) if name == entry), "")
