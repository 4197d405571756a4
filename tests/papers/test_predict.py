"""Predicting again by trained networks: python -m pytest -n 0 tests/papers/test_predict.py"""

from pathlib import Path

import numpy as np
import pytest

from folds.make import main as make_folds_main
from miga.errors import InputError
from miga.files import read_json
from models.gecn.train import main as train_gecn
from models.rgbpose.train import main as train_rgbpose
from oof.artifacts import read_oof
from papers.predict import main
from tests.recordings.on_disk import write_smg
from tests.tiny import tiny_clips, write_clips
from tests.tiny_rgb import filmed

FAST = ["--run", "tiny", "--jobs", "1"]


def oof(name: str) -> np.ndarray:
    return read_oof(Path(f"oof/tiny/{name}.npz")).logits


def test_other_views_by_the_same_weights(workdir):
    write_clips(tiny_clips(), "tiny")
    make_folds_main(["--run", "tiny", "--num-folds", "2"])
    train_gecn([*FAST, "--profile", "smoke", "--epochs", "1"])
    before = {path: path.stat().st_mtime_ns for path in Path("checkpoints/tiny/gecn").rglob("weights.pt")}
    main([*FAST, "--entry", "gecn", "--name", "gecn_noc3", "--num_test_clips", "3"])
    main([*FAST, "--entry", "gecn", "--name", "gecn_noc1", "--num_test_clips", "1"])
    assert before == {path: path.stat().st_mtime_ns for path in Path("checkpoints/tiny/gecn").rglob("weights.pt")}
    np.testing.assert_array_equal(oof("papers/gecn_noc1"), oof("gecn"))
    assert not np.allclose(oof("papers/gecn_noc3"), oof("gecn"))
    assert read_json(Path("oof/tiny/papers/gecn_noc3.json"), "")["config"]["num_test_clips"] == 3
    with pytest.raises(InputError, match="--lr: not a setting of prediction alone"):
        main([*FAST, "--entry", "gecn", "--name", "gecn_x", "--lr", "1"])


def test_a_pathway_alone_predicts_by_its_finished_stage(workdir):
    write_clips(filmed(tiny_clips(), workdir / "frames"), "tiny")
    make_folds_main(["--run", "tiny", "--num-folds", "2"])
    train_rgbpose([*FAST, "--profile", "smoke", "--input", "joint"])
    for stage in ("rgb", "pose"):
        main([*FAST, "--entry", "rgbpose_joint", "--name", f"rgbpose_{stage}", "--stage", stage])
    assert not np.allclose(oof("papers/rgbpose_rgb"), oof("papers/rgbpose_pose"))
    with pytest.raises(InputError, match="--stage depth: the stages of rgbpose_joint are rgb, pose"):
        main([*FAST, "--entry", "rgbpose_joint", "--name", "rgbpose_depth", "--stage", "depth"])


def test_smg_folders_are_clips_to_classify_too(workdir):
    from recordings.prepare import main as prepare

    write_smg(workdir / "data")
    prepare(["--run", "tiny", "--track1", "data"])
    make_folds_main(["--run", "tiny", "--num-folds", "2"])
    settings = ["--profile", "smoke", "--epochs", "1", "--attention", "false"]
    train_gecn([*FAST, *settings, "--name", "papers/gecn_plain"])
    found = read_oof(Path("oof/tiny/papers/gecn_plain.npz"))
    assert found.logits.shape == (3, 17) and list(found.test_clip_id) == ["Sample0036_0"]
