"""PoseC3D with the semantic loss: loss, word vectors, heads, one fold.

Run alone: python -m pytest tests/models/test_semantic.py
"""

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from miga.errors import InputError
from models.semantic.config import PROFILES
from models.semantic.entry import ENTRY
from models.semantic.loss import semantic_loss
from models.semantic.model import SemanticPoseC3D
from models.semantic.vectors import DIMS, letter_vector, name_vectors, split_words
from recordings.labels import IMIGUE_CLASSES, SMG_CLASSES
from tests.assembled import fold_of
from tests.tiny import tiny_clips


def small(num_joints: int = 5, num_classes: int = 4, **changes) -> SemanticPoseC3D:
    torch.manual_seed(0)
    return SemanticPoseC3D(
        num_joints, num_classes, **{"embedding_dims": 6, "base_channels": 4, "blocks": (1, 1, 1), **changes}
    )


# ------------------------------------------------------------------------------------------ loss


def slow_loss(
    logits: np.ndarray, embedding: np.ndarray, labels: list[int], vectors: np.ndarray, weight: float
) -> float:
    """One clip, class and dimension at a time."""
    total = 0.0
    for z, e, label in zip(logits, embedding, labels, strict=True):
        total += np.log(sum(np.exp(value) for value in z)) - z[label]
        squares = [(e[d] - vectors[label][d]) ** 2 for d in range(len(e))]
        total += weight * sum(squares) / len(squares)
    return total / len(labels)


@given(st.integers(1, 6), st.integers(2, 5), st.integers(1, 7), st.floats(0, 30), st.integers(0, 1000))
def test_the_loss_equals_the_slow_one(batch, num_classes, dims, weight, seed):
    rng = np.random.default_rng(seed)
    logits, embedding = rng.normal(size=(batch, num_classes)), rng.normal(size=(batch, dims))
    vectors, labels = rng.normal(size=(num_classes, dims)), rng.integers(num_classes, size=batch)
    outputs = {"logits": torch.from_numpy(logits), "embedding": torch.from_numpy(embedding)}
    ours = semantic_loss(
        outputs, torch.from_numpy(labels), torch.from_numpy(vectors).float(), weight
    )  # the loss is taken in float32
    expected = slow_loss(logits, embedding, labels.tolist(), vectors, weight)
    assert float(ours) == pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_the_published_weight_and_the_direction_of_both_terms():
    logits, embedding = torch.zeros(1, 3, requires_grad=True), torch.zeros(1, 2, requires_grad=True)
    vectors = torch.tensor([[9.0, 9.0], [1.0, -2.0], [9.0, 9.0]])
    loss = semantic_loss({"logits": logits, "embedding": embedding}, torch.tensor([1]), vectors)
    assert loss.item() == pytest.approx(np.log(3) + 20 * (1 + 4) / 2)
    loss.backward()
    torch.testing.assert_close(embedding.grad, torch.tensor([[-20.0, 40.0]]))  # 20 * 2 (e - g) / 2 dimensions
    assert logits.grad[0, 1] < 0 < logits.grad[0, 0]


# ------------------------------------------------------------------------------------------ word vectors


def write_table(path, words: dict[str, list[float]], first_lines: tuple[str, ...] = ()):
    lines = [*first_lines, *(f"{word} {' '.join(map(str, values))}" for word, values in words.items())]
    path.write_bytes("\n".join(lines).encode() + b"\n")
    return str(path)


def test_a_name_is_the_mean_of_its_words_in_the_file(tmp_path):
    rng = np.random.default_rng(0)
    table = {word: rng.normal(size=DIMS).round(4).tolist() for word in ("eyes", "rub", "hand", "unused")}
    first = (
        "4 300",
        "",
        "rub hand@name.com " + "1 " * DIMS,
        "\ufffd\xa0 1 2",
    )  # a count line, odd lines of real tables
    path = write_table(tmp_path / "vectors.txt", table, first)
    vectors = name_vectors(("rub hand", "Rub_Eyes", "hand"), path)
    expected = [
        (np.add(table["rub"], table["hand"])) / 2,
        (np.add(table["rub"], table["eyes"])) / 2,
        np.array(table["hand"]),
    ]
    np.testing.assert_allclose(vectors, expected, rtol=1e-5, atol=1e-6)
    assert vectors.dtype == np.float32


def test_a_file_that_does_not_fit_is_refused_in_one_sentence(tmp_path):
    good = [0.1] * DIMS
    cases = {
        "no such file": str(tmp_path / "absent.txt"),
        "lacks others": write_table(tmp_path / "a.txt", {"rub": good}),
        "narrow": write_table(tmp_path / "b.txt", {"rub": good[:50], "others": good}),
        "not finite": write_table(tmp_path / "c.txt", {"rub": [float("nan"), *good[1:]], "others": good}),
    }
    with pytest.raises(InputError, match=r"absent.txt: no such file"):
        name_vectors(("rub",), cases["no such file"])
    with pytest.raises(
        InputError, match=r"for 1 of the 2 words of the class names, expected one each: others; add lines"
    ):
        name_vectors(("rub", "OTHERS"), cases["lacks others"])
    with pytest.raises(InputError, match=r"line 1: the word 'rub' has 50 numbers, expected 300"):
        name_vectors(("rub", "OTHERS"), cases["narrow"])
    with pytest.raises(InputError, match=r"line 1: the word 'rub' has a number that is not finite"):
        name_vectors(("rub", "OTHERS"), cases["not finite"])


