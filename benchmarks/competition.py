"""A competition made of numbers: people, a long tail of classes, hard clips, and entries that fail on the same ones.

What an entry says of a clip is evidence for the label, and four kinds of error: the clip's own (the same for all
entries), the person's (the same for all of their clips), the entry's, and the fold model's. Test people are new.
"""

from dataclasses import dataclass

import numpy as np

from ensemble.join import Entries

STRENGTHS = (3.2, 3.0, 2.8, 2.6, 2.4, 1.8, 0.8, 0.0)  # of the entries' evidence; the last knows nothing
TAIL = 0.8  # each class has this share of the clips of the class before it


@dataclass(frozen=True)
class Setting:
    """Sizes of a competition, the error that each fold model makes on its own, and how good the entries are."""

    num_subjects: int = 40
    clips_per_subject: int = 50  # the mean, where they differ
    num_test_subjects: int = 400  # many, so that the test score is the truth
    num_classes: int = 16
    num_folds: int = 5
    fold_noise: float = 0.0
    person_spread: float = 0.0  # how much clearer one person's gestures are than another's: log-normal
    clips_spread: float = 0.0  # how much more clips one person has than another: log-normal
    strengths: tuple[float, ...] = STRENGTHS


@dataclass(frozen=True)
class Competition:
    """Entries, the person of each clip, and the labels of the test clips that nobody sees."""

    entries: Entries
    subject: np.ndarray
    test_subject: np.ndarray
    test_label: np.ndarray


def make_competition(setting: Setting, seed: int) -> Competition:
    rng = np.random.default_rng(seed)
    num_subjects = setting.num_subjects + setting.num_test_subjects
    people = np.random.default_rng([seed, 1])  # a generator of their own: alike people leave the rest as it is
    clips = setting.clips_per_subject * _log_normal(people, setting.clips_spread, num_subjects)
    clearness = _log_normal(people, setting.person_spread, num_subjects)
    subject = np.repeat(np.arange(num_subjects), np.maximum(2, clips.round().astype(int)))
    share = TAIL ** np.arange(setting.num_classes)
    label = rng.choice(setting.num_classes, len(subject), p=share / share.sum())
    shape = (len(label), setting.num_classes)
    common = rng.normal(0, 1, shape) + rng.normal(0, 0.5, (num_subjects, setting.num_classes))[subject]
    is_test = subject >= setting.num_subjects
    # No class is missing from the training clips, so that every figure has the same classes.
    label[: setting.num_classes] = np.arange(setting.num_classes)
    logits, test_logits = [], []
    for strength in setting.strengths:
        evidence = strength * clearness[subject, None]
        own = evidence * np.eye(setting.num_classes)[label] + common + rng.normal(0, 0.8, shape)
        slices = [1.5 * (own + setting.fold_noise * rng.normal(size=shape)) for _ in range(setting.num_folds)]
        # Each clip is predicted by one fold model, a test clip by all of them.
        logits.append(slices[0][~is_test].astype(np.float32))
        test_logits.append(np.stack([one[is_test] for one in slices]).astype(np.float32))
    clip_id = np.array([f"{person:05d}_{number:06d}" for number, person in enumerate(subject)])
    entries = Entries(
        names=tuple(f"entry{number}" for number in range(len(setting.strengths))),
        clip_id=clip_id[~is_test],
        fold=(subject % setting.num_folds)[~is_test],
        label=label[~is_test],
        logits=np.stack(logits),
        classes=np.array([f"class {k}" for k in range(setting.num_classes)]),
        test_clip_id=clip_id[is_test],
        test_logits=tuple(test_logits),
    )
    return Competition(entries, subject[~is_test], subject[is_test], label[is_test])


def _log_normal(rng: np.random.Generator, spread: float, size: int) -> np.ndarray:
    """(size,) positive factors with mean 1 whose logarithms have the standard deviation `spread`."""
    return np.exp(rng.normal(-(spread**2) / 2, spread, size))
