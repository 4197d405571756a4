"""Settings that every training shares, and how a command line changes them by field name.

A model's config.py subclasses FitConfig with its own fields and makes one instance per profile.
"""

import argparse
import dataclasses
import types
import typing
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, TypeVar

from miga.errors import InputError

PROFILE_NAMES = ("smoke", "demo", "bench", "paper")
# Settings that count something, at least 1.
COUNTS = ("epochs", "batch_size", "accumulation", "test_batch_size", "num_test_clips", "num_test_frames")

# Settings that change what a trained network says of a clip, and not its training; and those that change neither.
PREDICTION_ONLY = (
    "num_test_clips",
    "num_test_frames",
    "test_batch_size",
    "flip_test",
    "flip_views",
    "prototype_factors",
)
OF_NO_EFFECT = ("num_workers", "recompute")


@dataclass(frozen=True)
class FitConfig:
    """How one network is fitted. The defaults are neutral; every profile of a model states its own."""

    epochs: int = 1  # passes over the training clips
    min_steps: int = 0  # epochs are added until there are this many steps: a small set needs steps, not passes
    batch_size: int = 32  # clips a forward pass
    accumulation: int = 1  # forward passes a step; the step sees batch_size * accumulation clips
    optimizer: str = "sgd"  # sgd | adamw | adam | amsgrad (Adam that never forgets its largest steps)
    lr: float = 0.1  # learning rate stated for lr_batch_size clips a step; scaled linearly
    lr_batch_size: int = 32  # the batch the learning rate is stated for
    momentum: float = 0.9  # sgd only
    nesterov: bool = False  # sgd only
    weight_decay: float = 1e-4  # on every parameter with two or more dimensions; norms and biases are free
    decay_norms_and_biases: bool = False  # weight decay on every parameter, as most published code has it
    no_decay: tuple[str, ...] = ()  # endings of the names of parameters without weight decay all the same
    backbone_lr_factor: float = 1.0  # on the learning rate of the parameters below `model.backbone`
    warmup_epochs: float = 0.0  # linear from 0, counted in steps
    milestones: tuple[int, ...] = ()  # epochs at which lr is multiplied by 0.1; empty = cosine to 0 per step
    clip_norm: float = 0.0  # maximal gradient norm; 0 = no clipping
    ema_decay: float = 0.0  # average of the weights over steps, used for prediction; 0 = last weights
    precision: str = "fp32"  # of a GPU: fp32 | bf16 | fp16 (with loss scaling); a CPU computes in fp32
    channels_last: bool = False  # memory format of 3D convolutions
    heads_only: bool = False  # train the network's HEADS alone; all else, batch statistics included, stays as it is
    num_workers: int = 0  # loader processes; the bytes of a run do not depend on it
    seed: int = 0  # of the first weights, the order of clips and the random views


@dataclass(frozen=True)
class EntryConfig(FitConfig):
    """The settings of an entry: how it is fitted, and how many clips it looks at in one go when it predicts."""

    test_batch_size: int = 4  # clips a forward pass at test, all views together


def plain(settings: dict[str, Any]) -> dict[str, Any]:
    """The same with lists in place of tuples, as they come back from a file."""
    return {key: list(value) if isinstance(value, tuple) else value for key, value in settings.items()}


def training_settings(config: FitConfig) -> dict[str, Any]:
    """What of the settings a training depends on."""
    settings = plain(dataclasses.asdict(config))
    return {key: value for key, value in settings.items() if key not in (*PREDICTION_ONLY, *OF_NO_EFFECT)}


def prediction_settings(config: FitConfig) -> dict[str, Any]:
    """What of the settings only a prediction depends on."""
    return {key: value for key, value in plain(dataclasses.asdict(config)).items() if key in PREDICTION_ONLY}


class Dataclass(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Any]]


Config = TypeVar("Config", bound=Dataclass)


def without_start(config: Config) -> Config:
    """The same settings for a network that gets its weights from a trained one: nothing is read or downloaded."""
    fields = {field.name for field in dataclasses.fields(config)}
    starts: dict[str, Any] = {name: "" for name in fields if name == "weights" or name.startswith("weights_")}
    if "pretrained" in fields:
        starts["pretrained"] = "none"
    return dataclasses.replace(config, **starts)


def override(config: Config, changes: dict[str, str]) -> Config:
    """Return `config` with fields replaced by text values, each parsed as its field's type.

    Raises:
        InputError: an unknown field, text that does not parse, or a count below 1.
    """
    hints = typing.get_type_hints(type(config))
    parsed: dict[str, Any] = {}
    for name, text in changes.items():
        if name not in hints:
            raise InputError(f"--{name}: no such setting; the settings are {', '.join(sorted(hints))}")
        parsed[name] = _parse(text, hints[name], name)
        if name in COUNTS and parsed[name] < 1:
            raise InputError(f"--{name} {text}: expected 1 or more")
    return dataclasses.replace(config, **parsed)


def _parse(text: str, hint: Any, name: str) -> Any:
    origin = typing.get_origin(hint)
    try:
        if hint is bool:
            return {"true": True, "false": False}[text.lower()]
        if origin is tuple:
            item = typing.get_args(hint)[0]
            return tuple(item(part) for part in text.split(",") if part)
        if origin in (types.UnionType, typing.Union):
            return None if text == "none" else typing.get_args(hint)[0](text)
        return hint(text)
    except (KeyError, ValueError) as error:
        raise InputError(f"--{name} {text}: expected a value of type {hint}") from error


def parse_overrides(unknown: list[str]) -> dict[str, str]:
    """Turn the arguments argparse did not know (`--lr 0.1 --epochs=3`) into field names and texts."""
    changes: dict[str, str] = {}
    rest = iter(unknown)
    for argument in rest:
        if not argument.startswith("--"):
            raise InputError(f"{argument!r}: expected --field value")
        name, equals, text = argument[2:].partition("=")
        if not equals:
            try:
                text = next(rest)
            except StopIteration:
                raise InputError(f"--{name}: a value is missing") from None
        changes[name.replace("-", "_")] = text
    return changes


def wanted_folds(text: str, num_folds: int) -> list[int]:
    """The folds that `--fold` asks for.

    Raises:
        InputError: neither `all` nor the number of a fold.
    """
    if text == "all":
        return list(range(num_folds))
    if not text.isdecimal() or int(text) >= num_folds:
        raise InputError(f"--fold {text}: expected all, or 0 to {num_folds - 1}")
    return [int(text)]


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments that every training of an entry has."""
    add_fold_arguments(parser)
    add_profile_argument(parser)


def add_profile_argument(parser: argparse.ArgumentParser) -> None:
    """Which settings a training begins with."""
    parser.add_argument(
        "--profile", default="demo", choices=PROFILE_NAMES, help="where the settings come from (default: demo)"
    )


def add_fold_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments that every training over the folds of a run has."""
    add_place_arguments(parser)
    parser.add_argument("--fold", default="all", help="a fold number, or all")
    parser.add_argument("--jobs", type=int, default=None, help="folds trained side by side (default: the CPU's cores)")


def add_place_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments that every training has."""
    parser.add_argument("--run", required=True, help="name of the data set and choices, as given to recordings.prepare")
    parser.add_argument("--device", default=None, help="cpu or cuda (default: cuda when there is one)")
    parser.add_argument("--overwrite", action="store_true", help="train again what is already there")
    parser.add_argument("--debug", action="store_true", help="show the traceback behind an error")
