"""Settings and the command line: python -m pytest tests/miga/training/test_config.py"""

from dataclasses import dataclass

import pytest

from miga.errors import InputError
from miga.training.config import FitConfig, override, parse_overrides


@dataclass(frozen=True)
class Config(FitConfig):
    blocks: tuple[int, ...] = (1, 2)
    name: str = "a"


def test_fields_are_overridden_by_name_and_type():
    changes = parse_overrides(["--lr", "0.5", "--blocks=3,4,5", "--channels-last", "true", "--name", "b"])
    config = override(Config(), changes)
    assert (config.lr, config.blocks, config.channels_last, config.name) == (0.5, (3, 4, 5), True, "b")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--learning", "0.1"], "--learning: no such setting; the settings are .*lr.*"),
        (["--epochs", "many"], "--epochs many: expected a value of type"),
        (["--channels_last", "maybe"], "--channels_last maybe"),
        (["--epochs", "0"], "--epochs 0: expected 1 or more"),
        (["--batch_size", "-4"], "--batch_size -4: expected 1 or more"),
        (["--lr"], "--lr: a value is missing"),
        (["lr", "0.1"], "'lr': expected --field value"),
    ],
)
def test_mistakes_are_named(arguments, message):
    with pytest.raises(InputError, match=message):
        override(Config(), parse_overrides(arguments))
