"""A clip of one's own in, gestures out: python -m pytest tests/predict/test_predict.py"""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ensemble.blend import parse_arguments, read_material
from ensemble.mixture import blend_test_probabilities
from miga.clips import load_clips
from miga.errors import InputError
from miga.files import read_json, write_json
from miga.paths import fold_checkpoint_dir, weights_json
from oof.prior import class_prior
from predict.__main__ import main
from predict.classify import classify
from predict.clip import Given, persons, read_given
from predict.export import read_export, write_export
from predict.shipped import load_shipped
from tests.ensemble.mean_joints import NAME
from tests.tiny_rgb import picture, write_frames


def test_clips(run: str):
    """Row, joints and size of every test clip of the run."""
    clips = load_clips(run, "track1")
    rows = [row for row in range(len(clips)) if clips.table.split[row] == "test"]
    return clips, [(row, np.array(clips.joints_of(row))) for row in rows]


test_clips.__test__ = False


def given_of(joints: np.ndarray, size: tuple[int, int] = (720, 1280)) -> Given:
    return Given(joints, None, size, 25.0)


def ship(run: str, *, retrained: bool, parts: bool, pooled: bool) -> None:
    """Let the run ship another recipe than it chose."""
    facts = read_json(weights_json(run), "")
    names = [NAME, f"{NAME}_crt"] if retrained else [NAME]
    facts["blend"] = {name: {"weight": (1.5 if pooled else 1.0) / len(names), "temperature": 1.0} for name in names}
    facts["dropped"] = []
    facts["alphas"], facts["reading"] = ({"part1": 0.7}, "R4") if parts else ({}, None)
    facts["shipped"] = "pooled" if pooled else "tuned weights"
    write_json(weights_json(run), facts)


def column(output: str) -> list[str]:
    """The lines of the table of classes."""
    return re.findall(r"^ +\d+  \S.*\d\.\d{3}$", output, re.M)


@pytest.mark.parametrize("pooled", [True, False])
def test_same_probabilities_as_of_the_test_clips_in_the_blend(run, pooled):
    """Slow twin: the test rows of the run's own oof files, blended as a submission is."""
    ship(run, retrained=True, parts=True, pooled=pooled)
    material, *_ = read_material(parse_arguments(["--run", run]))
    entries, shipped = material.entries, load_shipped(run)
    rows = [entries.names.index(name) for name in (NAME, f"{NAME}_crt")]
    wanted = [material.parts.names.index("part1")]
    expected = blend_test_probabilities(
        [entries.test_logits[row] for row in rows], entries.test_has_input[rows],
        class_prior(entries.label, len(entries.classes)), shipped.blend, [material.parts.test_tails[i] for i in wanted],
    )  # fmt: skip
    clips, tests = test_clips(run)
    for row, joints in tests:
        place = entries.test_clip_id.tolist().index(clips.table.clip_id[row])
        got = classify(shipped, given_of(joints))
        np.testing.assert_allclose(got, expected[place], atol=2e-6)
        assert got.sum() == pytest.approx(1)


def test_prints_the_best_classes_with_their_probabilities(run, capsys):
    clips, ((_, joints), *_) = test_clips(run)
    np.save("clip.npy", joints)
    capsys.readouterr()
    main(["--run", run, "clip.npy", "--top", "3"])
    output = capsys.readouterr().out
    lines = column(output)
    assert len(lines) == 3 and f"{len(joints)} frames, joints alone" in output
    shares = [float(line.split()[-1]) for line in lines]
    assert shares == sorted(shares, reverse=True) and "simulated" not in output
    np.savetxt("clip.csv", joints.reshape(len(joints), -1), delimiter=",")
    main(["--run", run, "--joints", "clip.csv", "--top", "3"])
    assert column(capsys.readouterr().out) == lines
    main(["--run", run, "clip.npy", "--top", "99"])
    assert len(column(capsys.readouterr().out)) == clips.num_classes


