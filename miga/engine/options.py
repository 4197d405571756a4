"""The command line of a run: what a person may choose, and what of it goes to which step."""

import argparse
import dataclasses
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from miga.errors import InputError
from miga.files import read_json, write_json
from miga.paths import TRACKS, check_run_name, options_json

PROFILES = ("smoke", "demo", "bench", "paper")
EPILOG = """\
A finished step is skipped and says so; a killed one resumes and ends with the same bytes. Without --track1, --track2
and --profile, a run goes on with the options that it was last started with. Paths are relative to the folder that the
command is called from.
"""
# Passed on to recordings.prepare: those that name a file or folder, those with other text, those with no value.
PREPARE_PATHS = ("track1", "track2", "rgb1", "rgb2", "subjects", "skeleton")
PREPARE_TEXTS = ("train_split", "test_split", "test_videos", "sided_classes", "joint_size")
PREPARE_FLAGS = ("skip_bad_clips",)
TEST_ROWS = ("folds", "refit", "both")  # whose test rows are blended, see ensemble/refit_rows.py
DEFAULT_TEST_ROWS = "refit"  # measured: ensemble/README.md, Trained on everyone
FILES = (*PREPARE_PATHS, "answers", "answers2", "sample")


@dataclass(frozen=True)
class Options:
    """What a run is made of. Paths are relative to the working folder; '' = not given."""

    run: str
    profile: str = "demo"
    num_folds: int = 4
    simulates: bool = False  # people are simulated, their recordings are the tracks
    track1: str = ""
    track2: str = ""
    rgb1: str = ""
    rgb2: str = ""
    subjects: str = ""
    skeleton: str = ""
    train_split: str = ""
    test_split: str = ""
    test_videos: str = ""
    sided_classes: str | None = None  # '' = some classes have a side, no pairs are named
    joint_size: str = ""
    skip_bad_clips: bool = False
    answers: str = ""
    answers2: str = ""
    sample: str = ""
    settings: tuple[str, ...] = ()  # folder.field=value
    tune: bool = False
    refit: bool = False
    test_rows: str = ""  # '' = DEFAULT_TEST_ROWS with a refit

    def tracks(self) -> list[str]:
        return [track for track in TRACKS if getattr(self, track)]

    def inputs(self) -> tuple[str, ...]:
        """Every file and folder that a person gave."""
        return tuple(getattr(self, name) for name in FILES if getattr(self, name))

    def prepare_arguments(self) -> list[str]:
        arguments = []
        for name in (*PREPARE_PATHS, *PREPARE_TEXTS):
            if getattr(self, name):
                arguments += [_flag(name), getattr(self, name)]
        if self.sided_classes == "":
            arguments.append("--sided-classes")
        return arguments + [_flag(name) for name in PREPARE_FLAGS if getattr(self, name)]

    def blend_arguments(self) -> list[str]:
        arguments = ["--sample", self.sample] if self.sample else []
        if self.refit:
            arguments += ["--test-rows", self.test_rows or DEFAULT_TEST_ROWS]
        return [*arguments, "--tune"] if self.tune else arguments

    def answer_arguments(self) -> list[str]:
        given = [name for name in ("answers", "answers2") if getattr(self, name)]
        return [part for name in given for part in (_flag(name), getattr(self, name))]

    def settings_of(self, folder: str) -> list[str]:
        """The arguments that `--set folder.field=value` makes for the trainings of this folder."""
        chosen = [text.removeprefix(f"{folder}.") for text in self.settings if text.startswith(f"{folder}.")]
        return [part for text in chosen for part in ("--" + text.partition("=")[0], text.partition("=")[2])]


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message}; bash run.sh --help lists the options")


