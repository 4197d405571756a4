"""The search over blends: python -m pytest tests/ensemble/test_tune.py"""

import numpy as np
import optuna
import pytest

from ensemble.evaluate import TEMPERATURES, TOP1, Evaluator, Objective
from ensemble.merge import Tail
from ensemble.mixture import Blend, blend_probabilities, softmax
from ensemble.starts import greedy_selection
from ensemble.tune import Search, tune

K = 8
# What each planted entry knows of the label: three informative ones, three that are noise, and a copy of the first.
STRENGTHS = (2.2, 1.8, 1.5, 0, 0, 0)
NOISE = slice(3, 6)


def planted(num_clips: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(7, N, K) logits and (N,) labels."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, K, num_clips)
    known = np.eye(K)[labels]
    logits = [s * known + (1 if s else 2) * rng.normal(size=(num_clips, K)) for s in STRENGTHS]
    return np.stack([*logits, logits[0]]).astype(np.float32), labels


def top1(logits: np.ndarray, labels: np.ndarray, blend: Blend) -> float:
    return TOP1.score(blend_probabilities(logits, blend), labels)


def test_planted_ensemble_comes_within_a_third_of_a_point_of_the_best():
    """Against the best blend found on the large sample itself, by a search that cannot overfit it."""
    large, large_labels = planted(10_000, 99)
    best = top1(large, large_labels, tune(large, large_labels, Search()))
    found = []
    for seed in range(3):
        blend = tune(*planted(3000, seed), Search())
        assert blend.weights[NOISE].sum() < 0.05
        found.append(top1(large, large_labels, blend))
    assert best - np.mean(found) < 0.003
    assert best - max(top1(large, large_labels, Blend.equal(7)), top1(large, large_labels, Blend.single(7, 0))) > 0.05


def test_the_same_seed_gives_the_same_blend_and_another_seed_no_other_conclusion():
    logits, labels = planted(1000, 5)
    one, two, three = (tune(logits, labels, Search(trials=80, seed=seed)) for seed in (0, 0, 1))
    for name in ("weights", "temperatures", "alphas"):
        assert getattr(one, name).tobytes() == getattr(two, name).tobytes()
    assert np.isclose(one.weights.sum(), 1) and (one.weights >= 0).all()
    assert abs(top1(logits, labels, one) - top1(logits, labels, three)) < 0.01


def test_a_search_is_never_much_worse_than_its_starts():
    """Dropping entries may cost some standard errors of the clips they change, here nothing against any start."""
    logits, labels = planted(500, 6)
    blend = tune(logits, labels, Search(trials=20))
    starts = [Blend.equal(7), *(Blend.single(7, e) for e in range(7))]
    assert top1(logits, labels, blend) >= max(top1(logits, labels, start) for start in starts)


def test_dead_entries_have_no_weight():
    logits, labels = planted(1000, 7)
    duplicates = np.stack([logits[0], logits[0], logits[0], logits[3]])
    blend = tune(duplicates, labels, Search(trials=60))
    assert np.count_nonzero(blend.weights) == 1 and blend.weights[3] == 0


def test_greedy_selection_takes_what_helps():
    logits, labels = planted(2000, 8)
    weights = greedy_selection(Evaluator(logits, labels, TOP1), np.full(7, TEMPERATURES.index(4.0)))
    assert weights[NOISE].sum() == 0 and weights[1] > 0 and weights[2] > 0


def test_class_average_is_searched_when_asked():
    """One entry knows the frequent class, the other the rare ones: each objective takes its own."""
    rng = np.random.default_rng(0)
    labels = rng.choice(K, 2000, p=[0.79, *[0.03] * 7])
    known = 4 * np.eye(K)[labels]
    frequent = np.where((labels == 0)[:, None], known, 0) + rng.normal(size=(2000, K))
    frequent[:, 0] += 2
    rare = np.where((labels > 0)[:, None], known, 0) + rng.normal(size=(2000, K))
    logits = np.stack([frequent, rare]).astype(np.float32)
    found = {share: tune(logits, labels, Search(Objective(share), trials=60)) for share in (1.0, 0.0)}
    averages = {
        share: Objective(0.0).score(blend_probabilities(logits, blend), labels) for share, blend in found.items()
    }
    assert averages[0.0] > averages[1.0] + 0.01
    assert top1(logits, labels, found[1.0]) > top1(logits, labels, found[0.0]) + 0.01


def test_alphas_of_useful_tails_are_found_and_of_useless_ones_stay_small():
    logits, labels = planted(1500, 9)
    rng = np.random.default_rng(1)
    is_tail = np.isin(labels, [6, 7])
    own = np.where(is_tail, labels - 6, 2)
    good = Tail(np.array([6, 7]), softmax(4 * np.eye(3)[own] + rng.normal(size=(1500, 3))))
    noise = Tail(np.array([5]), softmax(rng.normal(size=(1500, 2))))
    blend = tune(logits[:3], labels, Search(trials=150), (good, noise))
    assert blend.alphas[0] > blend.alphas[1]
    with_tails = TOP1.score(blend_probabilities(logits[:3], blend, (good, noise)), labels)
    assert with_tails > top1(logits[:3], labels, tune(logits[:3], labels, Search(trials=150)))


def test_one_entry_needs_no_search():
    logits, labels = planted(50, 0)
    assert tune(logits[:1], labels, Search()).weights.tolist() == [1.0]


def test_processes_share_a_study_in_a_journal_file(tmp_path):
    """Two workers add up to the trials asked for; a second command finds them all and searches no further."""
    logits, labels = planted(200, 3)
    search = Search(trials=30, study=tmp_path / "search.log", workers=2)
    first = tune(logits, labels, search, title="run: tuned")
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(search.study)))
    count = len(optuna.load_study(study_name="run: tuned", storage=storage).trials)
    assert 30 <= count <= 32  # a worker may finish the trial it is in
    again = tune(logits, labels, Search(trials=30, study=search.study), title="run: tuned")
    assert again.weights.tobytes() == first.weights.tobytes()
    assert len(optuna.load_study(study_name="run: tuned", storage=storage).trials) == count


@pytest.mark.parametrize("num_entries", [2, 5])
def test_clones_are_as_good_as_one(num_entries):
    logits, labels = planted(300, 2)
    clones = np.stack([logits[1]] * num_entries)
    assert top1(clones, labels, tune(clones, labels, Search(trials=40))) == top1(
        clones, labels, Blend.equal(num_entries)
    )
