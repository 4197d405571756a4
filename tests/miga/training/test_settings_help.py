"""Every setting is in --help, with type, comment and default.

Alone: python -m pytest tests/miga/training/test_settings_help.py
"""

import dataclasses
import importlib
from dataclasses import dataclass
from pathlib import Path

import pytest

import models
from miga.training.config import PROFILE_NAMES, FitConfig, override, parse_overrides
from miga.training.settings_help import SettingsParser, comment_of, owner_of, type_text, value_text
from spotting.profiles import PROFILES as SPOTTING_PROFILES

FOLDERS = sorted(path.parent.name for path in Path(models.__file__).parent.glob("*/config.py"))
PROFILES = {folder: importlib.import_module(f"models.{folder}.config").PROFILES for folder in FOLDERS}
PROFILES["spotting"] = SPOTTING_PROFILES


@dataclass(frozen=True)
class Config(FitConfig):
    epochs: int = 5  # 90 % of what it takes
    # Two lines
    # above it.
    sides: tuple[float, ...] = (0.5, 2.0)
    limit: int | None = None  # of pictures


def parts_of(config) -> dict[str, object]:
    """The dataclasses of fields that a profile consists of, by the prefix of their settings."""
    fields = {f.name: getattr(config, f.name) for f in dataclasses.fields(config)}
    return {f"{n}.": v for n, v in fields.items() if dataclasses.is_dataclass(v)} or {"": config}


def help_of(profiles: dict, capsys, *arguments: str) -> str:
    """What --help prints, as one line."""
    argv = [*arguments, "--help"]
    with pytest.raises(SystemExit) as end:
        SettingsParser("Train.", argv, profiles).parse_known_args(argv)
    assert end.value.code == 0
    return " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("profile", ["demo", "paper"])
@pytest.mark.parametrize("folder", PROFILES)
def test_every_setting_has_a_comment_and_is_in_the_help(folder, profile, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "1000")  # no word is split
    text = help_of(PROFILES[folder], capsys, "--profile", profile)
    for prefix, config in parts_of(PROFILES[folder][profile]).items():
        for field in dataclasses.fields(config):
            comment = " ".join(comment_of(owner_of(type(config), field.name), field.name).split())
            assert comment, f"{folder}: {prefix}{field.name} has no comment"
            value = value_text(getattr(config, field.name))
            assert f" --{prefix}{field.name} " in text and f"{comment} (default: {value})" in text


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_default_is_shown_as_the_command_line_takes_it(folder):
    config = PROFILES[folder]["paper"]
    shown = {f.name: value_text(getattr(config, f.name)) for f in dataclasses.fields(config)}
    texts = [part for name, text in shown.items() for part in (f"--{name}", "" if text == "empty" else text)]
    assert override(config, parse_overrides(texts)) == config


def test_a_field_stands_under_the_class_that_states_it(capsys):
    text = help_of({"demo": Config()}, capsys)
    first, second = text.split("settings of Config:")
    assert "--epochs" not in first and "--epochs integer 90 % of what it takes (default: 5)" in second
    assert "settings of FitConfig: --min_steps integer" in first + second
    assert "--sides number,... Two lines above it. (default: 0.5,2.0)" in second
    assert "--limit integer|none of pictures (default: none)" in second


def test_the_profile_may_stand_behind_help(capsys):
    argv = ["--help", "--profile=paper"]
    profiles = {name: FitConfig(epochs=number) for number, name in enumerate(PROFILE_NAMES, 11)}
    with pytest.raises(SystemExit):
        SettingsParser("Train.", argv, profiles).parse_known_args(argv)
    assert "passes over the training clips (default: 14)" in " ".join(capsys.readouterr().out.split())


def test_types_in_plain_words():
    words = {
        bool: "true|false",
        int: "integer",
        float: "number",
        tuple[str, ...]: "text,...",
        int | None: "integer|none",
    }
    assert {hint: type_text(hint) for hint in words} == words
