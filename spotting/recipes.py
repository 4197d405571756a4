"""How members are blended, and which way ships.

    single   the member with the best F1: what it proposes, as it is
    equal    all members with one weight, their segments fused
    tuned    non-negative weights found on held-out people by adding members one by one (Caruana et al., ICML 2004)

Each is cross-fitted: thresholds, calibrations, weights and the single member of a fold are those of the other folds.
The single member ships unless equal weights are better; tuned weights only ship when they gain more than the spread of
that gain: two standard errors over folds, or one over people if that is larger. So what ships is never below a member.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from spotting.candidates import Member
from spotting.config import SearchConfig
from spotting.fusion import Calibration, fuse, own
from spotting.people import by_person, deviation, f1_of, linearised
from spotting.score import strict_hits
from spotting.segments import Segments
from spotting.thresholds import Choice, Counts, apply, choose, count

RECIPES = ("single", "equal", "tuned")
NUM_PICKS = 6  # additions when weights are tuned: weights are multiples of a sixth


@dataclass(frozen=True)
class Fitted:
    """A recipe as some folds made it: how candidates become segments."""

    weights: NDArray[np.float64]  # (members,)
    calibrations: list[Calibration] | None  # None: the one member as it is
    choice: Choice

    def merge(self, parts: list[Segments], max_segments: int) -> Segments:
        """One list of candidates of a video, from its candidates by each member."""
        if self.calibrations is None:
            return parts[int(self.weights.argmax())]
        parts = [own({"": part}, max_segments)[""] for part in parts]
        return fuse([c(part) for c, part in zip(self.calibrations, parts, strict=True)], self.weights)


@dataclass
class Blend:
    """Members with what is true of the videos that were held out.

    Attributes:
        truth: per training video. person: per training video.
    """

    members: list[Member]
    truth: dict[str, Segments]
    person: dict[str, str]
    search: SearchConfig
    _cache: dict = field(default_factory=dict)

    @property
    def videos(self) -> list[str]:
        return list(self.truth)

    @cached_property
    def fold(self) -> NDArray[np.int64]:
        """(V,) of the training videos."""
        return np.array([self.members[0].fold_of[video] for video in self.videos])

    @cached_property
    def held_out(self) -> list[dict[str, Segments]]:
        return [member.held_out() for member in self.members]

    @cached_property
    def own(self) -> list[dict[str, Segments]]:
        return [own(one, self.search.max_segments) for one in self.held_out]

    @cached_property
    def alone(self) -> list[Counts]:
        """Counts of each member as it is."""
        return [count(one, self.truth, self.search) for one in self.held_out]

    def fit(self, recipe: str, folds: list[int]) -> Fitted:
        """What these folds make of a recipe."""
        inside = np.isin(self.fold, folds)
        best = [choose(counts.of(inside), self.search) for counts in self.alone]
        order = np.argsort([-smoothed_best(choice) for choice in best], kind="stable")
        if recipe == "single":
            return Fitted(np.eye(len(self.members))[order[0]], None, best[order[0]])
        ids = [video for video, is_in in zip(self.videos, inside, strict=True) if is_in]
        truth = {video: self.truth[video] for video in ids}
        calibrations = [Calibration({v: one[v] for v in ids}, truth) for one in self.own]
        calibrated = [{v: c(one[v]) for v in ids} for c, one in zip(calibrations, self.own, strict=True)]

        def judged(picks: NDArray) -> Choice:
            weights = picks / picks.sum()
            fused = {v: fuse([one[v] for one in calibrated], weights) for v in ids}
            return choose(count(fused, truth, self.search), self.search)

        if recipe == "equal":
            picks = np.ones(len(self.members))
            return Fitted(picks / picks.sum(), calibrations, judged(picks))
        picks, done = np.zeros(len(self.members)), []
        for _ in range(NUM_PICKS):
            tried = [(picks + one, judged(picks + one)) for one in np.eye(len(self.members))]
            picks, choice = max(tried, key=lambda pair: smoothed_best(pair[1]))
            done.append((picks, choice))
        picks, choice = max(done, key=lambda pair: smoothed_best(pair[1]))
        return Fitted(picks / picks.sum(), calibrations, choice)

    def segments(self, fitted: Fitted, video: str) -> Segments:
        """Final segments of a training video."""
        merged = fitted.merge([one[video] for one in self.held_out], self.search.max_segments)
        return apply(merged, fitted.choice.threshold, fitted.choice.nms_iou, self.search.max_segments)

    def cross_fitted(self, recipe: str) -> dict[str, Segments]:
        """Segments of every training video by the recipe as the other folds made it."""
        if recipe not in self._cache:
            folds, found = np.unique(self.fold).tolist(), {}
            for fold in folds:
                fitted = self.fit(recipe, [one for one in folds if one != fold] or folds)
                for video in np.array(self.videos)[self.fold == fold].tolist():
                    found[video] = self.segments(fitted, video)
            self._cache[recipe] = {video: found[video] for video in self.videos}
        return self._cache[recipe]

    def counts(self, found: dict[str, Segments]) -> NDArray[np.int64]:
        """(V, 3) hits, predicted, true of the training videos."""
        return np.array([[strict_hits(t, found[v]), len(found[v]), len(t)] for v, t in self.truth.items()])

    def choose_recipe(self, folds: list[int]) -> tuple[str, list[dict]]:
        """Which recipe ships as far as these folds know, and what was asked on the way."""
        current = "single"
        steps: list[dict] = []
        if len(self.members) == 1 or len(folds) < 2:
            return current, steps
        inside = np.isin(self.fold, folds)
        person = np.array([self.person[video] for video in self.videos])[inside]
        for challenger in RECIPES[1:]:
            ours, theirs = (self.counts(self.cross_fitted(name))[inside] for name in (challenger, current))
            gain = f1_of(ours) - f1_of(theirs)
            by_fold = [f1_of(ours[at]) - f1_of(theirs[at]) for at in (self.fold[inside] == one for one in folds)]
            needed = 0.0
            if challenger == "tuned":
                values = linearised(by_person(ours, person)) - linearised(by_person(theirs, person))
                over_people = deviation(values, None) if len(values) > 1 else 0.0
                needed = float(max(2 * np.std(by_fold) / np.sqrt(len(folds)), over_people))
            accepted = gain > needed
            steps.append(
                {"current": current, "challenger": challenger, "gain": gain, "needed": needed, "accepted": accepted}
            )
            current = challenger if accepted else current
        return current, steps

    def estimate(self) -> dict[str, Segments]:
        """Segments of every training video by the whole procedure: each fold by the recipe that the others chose."""
        folds, found = np.unique(self.fold).tolist(), {}
        for fold in folds:
            recipe, _ = self.choose_recipe([one for one in folds if one != fold] if len(folds) > 2 else folds)
            for video in np.array(self.videos)[self.fold == fold].tolist():
                found[video] = self.cross_fitted(recipe)[video]
        return {video: found[video] for video in self.videos}


def smoothed_best(choice: Choice) -> float:
    """F1 of the choice, judged with its neighbours as the choice was."""
    padded = np.pad(choice.strict_f1, ((0, 0), (1, 1)), mode="edge")
    return float(((padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]) / 3).max())
