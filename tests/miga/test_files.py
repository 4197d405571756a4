"""Files written whole, read and held: python -m pytest tests/miga/test_files.py"""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from miga.errors import InputError, run_command
from miga.files import read_json, write_json
from miga.paths import check_run_name


@pytest.mark.parametrize("content", [b"", b'{"a": ', b"[1]", b"\xff\xfe{}"])
def test_json_that_cannot_be_read_is_named_with_the_cure(tmp_path, content):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.json: .*; make it again"):
        read_json(tmp_path / "a.json", "make it again")
    with pytest.raises(InputError, match=r"b\.json: .*; make it again"):
        read_json(tmp_path / "b.json", "make it again")
    write_json(tmp_path / "a.json", {"é": 1})
    assert read_json(tmp_path / "a.json", "") == {"é": 1}


@pytest.mark.parametrize("name", ["a", "a_track2", "v1.2", "2024-05", "x" * 100])
def test_names_that_a_run_may_have(name):
    assert check_run_name(name) == name


@pytest.mark.parametrize(
    "name", ["", ".a", "../a", "a/b", "a b", "log.csv", "make.py", "README.md", "templates", "x" * 101, "ü"]
)
def test_names_that_a_run_may_not_have_end_in_one_sentence(name, monkeypatch, capsys):
    from folds.make import main

    monkeypatch.setattr(sys, "argv", ["folds.make", "--run", name])
    with pytest.raises(SystemExit) as stopped:
        run_command(main)
    message = capsys.readouterr().err
    assert stopped.value.code == 2 and message.startswith("error: --run ") and message.count("\n") == 1


def test_two_preparations_at_once_take_turns(workdir):
    clips = [
        {
            "frame_dir": f"c{i}",
            "label": i % 2,
            "total_frames": 200,
            "img_shape": (480, 640),
            "keypoint": np.full((1, 200, 17, 2), 50.0 + i),
            "keypoint_score": np.ones((1, 200, 17)),
        }
        for i in range(60)
    ]
    names = [clip["frame_dir"] for clip in clips]
    content = {"split": {"train": names[:50], "test": names[50:]}, "annotations": clips}
    Path("a.pkl").write_bytes(pickle.dumps(content))
    command = [sys.executable, "-m", "recordings.prepare", "--run", "x", "--track1", "a.pkl"]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    started = [subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    outputs = [process.communicate(timeout=60)[0] for process in started]
    assert [process.returncode for process in started] == [0, 0]
    assert sorted("is up to date, skipped" in output for output in outputs) == [False, True]
    assert [path.name for path in Path("clips/x").iterdir()] == ["track1"]