def build_parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="bash run.sh", description="From raw recordings to both leaderboard CSVs.", epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False, argument_default=argparse.SUPPRESS,
    )  # fmt: skip
    what = parser.add_argument_group("what is made from what")
    what.add_argument("--run", help="name of the data set and the choices; everything made carries it")
    what.add_argument("--profile", help="smoke (tests), demo (default), bench (small real sets, CPU), paper (GPU)")
    what.add_argument("--track1", metavar="PATH", help="clips to classify: any layout of recordings/README.md")
    what.add_argument("--track2", metavar="PATH", help="long recordings to search for gestures")
    what.add_argument("--num-folds", type=int, metavar="N", help="folds of cross-validation (default 4, smoke 2)")
    what.add_argument("--answers", metavar="FILE", help="score track 1 on these hidden labels (csv: id, class)")
    what.add_argument("--answers2", metavar="DIR", help="score track 2 on these hidden labels (SMG folders)")
    what.add_argument("--sample", metavar="FILE", help="sample_submission.csv of track 1")
    what.add_argument(
        "--set", action="append", dest="settings", metavar="FOLDER.FIELD=VALUE",
        help="a setting of every entry of a folder of models/, or of spotting: --set m3cn.weights_pose=pose.pth",
    )  # fmt: skip
    what.add_argument("--refit", action="store_true", help="train every entry once more, on all training clips")
    what.add_argument(
        "--test-rows", choices=TEST_ROWS,
        help="with --refit, who predicts the test clips: the networks of folds, those on all clips, or both "
        f"(default {DEFAULT_TEST_ROWS}); estimates are of the networks of folds always",
    )  # fmt: skip
    prepare = parser.add_argument_group("the recordings (see python -m recordings.prepare --help)")
    for name in PREPARE_PATHS[2:] + PREPARE_TEXTS:
        optional: dict[str, Any] = {"nargs": "?", "const": ""} if name == "sided_classes" else {}
        prepare.add_argument(_flag(name), **optional)
    prepare.add_argument("--skip-bad-clips", action="store_true")
    part = parser.add_argument_group("a part of it")
    part.add_argument("--list", action="store_true", help="show the steps, their state, minutes spent and left")
    part.add_argument("--check", action="store_true", help="look at everything the run will need, train nothing")
    part.add_argument("--only", metavar="STEP,..", help="run these steps")
    part.add_argument("--from", metavar="STEP", dest="from_step", help="run this step and all that follow from it")
    part.add_argument("--fold", type=int, metavar="K", help="of steps in folds only this fold")
    part.add_argument("--tune", action="store_true", help="only search the blend again, from the oof files: seconds")
    part.add_argument("--overwrite", action="store_true", help="make again what is there")
    part.add_argument("--dry-run", action="store_true", help="say what would be run")
    part.add_argument("--print", action="store_true", help="print the commands with their order, for other schedulers")
    where = parser.add_argument_group("where it runs")
    where.add_argument("--jobs", type=int, metavar="N", help="cores to use (default: all)")
    where.add_argument("--gpus", metavar="0,1,..", help="GPUs to use, a task each (default: all there are)")
    where.add_argument("--ray", metavar="ADDRESS", help="run on this Ray cluster (requirements-cluster.txt)")
    where.add_argument("--debug", action="store_true", help="show the traceback behind an error")
    parser.add_argument("--called-from", help=argparse.SUPPRESS)
    return parser


def options_of(given: dict) -> Options:
    """The options of a run: as given; where recordings and profile are not, those that it was last started with.

    Raises:
        InputError: something is missing or does not fit.
    """
    names = {field.name for field in dataclasses.fields(Options)}
    chosen = {key: value for key, value in given.items() if key in names}
    for name in FILES:
        if name in chosen:
            chosen[name] = _from_here(_flag(name), chosen[name], given.get("called_from", ""))
    for text in chosen.get("settings", ()):
        if "=" not in text or "." not in text.partition("=")[0]:
            raise InputError(f"--set {text}: expected FOLDER.FIELD=VALUE, for example m3cn.epochs=20")
    if "run" in chosen:
        check_run_name(chosen["run"])
        path = options_json(chosen["run"])
        if path.exists() and not chosen.keys() & {"track1", "track2", "profile"}:
            return _checked(_read_options(path, chosen))
    return _checked(_completed(chosen))


def _checked(options: Options) -> Options:
    if options.test_rows and not options.refit:
        raise InputError(f"--test-rows {options.test_rows}: add --refit, which trains the networks that it speaks of")
    return options


def _read_options(path: Path, chosen: dict) -> Options:
    recorded = read_json(path, "give the options of the run again")
    unknown = recorded.keys() - {field.name for field in dataclasses.fields(Options)}
    if unknown:
        raise InputError(f"{path}: has the option {sorted(unknown)[0]} of another version; give the options again")
    merged = {**recorded, **chosen}
    return Options(**{**merged, "settings": tuple(merged["settings"])})


def remember(options: Options) -> None:
    write_json(options_json(options.run), dataclasses.asdict(dataclasses.replace(options, tune=False)))


def _completed(chosen: dict) -> Options:
    profile = chosen.get("profile", "demo")
    if profile not in PROFILES:
        raise InputError(f"--profile {profile}: expected {', '.join(PROFILES[:-1])} or {PROFILES[-1]}")
    chosen.setdefault("num_folds", 2 if profile == "smoke" else 4)
    chosen["settings"] = tuple(chosen.get("settings", ()))
    if chosen["num_folds"] < 2:
        raise InputError(f"--num-folds {chosen['num_folds']}: expected 2 or more")
    if not chosen.get("track1") and not chosen.get("track2"):
        if profile in ("bench", "paper"):
            raise InputError(f"--profile {profile} needs --track1 PATH or --track2 PATH")
        run = chosen.setdefault("run", profile)
        chosen.update(
            simulates=True, track1=f"input/{run}/imigue", track2=f"input/{run}/smg",
            answers=f"input/{run}/answers/track1.csv", answers2=f"input/{run}/answers/smg",
        )  # fmt: skip
    if "run" not in chosen:
        raise InputError("give your recordings a name with --run NAME")
    return Options(**chosen)


def _from_here(flag: str, text: str, called_from: str) -> str:
    """A path as a person meant it, as seen from the working folder.

    Raises:
        InputError: nothing is there.
    """
    path = Path(os.path.normpath(os.path.join(called_from, text))) if called_from else Path(text)
    if not path.exists():
        where = called_from or os.getcwd()
        raise InputError(f"{flag} {text}: no such file or folder; a path is relative to {where}, correct it")
    inside = path.absolute().is_relative_to(Path.cwd())
    return os.path.relpath(path) if inside else str(path)
