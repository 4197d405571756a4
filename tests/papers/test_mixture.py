"""Fixed and tuned sums of entries, and equation 5: python -m pytest -n 0 tests/papers/test_mixture.py"""

import numpy as np
import pytest

from miga.engine.options import Options
from oof.artifacts import Oof, write_oof
from papers import group_training, mixture
from papers.group_training import Groups, centred
from papers.mixture import reached_by, reached_by_tuned, tenths

CLASSES = ("p", "q", "r", "s")


@pytest.fixture
def run(workdir, monkeypatch):
    """Entries a (good), b (bad), their tail models on class s, and no hash of folds to compare with."""
    rng = np.random.default_rng(0)
    label, fold = np.arange(24) % 4, np.arange(24) % 3
    for name, sure in (("a", 4.0), ("b", 0.1)):
        logits, test = (sure * np.eye(4)[of] + rng.normal(size=(len(of), 4)) for of in (label, np.arange(8) % 4))
        write("oof/r/papers", name, fold, label, logits, test, CLASSES)
        in_part = np.where(label == 3, 0, 1)
        tail, of_test = (3 * np.eye(2)[of] + rng.normal(size=(len(of), 2)) for of in (in_part, in_part[:8]))
        write("oof/r/papers", f"{name}_part1", fold, in_part, tail, of_test, ("s", "OTHERS"))
    truth = {f"t{i}": i % 4 for i in range(8)}
    monkeypatch.setattr(mixture, "test_labels", lambda run, answers: truth)
    for module in (mixture, group_training):
        read = module.read_entries
        monkeypatch.setattr(module, "read_entries", lambda paths, run=None, read=read: read(paths))
    return Options("r")


def write(folder, name, fold, label, logits, test, classes):
    from pathlib import Path

    ids, tests = (np.array([f"{letter}{i}" for i in range(count)]) for letter, count in (("c", len(label)), ("t", 8)))
    oof = Oof(ids, fold, label, logits.astype(np.float32), np.array(classes), tests, test[None].astype(np.float32))
    write_oof(Path(folder) / f"{name}.npz", oof)


def test_one_entry_alone_is_itself_whatever_its_weight(run):
    assert reached_by({"papers/a": 1.0})(run) == reached_by({"papers/a": 0.3})(run)
    assert (
        reached_by({"papers/a": 1.0})(run).out_of_fold["top1"] > reached_by({"papers/b": 1.0})(run).out_of_fold["top1"]
    )


def test_tuned_weights_prefer_the_good_system_and_say_so(run):
    found = reached_by_tuned([{"papers/a": 1.0}, {"papers/b": 1.0}])(run)
    weights = [float(text) for text in found.note.split("people ")[1].split(", chosen")[0].split(", ")]
    assert weights[0] > weights[1] and sum(weights) == pytest.approx(1)
    assert found.out_of_fold["top1"] >= reached_by({"papers/a": 0.5, "papers/b": 0.5})(run).out_of_fold["top1"]


def test_tenths_sum_to_one_and_begin_with_the_most_equal():
    assert np.allclose(tenths(3).sum(1), 1) and len(tenths(3)) == 66
    assert sorted(tenths(2)[0]) == [0.5, 0.5]


def test_equation_5_equals_a_slow_one(run):
    groups = Groups("r", ("papers/a", "papers/b"))
    alphas = np.array([0.5])
    entries = groups.entries
    tails = [np.load(f"oof/r/papers/{name}_part1.npz") for name in ("a", "b")]
    for row, clip in enumerate(entries.clip_id):
        logits = sum(z - z.mean() for z in entries.logits[:, row].astype(float))
        places = [list(tail["clip_id"]).index(clip) for tail in tails]
        tail = sum(
            (lambda z: z - z.mean())(t["logits"][place].astype(float)) for t, place in zip(tails, places, strict=True)
        )
        if tail.argmax() == 0:  # it predicts the tail class, not OTHERS
            logits[3] += 0.5 * tail[0]
        np.testing.assert_allclose(groups.with_alphas(alphas)[row], logits, atol=1e-5)


def test_without_alphas_equation_5_is_the_sum_of_logits(run):
    groups = Groups("r", ("papers/a", "papers/b"))
    np.testing.assert_array_equal(groups.with_alphas(np.zeros(1)), groups.primary)
    assert np.allclose(centred(np.array([1.0, 2.0, 6.0])), [-2, -1, 3])


def test_all_three_ways_give_scores(run):
    names = ("papers/a", "papers/b")
    for way in (group_training.as_printed, group_training.with_fitted_alphas, group_training.as_mixture):
        found = way(*names)(run)
        assert 0 <= found.out_of_fold["class_average"] <= 1 and found.test is not None