def test_a_run_on_generated_recordings_says_so(run, capsys):
    _, ((_, joints), *_) = test_clips(run)
    np.save("clip.npy", joints)
    path = Path("clips/tiny/track1/meta.json")
    write_json(path, {**json.loads(path.read_text()), "source": "input/tiny/imigue"})
    Path("input/tiny").mkdir(parents=True)
    Path("input/tiny/demo.json").write_text("{}")
    main(["--run", run, "clip.npy"])
    assert "learnt simulated people" in capsys.readouterr().out


def test_one_frame_nobody_and_more_persons_have_a_result(run, capsys):
    shipped = load_shipped(run)
    _, ((_, joints), *_) = test_clips(run)
    assert np.isfinite(classify(shipped, given_of(joints[:1]))).all()
    np.testing.assert_allclose(classify(shipped, given_of(np.zeros_like(joints))), shipped.prior)
    faint = np.concatenate([joints * [1, 1, 0.1], joints], axis=1).astype(np.float32)
    np.testing.assert_allclose(classify(shipped, given_of(faint)), classify(shipped, given_of(joints)), atol=1e-6)
    np.save("nobody.npy", np.zeros_like(joints))
    main(["--run", run, "nobody.npy", "--render", "nobody.mp4"])
    output = capsys.readouterr().out
    assert "nobody is in view in any frame" in output and "class shares of the training clips" in output


def test_persons_keeps_those_seen_most_in_their_order():
    joints = np.zeros((2, 3, 4, 3), np.float32)
    joints[:, 0, :, 2], joints[:, 2, :, 2] = 0.5, 0.9
    assert persons(joints, 2)[0, :, 0, 2].tolist() == pytest.approx([0.5, 0.9])
    assert persons(joints, 1)[0, :, 0, 2].tolist() == pytest.approx([0.9])
    assert persons(joints, 5).shape == (2, 5, 4, 3) and not persons(joints, 5)[:, 3:].any()


def test_an_adapted_entry_stands_without_adaptation(run, capsys):
    ship(run, retrained=False, parts=False, pooled=False)
    plain = load_shipped(run)
    adapted = {f"{NAME}_adapted": {"weight": 0.5, "temperature": 1.0}, "trees": {"weight": 0.3, "temperature": 1.0}}
    adapted["lightgbm"] = {"weight": 0.2, "temperature": 1.0}
    facts = {**read_json(weights_json(run), ""), "blend": adapted}
    write_json(weights_json(run), {**facts, "entries": [*facts["entries"], f"{NAME}_adapted", "trees"]})
    other = load_shipped(run)
    _, ((_, joints), *_) = test_clips(run)
    np.testing.assert_allclose(classify(other, given_of(joints)), classify(plain, given_of(joints)), atol=1e-6)
    assert "lightgbm, trees left out" in other.notes[0] and "without adaptation" in other.notes[1]


@pytest.fixture
def film(workdir) -> Path:
    """A video of 12 frames."""
    write_frames(workdir / "film.mp4", [picture(np.zeros((1, 22, 3))) for _ in range(12)])
    return workdir / "film.mp4"


def wrong(arguments: list[str], *words: str) -> None:
    with pytest.raises(InputError) as error:
        main(arguments)
    for word in words:
        assert word in str(error.value), str(error.value)


def test_wrong_input_is_one_clear_sentence(run, film):
    base = ["--run", run]
    _, ((_, joints), *_) = test_clips(run)
    np.save("clip.npy", joints)
    np.save("other.npy", joints[:, :, :17])
    np.save("empty.npy", joints[:0])
    Path("cut.npy").write_bytes(Path("clip.npy").read_bytes()[:200])
    Path("words.csv").write_text("a,b\n")
    Path("text.mp4").write_text("no video")
    wrong([*base], "nothing to look at")
    wrong([*base, "missing.mp4"], "missing.mp4: no such video")
    wrong([*base, "missing.npy"], "missing.npy: no such file")
    wrong([*base, "text.mp4"], "text.mp4", "not a readable video")
    wrong([*base, "other.npy"], "(T, 22, 3)", "imigue22 with 22 joints")
    wrong([*base, "words.csv"], "row 1", "expected 66 numbers")
    wrong([*base, "empty.npy"], "holds no frame")
    wrong([*base, "cut.npy"], "cut.npy")
    wrong([*base, "clip.npy", "--joints", "clip.npy"], "both are joints")
    wrong([*base, "film.mp4", "--joints", "clip.npy"], f"{len(joints)} frames, but film.mp4 has 12")
    wrong([*base, "film.mp4"], "looks at pictures alone", "no pose estimator is here")
    wrong([*base, "film.mp4", "--spot"], "no pose estimator is here")
    wrong([*base, "clip.npy", "--joint-size", "12"], "expected WxH")
    wrong([*base, "clip.npy", "--top", "0"], "--top 0")
    wrong([*base, "clip.npy", "--render", "out.avi"], "ends in .mp4")
    wrong(["--run", "nothing", "clip.npy"], "no blend yet")
    facts = read_json(weights_json(run), "")
    write_json(weights_json(run), {**facts, "blend": {"trees": {"weight": 1.0, "temperature": 1.0}}})
    wrong([*base, "clip.npy"], "no entry of the blend has networks")
    shutil.rmtree(fold_checkpoint_dir(run, NAME, 1))
    ship(run, retrained=False, parts=False, pooled=False)
    wrong([*base, "clip.npy"], "fold1", "not there; train")


