"""Stackers and their file: python -m pytest tests/ensemble/test_stack.py"""

import json
from dataclasses import replace

import numpy as np
import pytest

from ensemble.blend import main as blend_main
from ensemble.choose import choose
from ensemble.join import Entries
from ensemble.recipes import CrossFit, Material, Recipe
from ensemble.stack import main as stack_main
from ensemble.stackers import STACKERS, fit_stack
from ensemble.tune import Search
from miga.errors import InputError
from miga.paths import oof_npz, stack_npz, weights_json
from oof.artifacts import read_oof, write_oof
from tests.ensemble.planted import an_entry, entries_of, prepared_run


def silent(line: str) -> None:
    pass


def misnamed(tmp_path) -> Entries:
    """A weak entry, and a strong one that always names the class after the right one.

    No weighted mean can use the strong one; a stacker can.
    """
    strong = an_entry(3, 1, 400)
    strong = replace(strong, logits=np.roll(strong.logits, 1, axis=1))
    return entries_of(tmp_path, {"weak": an_entry(0.7, 2, 400), "strong": strong})


def test_stackers_learn_what_weights_cannot_and_ship(tmp_path):
    entries = misnamed(tmp_path)
    stack = fit_stack(entries, say=silent)
    right = [(logits.argmax(1) == entries.label).mean() for logits in stack.logits[None]]
    crossfit = CrossFit(Material(entries, stack=stack), Search(trials=60))
    tuned = (crossfit.probabilities(Recipe(weights="tuned")).argmax(1) == entries.label).mean()
    assert stack.names == tuple(STACKERS) and min(right) > tuned + 0.2
    recipe, _ = choose(crossfit)
    assert recipe.stack
    assert (crossfit.probabilities(recipe).argmax(1) == entries.label).mean() > tuned + 0.2
    assert crossfit.test_probabilities(recipe).shape == (50, 5)


def test_stackers_that_add_nothing_stay_out(tmp_path):
    entries = entries_of(tmp_path, {name: an_entry(1, seed, 400) for seed, name in enumerate("abc", start=1)})
    recipe, _ = choose(CrossFit(Material(entries, stack=fit_stack(entries, say=silent)), Search(trials=60)))
    assert not recipe.stack


def test_no_stacker_saw_the_labels_of_the_fold_that_is_held_out(tmp_path):
    """Spoiling the labels of fold 1 changes nothing that a search without fold 1 reads, but what others read."""
    truth = entries_of(tmp_path, {"a": an_entry(1, 1), "b": an_entry(1, 2)})
    spoilt = replace(truth, label=np.where(truth.fold == 1, (truth.label + 1) % 5, truth.label))
    one, other = (fit_stack(entries, say=silent) for entries in (truth, spoilt))
    assert one.logits[1].tobytes() == other.logits[1].tobytes()
    assert one.logits[0].tobytes() != other.logits[0].tobytes()
    held_out = truth.fold == 1
    assert one.logits[None][:, held_out].tobytes() == other.logits[None][:, held_out].tobytes()


def test_a_class_that_a_fold_never_saw_is_possible_but_unlikely(tmp_path):
    oofs = {}
    for name, seed in (("a", 1), ("b", 2)):
        oof = an_entry(2, seed)
        oofs[name] = replace(oof, label=np.where((oof.label == 4) & (oof.fold != 0), 3, oof.label))
    entries = entries_of(tmp_path, oofs)
    stack = fit_stack(entries, say=silent)
    without_0 = stack.logits[None][:, entries.fold == 0]
    assert np.isfinite(without_0).all() and (without_0.argmax(2) != 4).all()


def test_command_once_then_the_blend_takes_it_along(workdir, capsys):
    prepared_run(2, num_folds=3)
    stack_main(["--run", "tiny"])
    first = stack_npz("tiny").read_bytes()
    stack_main(["--run", "tiny"])
    assert "nothing to do" in capsys.readouterr().out
    stack_main(["--run", "tiny", "--overwrite"])
    assert stack_npz("tiny").read_bytes() == first
    blend_main(["--run", "tiny", "--trials", "10"])
    asked = [step["challenger"] for step in json.loads(weights_json("tiny").read_text())["steps"]]
    assert any(title.endswith("+ stack") for title in asked)
    blend_main(["--run", "tiny", "--trials", "10", "--models", "entry0,entry1"])
    asked = [step["challenger"] for step in json.loads(weights_json("tiny").read_text())["steps"]]
    assert not any(title.endswith("+ stack") for title in asked)


def test_stackers_of_other_entries_are_refused(workdir):
    prepared_run(2, num_folds=3)
    stack_main(["--run", "tiny"])
    path = oof_npz("tiny", "entry1")
    oof = read_oof(path)
    write_oof(path, replace(oof, logits=oof.logits + 1))
    with pytest.raises(InputError, match=r"stack\.npz: made from other entries than there are now"):
        blend_main(["--run", "tiny", "--trials", "10"])


def test_two_folds_leave_no_pair_and_still_work(workdir):
    prepared_run(2, num_folds=2)
    stack_main(["--run", "tiny"])
    blend_main(["--run", "tiny", "--trials", "10"])
    assert json.loads(weights_json("tiny").read_text())["shipped"]
