"""`--help` of a command whose settings are the fields of frozen dataclasses: each with type, comment and default.

The comments in config.py are the help texts; simple-parsing reads them. Its own parsing of dataclasses, and that of
tyro and jsonargparse, would change the command line: tuples as `3 4 6`, booleans as flags. So `config.py` here parses.
"""

import argparse
import dataclasses
import inspect
import types
import typing
from collections.abc import Mapping
from typing import Any

from miga.training.config import add_profile_argument

TYPE_WORDS = {bool: "true|false", int: "integer", float: "number", str: "text", types.NoneType: "none"}


class SettingsParser(argparse.ArgumentParser):
    """The parser of a command with settings. They are no arguments of it, but its `--help` lists them.

    Args:
        argv: what the parser will be given; None = the process's.
        profiles: name -> settings, a dataclass of fields or of parts that are such; `--profile` chooses the defaults.
    """

    def __init__(self, description: str, argv: list[str] | None, profiles: Mapping[str, Any]) -> None:
        super().__init__(description=description, allow_abbrev=False)
        self.argv, self.profiles = argv, profiles

    def print_help(self, file: Any = None) -> None:
        # On a page of its own: as arguments of this parser the settings would be parsed by argparse.
        chooser = argparse.ArgumentParser(prog=self.prog, add_help=False, allow_abbrev=False)
        add_profile_argument(chooser)
        profile = chooser.parse_known_args(self.argv)[0].profile
        page = argparse.ArgumentParser(
            prog=self.prog,
            usage=f"{self.prog} --run RUN [option ...] [--setting value ...]",
            description=f"{self.description} Defaults of settings are those of --profile {profile}.",
            parents=[self],
            add_help=False,
        )
        add_settings(page, self.profiles[profile])
        page.print_help(file)


def add_settings(page: argparse.ArgumentParser, config: Any, part: str = "") -> None:
    """List the fields of `config` under the class that they come from, or those of its parts, `part.field`."""
    groups: dict[type, argparse._ArgumentGroup] = {}
    hints = typing.get_type_hints(type(config))
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if dataclasses.is_dataclass(value):
            add_settings(page, value, f"{field.name}.")
            continue
        owner = owner_of(type(config), field.name)
        if owner not in groups:
            groups[owner] = page.add_argument_group(f"settings of {part}{owner.__name__}")
        text = f"{comment_of(owner, field.name)} (default: {value_text(value)})"
        groups[owner].add_argument(
            f"--{part}{field.name}", metavar=type_text(hints[field.name]), help=text.replace("%", "%%")
        )


def owner_of(config_class: type, name: str) -> type:
    """The class that states the field: the nearest, where a subclass states it again."""
    return next(owner for owner in config_class.__mro__ if name in inspect.get_annotations(owner))


def comment_of(owner: type, name: str) -> str:
    """The comment behind a field in its source, or the lines of comment above it."""
    from simple_parsing.docstring import get_attribute_docstring  # needed by --help alone

    found = get_attribute_docstring(owner, name)
    return found.comment_inline or " ".join(found.comment_above.split())


def type_text(hint: Any) -> str:
    """A field's type in plain words."""
    if typing.get_origin(hint) is tuple:
        return f"{type_text(typing.get_args(hint)[0])},..."
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        return "|".join(type_text(one) for one in typing.get_args(hint))
    return TYPE_WORDS[hint]


def value_text(value: Any) -> str:
    """A value as the command line takes it."""
    if isinstance(value, tuple):
        return ",".join(value_text(item) for item in value) or "empty"
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    return str(value) or "empty"
