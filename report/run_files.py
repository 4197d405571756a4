"""The files of a run as the sections read them: each once, joined by id, at any time of the run.

reads: clips/<run>/, folds/<run>.csv, oof/<run>/, ensemble/<run>/, spotting/<run>/, submissions/, report/<run>/
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from ensemble.join import ADAPTED, RETRAINED, Entries, entry_paths, read_entries
from ensemble.mixture import softmax
from folds.make import load_folds
from miga.clips import Clips, load_clips
from miga.errors import InputError
from miga.files import read_json
from miga.paths import (
    TRACKS,
    clips_dir,
    crossfit_npz,
    folds_csv,
    forecast_json,
    options_json,
    report_dir,
    spotting_json,
    weights_json,
)
from oof.arrays import read_arrays
from report.found_segments import Found, read_found


class NotMade(Exception):
    """A file is not there yet, or never will be: one sentence about it for the page."""


@dataclass(frozen=True)
class Shown:
    """What the page takes for the run's answer on the N training clips, each by networks that never saw its person.

    probabilities: (N, K). how: which blend that is.
    """

    clip_id: np.ndarray
    label: np.ndarray
    probabilities: np.ndarray
    how: str

    @cached_property
    def predicted(self) -> np.ndarray:
        return self.probabilities.argmax(1)

    @cached_property
    def confidence(self) -> np.ndarray:
        """(N,) probability of the class that is answered."""
        return self.probabilities.max(1) / self.probabilities.sum(1)


@dataclass(frozen=True)
class RunFiles:
    run: str

    def needs(self, path: Path, step: str) -> Path:
        """`path`, which a step of the run makes.

        Raises:
            NotMade: it is not there.
        """
        if not path.exists():
            raise NotMade(f"Not there yet: {self.cure(step)}.")
        return path

    def cure(self, step: str) -> str:
        return f"the step {step} makes it (python -m pipeline --run {self.run} --only {step})"

    def clips(self, track: str) -> Clips:
        if not (clips_dir(self.run, track) / "meta.json").exists():
            others = [other for other in TRACKS if (clips_dir(self.run, other) / "meta.json").exists()]
            if others:
                raise NotMade(f"This run has no recordings of track {track[-1]}.")
            raise NotMade(f"Not there yet: {self.cure('prepare')}.")
        return load_clips(self.run, track)

    @cached_property
    def clips1(self) -> Clips:
        return self.clips("track1")

    @cached_property
    def folds(self) -> pd.DataFrame:
        _ = self.clips1
        self.needs(folds_csv(self.run), "folds")
        return load_folds(self.run)

    @cached_property
    def entries(self) -> Entries:
        """All entries that are finished so far."""
        _ = self.folds
        paths, _parts = entry_paths(self.run)
        if not paths:
            raise NotMade("Not there yet: no entry is finished; each of the steps after folds makes one.")
        return read_entries(paths, self.run)

    @cached_property
    def networks(self) -> list[int]:
        """Numbers of the entries that were trained for themselves, not adapted or retrained from another."""
        return [i for i, name in enumerate(self.entries.names) if not name.endswith((ADAPTED, RETRAINED))]

    @cached_property
    def shown(self) -> Shown:
        if not crossfit_npz(self.run).exists():
            entries = self.entries
            how = f"the mean of the {len(entries.names)} entries so far (the step blend is not done)"
            return Shown(entries.clip_id, entries.label, softmax(entries.logits).mean(0), how)
        again = f"run `python -m ensemble.blend --run {self.run} --overwrite`"
        arrays = read_arrays(crossfit_npz(self.run), again)
        label = self.folds.set_index("clip_id").label.reindex(arrays["clip_id"])
        if label.isna().any():
            raise InputError(f"{crossfit_npz(self.run)}: clip {label.index[label.isna()][0]!r} has no fold; {again}")
        how = "the blend, cross-fitted: each fold by what was fitted and chosen on the others"
        return Shown(arrays["clip_id"], label.to_numpy(int), arrays["estimate"], how)

    @cached_property
    def forecast(self) -> dict:
        _ = self.clips1
        return self.json(forecast_json(self.run), "forecast")

    @cached_property
    def weights(self) -> dict:
        _ = self.clips1
        return self.json(weights_json(self.run), "blend")

    @cached_property
    def spotting(self) -> dict:
        _ = self.clips("track2")
        return self.json(spotting_json(self.run), "spot")

    @cached_property
    def found(self) -> tuple[Found, Found]:
        """Gestures and out-of-fold segments of the training videos."""
        _ = self.spotting
        return read_found(self.run)

    @cached_property
    def summary(self) -> dict:
        """Test scores; {} until the step summary has made them."""
        path = report_dir(self.run) / "summary.json"
        return read_json(path, f"run `python -m report.summary --run {self.run}`") if path.exists() else {}

    @cached_property
    def options(self) -> dict:
        """What the run was started with; {} where its steps were called by hand."""
        path = options_json(self.run)
        return read_json(path, "give all options on the command line") if path.exists() else {}

    def json(self, path: Path, step: str) -> dict:
        return read_json(self.needs(path, step), f"run `python -m pipeline --run {self.run} --only {step} --overwrite`")
