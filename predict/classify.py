"""What a shipped blend thinks of one clip."""

import io
from contextlib import redirect_stdout
from dataclasses import replace

import numpy as np
import torch

from ensemble.merge import Tail
from ensemble.mixture import blend_test_probabilities, softmax
from miga.clips import Clips
from miga.errors import InputError, naming
from miga.training.config import without_start
from miga.training.inputs import RGB
from miga.training.verbs import load_trained, predict_rows
from predict.clip import Given, as_prepared
from predict.shipped import Member, Shipped

CPU = torch.device("cpu")


def classify(shipped: Shipped, given: Given) -> np.ndarray:
    """(K,) probabilities of the run's classes, by the networks of all folds of every entry that has its input.

    The entries that have their input share the weight of the others, as in a submission; where none has it, the clip
    gets the class shares of the training clips.

    Raises:
        InputError: a network cannot be loaded, or a video breaks off.
    """
    inputs = given.inputs
    used, num_classes = shipped.used(inputs), len(shipped.classes)
    with as_prepared(given, shipped) as clips:
        sizes = {getattr(member.config, "picture_size") for member in used if RGB in member.entry.needs}  # noqa: B009
        if sizes:
            from recordings.rgb_store import build_rgb_store  # loads the video library

            for size in sorted(sizes):
                with redirect_stdout(io.StringIO()):  # a store that is gone in a moment is no news
                    build_rgb_store(clips.run, size)
        log_probs = {member.name: fold_log_probs(member, clips) for member in used}
    unused = np.zeros((1, 1, num_classes))  # weighs nothing
    logits = [log_probs.get(member.name, unused) for member in shipped.members]
    tails = [_tail(part, log_probs, shipped.classes) for part in shipped.parts]
    has_input = shipped.has_input(inputs)[:, None]
    return blend_test_probabilities(logits, has_input, shipped.prior, shipped.blend, tails)[0]


def fold_log_probs(member: Member, clips: Clips) -> np.ndarray:
    """(F, clips, K_i) log-probabilities by the network of every fold.

    Raises:
        InputError: a fold's weights are missing or do not fit.
    """
    own = replace(clips, classes=member.classes, mirror=member.mirror)
    found = []
    for fold, path in enumerate(member.weights):
        if not path.exists():
            raise InputError(f"{path}: not there; train {member.name} first, or copy it from where it was trained")
        with naming(f"{member.name} fold {fold}"):
            assembly = member.entry.assemble(own, without_start(member.config))
            network = load_trained(assembly, path, CPU)
            found.append(predict_rows(assembly, network, own, np.arange(len(own)), CPU))
    return np.stack(found)


def _tail(part: tuple[Member, ...], log_probs: dict[str, np.ndarray], classes: tuple[str, ...]) -> Tail:
    """The tail models of a part that had their input, averaged; one that adds nothing where none had."""
    own = np.array([classes.index(name) for name in part[0].classes[:-1]])
    found = [softmax(log_probs[member.name]).mean(0) for member in part if member.name in log_probs]
    if not found:
        return Tail(own, np.zeros((1, len(own) + 1)), np.zeros(1, bool))
    return Tail(own, np.mean(found, axis=0), np.ones(1, bool))