def test_names_that_share_words_or_stems_are_near():
    def cosine(a: str, b: str) -> float:
        u, v = name_vectors((a, b)).astype(np.float64)
        return float(u @ v / np.linalg.norm(u) / np.linalg.norm(v))

    assert cosine("rub hand", "rub eyes") > 0.4
    assert cosine("touch chin", "touching chin") > 0.7
    assert abs(cosine("rub hand", "bit lip")) < 0.2


def test_words_of_letters_have_unit_variance_in_every_dimension():
    words = sorted({word for name in IMIGUE_CLASSES + SMG_CLASSES for word in split_words(name)})
    table = np.stack([letter_vector(word) for word in words])  # (words, 300)
    assert table.std() == pytest.approx(1, abs=0.05)
    assert table.std(0).min() > 0.5 and table.std(0).max() < 1.6


@given(st.lists(st.text(max_size=12), min_size=1, max_size=4))
def test_any_class_names_get_finite_vectors_that_do_not_depend_on_the_others(names):
    together = name_vectors(tuple(names))
    assert together.shape == (len(names), DIMS) and np.isfinite(together).all()
    np.testing.assert_array_equal(together[-1:], name_vectors((names[-1],)))


@pytest.mark.parametrize(
    ("name", "words"),
    [("rub hand", ["rub", "hand"]), ("brush_hair", ["brush", "hair"]), ("ShakeHands", ["shake", "hands"]),
     ("OTHERS", ["others"]), ("?", ["?"])],
)  # fmt: skip
def test_words_of_a_name(name, words):
    assert split_words(name) == words


# ------------------------------------------------------------------------------------------ network


def test_parameters_and_key_layout_at_the_published_size():
    with torch.device("meta"):
        model = SemanticPoseC3D(22, num_classes=32)
    assert sum(parameter.numel() for parameter in model.parameters()) == 2_001_920 + 513 * (32 + 300)
    head = {key: tuple(value.shape) for key, value in model.state_dict().items() if key.startswith("cls_head.")}
    assert head == {
        "cls_head.fc_cls.weight": (32, 512), "cls_head.fc_cls.bias": (32,),
        "cls_head.emb_fc.weight": (300, 512), "cls_head.emb_fc.bias": (300,),
    }  # fmt: skip
    assert all(model.get_submodule(name) for name in SemanticPoseC3D.HEADS)


def test_both_heads_see_the_same_features_after_dropout():
    model = small(num_classes=6, dropout=0.5).train()
    model.cls_head.emb_fc.load_state_dict(model.cls_head.fc_cls.state_dict())
    clips = torch.rand(4, 5, 4, 16, 16)
    outputs = model(clips)
    assert torch.equal(outputs["logits"], outputs["embedding"])
    assert not torch.equal(outputs["logits"], model(clips)["logits"])  # another draw of the dropout


def test_batch_mates_do_not_change_the_logits_and_an_empty_clip_is_finite():
    model = small().train()
    clips = torch.rand(3, 5, 4, 16, 16)
    model(clips)  # running statistics that are not the initial ones
    model.eval()
    clips[1] = 0
    with torch.no_grad():
        together, alone = model(clips)["logits"], torch.cat([model(clip[None])["logits"] for clip in clips])
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-5)
    assert torch.isfinite(together).all()


def test_eight_clips_can_be_learnt_by_heart_with_their_vectors():
    model = small(num_joints=4, base_channels=8, dropout=0.0)
    clips, labels = torch.rand(8, 4, 4, 16, 16), torch.arange(8) % 4
    vectors = torch.randn(4, 6)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    for _ in range(60):
        outputs = model(clips)
        loss = semantic_loss(outputs, labels, vectors)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert (outputs["logits"].argmax(1) == labels).all()
    assert (outputs["embedding"] - vectors[labels]).square().mean() < 0.1 * vectors.square().mean()


@pytest.mark.parametrize("kind", ["joint", "limb"])
def test_one_fold_of_other_classes(workdir, kind):
    """A clip of one frame, a clip with nobody, and class names such as OTHERS; trained weights start the next one."""
    clips = tiny_clips()
    clips = dataclasses.replace(clips, classes=("OTHERS", *clips.classes[1:]))
    config = dataclasses.replace(PROFILES["smoke"], epochs=1, input=kind)
    rows, wanted = np.flatnonzero(clips.table.label >= 0), np.arange(len(clips))
    logits = []
    for number, weights in enumerate(("", "0/weights.pt")):
        config = dataclasses.replace(config, weights=weights)
        folder = workdir / str(number)
        folder.mkdir()
        logits.append(fold_of(ENTRY, config, clips, lambda epoch: rows, wanted, folder))
    assert all(part.shape == (len(clips), 4) and np.isfinite(part).all() for part in logits)
    assert not np.array_equal(*logits)