def test_joints_of_another_picture_are_noted(workdir):
    from miga.skeletons import IMIGUE_22

    rng = np.random.default_rng(0)
    joints = rng.uniform(0.1, 1, (5, 22, 3))
    np.save("shares.npy", joints)
    given = read_given(None, Path("shares.npy"), IMIGUE_22, None, (720, 1280), 25.0)
    assert "--joint-size" in given.notes[0]
    np.save("pixels.npy", joints * [900, 600, 1])
    assert not read_given(None, Path("pixels.npy"), IMIGUE_22, None, (720, 1280), 25.0).notes
    assert read_given(None, Path("pixels.npy"), IMIGUE_22, (90, 160), (720, 1280), 25.0).notes


def test_an_export_predicts_the_same_without_the_run(run, workdir, monkeypatch):
    ship(run, retrained=True, parts=True, pooled=True)
    shipped = load_shipped(run)
    _, ((_, joints), *_) = test_clips(run)
    expected = classify(shipped, given_of(joints))
    write_export(Path("model"), shipped)
    (workdir / "elsewhere").mkdir()
    shutil.move("model", workdir / "elsewhere" / "model")
    monkeypatch.chdir(workdir / "elsewhere")
    for room in ("oof", "checkpoints", "clips", "ensemble", "folds"):
        shutil.rmtree(workdir / room)
    loaded = read_export(Path("model"))
    np.testing.assert_array_equal(classify(loaded, given_of(joints)), expected)
    np.save("clip.npy", joints)
    main(["--model", "model", "clip.npy", "--render", "out.mp4"])
    assert Path("out.mp4").exists()


def test_wrong_exports_are_one_clear_sentence(run, workdir):
    shipped = load_shipped(run)
    _, ((_, joints), *_) = test_clips(run)
    np.save("clip.npy", joints)
    main(["--run", run, "--export", "model"])
    wrong(["--run", run, "--export", "model"], "is there already")
    wrong(["--model", "model", "--spot", "clip.npy"], "--spot: needs --run")
    wrong(["--model", "nowhere", "clip.npy"], "no model.json")
    facts = read_json(Path("model/model.json"), "")
    for change, words in (
        ({"form": 99}, ("another version (form 99, expected 1)", "export it again")),
        (
            {"members": [{**facts["members"][0], "config": {"epochs": 1}}]},
            ("now has other settings", "export it again"),
        ),
        ({"members": [{"name": NAME}]}, ("not as it was written", "export it again")),
    ):
        write_json(Path("model/model.json"), {**facts, **change})
        wrong(["--model", "model", "clip.npy"], *words)
    write_json(Path("model/model.json"), facts)
    next(Path("model/weights").rglob("*.safetensors")).write_bytes(b"cut")
    wrong(["--model", "model", "clip.npy"], "not a checkpoint")
    shutil.rmtree("model")
    gone = replace(shipped.members[0], weights=(workdir / "gone.pt",))
    with pytest.raises(InputError, match="not there; train"):
        write_export(Path("model"), replace(shipped, members=(gone, *shipped.members[1:])))
    assert not Path("model").exists()
