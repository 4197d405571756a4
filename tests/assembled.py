"""One fold of an entry, trained and shown clips as `models.command.entry` does it, without a command line."""

from pathlib import Path

import numpy as np
import torch

from miga.clips import Clips
from miga.training.assembly import Entry
from miga.training.config import FitConfig
from miga.training.verbs import Place
from models.command.entry import train_and_predict


def place_in(folder: Path, fold: int | None = 0) -> Place:
    return Place("tiny", "entry", fold, folder, {"fold": fold}, torch.device("cpu"))


def fold_of(entry: Entry, config: FitConfig, clips: Clips, rows, wanted: np.ndarray, folder: Path) -> np.ndarray:
    """Log-probabilities of the clips `wanted` by the entry trained on `rows`, kept in `folder`."""
    return train_and_predict(entry, config, clips, rows, wanted, place_in(folder))
