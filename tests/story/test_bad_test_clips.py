"""From recordings with a bad test clip to a submission that the sample file accepts.

Run alone: python -m pytest -n 0 tests/story/test_bad_test_clips.py
"""

import json
from pathlib import Path

import numpy as np
import pytest

from ensemble.adapt import main as adapt
from ensemble.blend import main as blend
from ensemble.stack import main as stack
from ensemble.train_parts import main as train_parts
from folds.make import main as make_folds
from miga.paths import oof_npz, submission_csv, weights_json
from oof.artifacts import read_oof
from recordings import rgb_build
from recordings.prepare import main as prepare
from report.summary import main as summary
from submissions.check import check_sample, check_submission
from tests.recordings.on_disk import person, write_imigue_video, write_video

# One entry on joints and one on pictures; any folder of models/ may be deleted, and this test then has nothing to run.
train_ehct = pytest.importorskip("models.ehct.train").main
train_slowonly = pytest.importorskip("models.rgb_slowonly.train").main
ENTRIES = {"ehct_joint": "joints", "ehct_joint_adapted": "joints", "rgb_slowonly": "rgb"}
ROWS = [((1, 2, 99, 2)[i % 4], 5 * i, 5 * i + 4) for i in range(10)]  # enough for a person to be adapted to


@pytest.fixture(autouse=True)
def _one_process(monkeypatch):
    monkeypatch.setattr(rgb_build, "NUM_PROCESSES", 1)  # starting processes takes longer than these videos


def write_recordings(root: Path, test_ids: tuple[str, ...]) -> None:
    for number, video_id in enumerate(("0001", "0002", "0003", "0004", *test_ids)):
        part = "test" if video_id in test_ids else "train"
        write_imigue_video(root, part, video_id, person(50, seed=number), ROWS)
        write_video(root / f"rgb/{video_id}.mp4", 50)


def run(name: str) -> dict[str, np.lib.npyio.NpzFile]:
    """Everything up to the submission; returns the content of the entries by name."""
    prepare(["--run", name, "--track1", "data"])
    make_folds(["--run", name, "--num-folds", "2"])
    quick = ["--run", name, "--jobs", "1", "--device", "cpu"]
    train_ehct([*quick, "--profile", "smoke"])
    train_slowonly([*quick, "--profile", "smoke"])
    train_parts([*quick, "--entries", "ehct"])
    adapt([*quick, "--entries", "ehct"])
    stack(["--run", name])
    blend(["--run", name, "--trials", "8", "--sample", "sample.csv"])
    return {entry: read_oof(oof_npz(name, entry)) for entry in ENTRIES}


def no_skeleton():
    Path("data/imigue_skeleton_test/0055/0055_light_hand.csv").unlink()


def nobody_in_view():
    write_imigue_video(Path("data"), "test", "0055", np.zeros((50, 35, 3)), ROWS)


def no_video():
    Path("data/rgb/0055.mp4").unlink()


def broken_video():
    Path("data/rgb/0055.mp4").write_bytes(b"not a video")


def nothing():
    no_skeleton()
    no_video()


def test_a_bad_test_clip_costs_neither_the_submission_nor_another_clip(workdir, capsys):
    write_recordings(workdir / "data", ("0054",))
    ids = [f"0054_{i}" for i in range(10)]
    Path("sample.csv").write_text("Id,Target\n" + "".join(f"{id_},0\n" for id_ in ids))
    without = run("without")
    write_recordings(workdir / "data", ("0054", "0055"))
    ids += [f"0055_{i}" for i in range(10)]
    Path("sample.csv").write_text("Id,Target\n" + "".join(f"{id_},0\n" for id_ in ids))
    for harm, lacking in (
        (no_skeleton, {"joints"}),
        (nobody_in_view, {"joints"}),
        (no_video, {"rgb"}),
        (broken_video, {"rgb"}),
        (nothing, {"joints", "rgb"}),
    ):
        write_recordings(workdir / "data", ("0054", "0055"))
        harm()
        name = harm.__name__
        found = run(name)
        check_sample(name, Path("sample.csv"))
        assert "valid, 20 clips" in check_submission(submission_csv(name, "track1"), Path("sample.csv"))
        for entry, needs in ENTRIES.items():
            oof, other = found[entry], without[entry]
            is_bad = np.char.startswith(oof.test_clip_id, "0055")
            assert oof.test_has_input.tolist() == (~is_bad | (needs not in lacking)).tolist()
            # One more clip to look at makes other batches, which may round otherwise; one that is not shown does not.
            tolerance = 0 if needs in lacking else 1e-5
            np.testing.assert_allclose(oof.logits, other.logits, rtol=tolerance)
            np.testing.assert_allclose(oof.test_logits[:, ~is_bad], other.test_logits, rtol=tolerance)
            if needs in lacking:
                np.testing.assert_allclose(np.exp(oof.test_logits[:, is_bad]).sum(2), 1, rtol=1e-5)
                assert (np.ptp(oof.test_logits[:, is_bad], axis=1) == 0).all()
        missing = json.loads(weights_json(name).read_text())["missing_inputs"]
        assert missing["all"] == ([] if len(lacking) == 1 else ids[10:])
        capsys.readouterr()
        summary(["--run", name])
        last = capsys.readouterr().out.splitlines()[-1]
        how = (
            "by the class shares" if len(lacking) == 2 else f"without {'joints' if 'joints' in lacking else 'pictures'}"
        )
        assert f"10 test clips ({', '.join(ids[10:])}) answered " + how in last
    labels = Path(submission_csv("nothing", "track1")).read_text().splitlines()[11:]
    assert len({line.split(",")[1] for line in labels}) == 1  # all the most frequent class
